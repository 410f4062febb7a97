#include "base/nearest.h"

#include <algorithm>

namespace district {
namespace {

// Nobody misspells more; the cost grows with its square.
constexpr std::size_t kWordOctetsMax = 64;

std::string folded(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '_') c = '-';
  }
  return result;
}

// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t other = a[i - 1] == b[j - 1] ? 0 : 1;
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + other});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) now[j] = std::min(now[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(now);
  }
  return last[b.size()];
}

}  // namespace

std::optional<std::string> nearest_of(std::string_view word,
                                      const std::vector<std::string>& known) {
  if (word.empty() || word.size() > kWordOctetsMax) return std::nullopt;
  const auto asked = folded(word);
  std::optional<std::string> nearest;
  // A third of the letters may be wrong; of a short word one.
  std::size_t nearer_than = std::max<std::size_t>(1, asked.size() / 3) + 1;
  for (const auto& each : known) {
    if (each.size() > kWordOctetsMax) continue;
    const auto away = distance(asked, folded(each));
    if (away >= nearer_than) continue;
    nearer_than = away;
    nearest = each;
  }
  return nearest;
}

}  // namespace district
