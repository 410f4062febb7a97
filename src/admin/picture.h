// Small pictures of a series for a terminal, drawn with Unicode's block elements.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace district::admin {

struct Bar {
  std::string label;
  std::optional<double> value;  // nullopt: a window without data
  std::string remark;           // after the bar, e.g. "partial 92 %"
};

// Draws one line for each bar: label, value with `decimals`, bar. All have the same scale, which
// includes zero. Negative values grow to the left of it.
void draw_bars(std::ostream& out, const std::vector<Bar>& bars, int decimals);

struct Range {
  double low = 0;
  double high = 0;
};

// The smallest range that includes zero and all the values.
Range range_with_zero(const std::vector<std::optional<double>>& values);

// One character for each value, in eight heights; a dot when there is none.
std::string sparkline(const std::vector<std::optional<double>>& values, Range range);

// How many digits after the point show about four digits of the largest value.
int decimals_for(Range range);

}  // namespace district::admin
