#include "base/near_name.h"

#include <algorithm>
#include <vector>

namespace district {
namespace {

// Names are compared in time that grows with the product of their lengths.
constexpr std::size_t kLettersMax = 64;

std::string letters_of(std::string_view name) {
  std::string letters;
  for (const char c : name) {
    if (c == ' ' || c == '-' || c == '_') continue;
    letters += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return letters;
}

// Edits from one to the other, a swap of neighbours being one (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> edits(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) edits[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) edits[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      edits[i][j] = std::min({edits[i - 1][j] + 1, edits[i][j - 1] + 1,
                              edits[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) edits[i][j] = std::min(edits[i][j], edits[i - 2][j - 2] + 1);
    }
  }
  return edits[a.size()][b.size()];
}

}  // namespace

std::string nearest_name(std::string_view name, std::span<const std::string> known) {
  constexpr std::size_t kBeginningMin = 4;
  const auto wanted = letters_of(name);
  if (wanted.empty() || wanted.size() > kLettersMax) return {};
  std::string best;
  std::size_t fewest = 0;
  for (const std::string& candidate : known) {
    if (candidate.starts_with('-') != name.starts_with('-')) continue;  // options and names
    const auto letters = letters_of(candidate);
    if (letters.empty() || letters.size() > kLettersMax) continue;
    const auto edits = distance(wanted, letters);
    const bool begins = std::min(wanted.size(), letters.size()) >= kBeginningMin &&
                        (wanted.starts_with(letters) || letters.starts_with(wanted));
    if (!begins && edits * 3 > std::max(wanted.size(), letters.size())) continue;
    if (!best.empty() && edits >= fewest) continue;
    best = candidate;
    fewest = edits;
  }
  return best;
}

std::string did_you_mean(std::string_view name, std::span<const std::string> known) {
  const auto near = nearest_name(name, known);
  return near.empty() ? std::string() : ", did you mean " + near + "?";
}

std::string meant_hint(std::string_view name, std::span<const std::string> known,
                       std::array<std::string_view, 2> quotes) {
  const auto near = nearest_name(name, known);
  if (near.empty()) return {};
  return "did you mean " + std::string(quotes[0]) + near + std::string(quotes[1]) + "? ";
}

}  // namespace district
