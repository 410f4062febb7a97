// Small pictures of a series for a terminal, drawn with Unicode's block elements.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace district::admin {

struct Bar {
  std::string label;
  std::optional<double> value;  // none: a window without data
  std::string remark;           // behind the bar, e.g. "partial 92 %"
};

// One line a bar: label, value with `decimals`, bar. All share one scale, which includes zero;
// negative values grow to the left of it.
void draw_bars(std::ostream& out, const std::vector<Bar>& bars, int decimals);

struct Range {
  double low = 0;
  double high = 0;
};

// The smallest range with zero and all the values.
Range range_with_zero(const std::vector<std::optional<double>>& values);

// One character a value, eight heights; a dot where there is none.
std::string sparkline(const std::vector<std::optional<double>>& values, Range range);

// Digits after the point with which the largest of the values keeps about four digits.
int decimals_for(Range range);

}  // namespace district::admin
