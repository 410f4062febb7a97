#include "admin/picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "admin/terminal.h"

namespace district::admin {
namespace {

constexpr std::size_t kBarCells = 40;
constexpr std::string_view kFull = "█";
// Blocks that are filled from the left by one to seven eighths.
constexpr std::array<std::string_view, 7> kLeftEighths{"▏", "▎", "▍", "▌", "▋", "▊", "▉"};
constexpr std::array<std::string_view, 8> kHeights{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

// A bar of `cells` characters. A fraction is drawn in eighths.
std::string positive_bar(double cells) {
  const auto eighths = static_cast<std::size_t>(std::lround(cells * 8));
  std::string bar = repeated(kFull, eighths / 8);
  if (eighths % 8 > 0) bar += kLeftEighths[eighths % 8 - 1];
  // A value that is not zero must be visible.
  if (bar.empty() && cells > 0) bar = kLeftEighths[0];
  return bar;
}

std::string bar_of(double value, Range range) {
  const double span = range.high - range.low;
  if (span <= 0) return {};
  const double per_unit = static_cast<double>(kBarCells) / span;
  const auto zero = static_cast<std::size_t>(std::lround(-range.low * per_unit));
  if (value >= 0) return std::string(zero, ' ') + positive_bar(value * per_unit);
  const auto cells = std::clamp<std::size_t>(
      static_cast<std::size_t>(std::lround(-value * per_unit)), 1, std::max<std::size_t>(zero, 1));
  return std::string(zero - std::min(zero, cells), ' ') + repeated(kFull, cells);
}

}  // namespace

Range range_with_zero(const std::vector<std::optional<double>>& values) {
  Range range;
  for (const auto& value : values) {
    if (!value) continue;
    range.low = std::min(range.low, *value);
    range.high = std::max(range.high, *value);
  }
  return range;
}

int decimals_for(Range range) {
  const double largest = std::max(std::abs(range.low), std::abs(range.high));
  if (largest <= 0) return 0;
  constexpr int kDigits = 4;
  constexpr int kMostDecimals = 6;
  const int before_point = static_cast<int>(std::floor(std::log10(largest))) + 1;
  return std::clamp(kDigits - before_point, 0, kMostDecimals);
}

std::string sparkline(const std::vector<std::optional<double>>& values, Range range) {
  const double span = range.high - range.low;
  std::string line;
  for (const auto& value : values) {
    if (!value) {
      line += "·";
      continue;
    }
    const double share = span > 0 ? (*value - range.low) / span : 0;
    const auto height = static_cast<std::size_t>(std::clamp(std::floor(share * 8), 0.0, 7.0));
    line += kHeights[height];
  }
  return line;
}

void draw_bars(std::ostream& out, const std::vector<Bar>& bars, int decimals) {
  std::vector<std::optional<double>> values;
  std::vector<std::string> numbers;
  std::size_t label_width = 0;
  std::size_t number_width = 0;
  for (const auto& bar : bars) {
    values.push_back(bar.value);
    numbers.push_back(bar.value ? fixed(*bar.value, decimals) : "-");
    label_width = std::max(label_width, display_width(bar.label));
    number_width = std::max(number_width, numbers.back().size());
  }
  const Range range = range_with_zero(values);
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const auto& bar = bars[i];
    out << bar.label << std::string(label_width - display_width(bar.label), ' ') << "  "
        << std::string(number_width - numbers[i].size(), ' ') << numbers[i];
    std::string rest = bar.value ? bar_of(*bar.value, range) : std::string();
    if (!bar.remark.empty()) rest += (rest.empty() ? "" : " ") + printable(bar.remark);
    if (!rest.empty()) out << "  " << rest;
    out << '\n';
  }
}

}  // namespace district::admin
