#include "validate/findings.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <string_view>

#include "base/limits.h"
#include "base/number.h"
#include "base/text.h"
#include "base/time.h"
#include "base/utf8.h"

namespace district::validate {
namespace {

constexpr std::size_t kPathBytesMax = 512;

void bound(std::string& text, std::size_t bytes_max) { text.resize(cut(text, bytes_max).size()); }

constexpr std::string_view kNumber =
    "is not a finite number: write digits with a point, such as 0.0005 or 5.0E-4, and leave the "
    "element out where there is no value";
constexpr std::string_view kInstant =
    "is not an instant with a zone: write it like 2018-03-01T11:00:00Z or "
    "2018-03-01T12:00:00+01:00";

// What to write where a value is not of this type of xsd/types.xsd; empty for other types.
std::string_view words_of(std::string_view type) {
  constexpr std::array<std::string_view, 4> kNumbers{"Quantity", "PositiveQuantity",
                                                     "NonNegativeQuantity", "FiniteDouble"};
  type.remove_prefix(std::min(type.find('}') + 1, type.size()));  // "{namespace}local"
  if (std::ranges::find(kNumbers, type) != kNumbers.end()) return kNumber;
  return type == "ZonedDateTime" ? kInstant : std::string_view();
}

// The text between the last two quotes; empty if there are none.
std::string_view last_quoted(std::string_view text) {
  const auto end = text.rfind('\'');
  if (end == std::string_view::npos || end == 0) return {};
  const auto begin = text.rfind('\'', end - 1);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin + 1, end - begin - 1);
}

}  // namespace

// libxml2 writes "'1,5' is not a valid value of the atomic type 'Quantity'.". For NaN it writes
// that the value is greater than the largest one allowed.
std::string in_words(std::string reason) {
  const std::string_view text = reason;
  constexpr std::string_view kType = "is not a valid value of the atomic type '";
  if (const auto at = text.find(kType); at != std::string_view::npos) {
    const auto type = text.substr(at + kType.size());
    const auto words = words_of(type.substr(0, type.find('\'')));
    const auto value = trim_xml_space(last_quoted(text.substr(0, at)));
    const bool good = words == kNumber ? parse_finite_number(value).has_value()
                                       : parse_date_time(value).has_value();
    // If it is a finite number or an instant, another message of libxml2 says what is wrong with
    // it.
    return words.empty() || good ? reason : reason.substr(0, at).append(words);
  }
  constexpr std::string_view kPattern = "is not accepted by the pattern '";
  if (const auto at = text.find(kPattern); at != std::string_view::npos) {
    const auto pattern = text.substr(at + kPattern.size());
    if (pattern.starts_with("....-..-..T")) return reason.substr(0, at).append(kInstant);
    if (pattern.starts_with("[+\\-]?(")) return reason.substr(0, at).append(kNumber);
  }
  for (const std::string_view value : {"'NaN' is ", "'INF' is ", "'-INF' is "}) {
    const auto at = text.find(value);
    if (at == std::string_view::npos || text.find("value allowed", at) == std::string_view::npos)
      continue;
    return reason.substr(0, at + value.size() - 3).append(kNumber);
  }
  return reason;
}

void Findings::add(ErrorCode code, Violation violation) {
  if (full()) return;
  bound(violation.path, kPathBytesMax);
  violation.reason = in_words(std::move(violation.reason));
  bound(violation.reason, limits::kViolationReasonBytesMax);
  found_.push_back({code, std::move(violation)});
}

void Findings::merge(const Findings& other) {
  found_.insert(found_.end(), other.found_.begin(), other.found_.end());
  std::ranges::stable_sort(found_, {},
                           [](const Finding& finding) { return finding.violation.message_index; });
  if (found_.size() > limits::kViolationsMax) found_.resize(limits::kViolationsMax);
}

void Findings::merge_of_other_messages(const Findings& other) {
  std::set<std::size_t> told;
  for (const auto& finding : found_) told.insert(finding.violation.message_index);
  Findings rest;
  std::ranges::copy_if(other.found_, std::back_inserter(rest.found_), [&](const Finding& finding) {
    return !told.contains(finding.violation.message_index);
  });
  merge(rest);
}

Error Findings::error() const {
  const Violation& first = found_.front().violation;
  std::string detail = "message " + std::to_string(first.message_index) + ", " + first.path +
                       ", line " + std::to_string(first.line) + ": " + first.reason;
  if (found_.size() > 1) detail += " (and " + std::to_string(found_.size() - 1) + " more)";
  std::vector<Violation> violations;
  for (const auto& finding : found_) violations.push_back(finding.violation);
  return Error{found_.front().code, std::move(detail), {}, std::move(violations), {}};
}

}  // namespace district::validate
