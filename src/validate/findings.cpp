#include "validate/findings.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <string_view>

#include "base/limits.h"

namespace district::validate {
namespace {

constexpr std::size_t kPathBytesMax = 512;

void bound(std::string& text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return;
  std::size_t cut = bytes_max;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U)
    --cut;  // not within a character
  text.resize(cut);
}

struct Wording {
  std::string_view pattern, words;
};
// Of xsd/types.xsd; tests/validate/validator_test.cpp fails when they are another there.
constexpr std::array kWordings{
    Wording{
        R"([+\-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+\-]?[0-9]+)?)",
        "is not a finite number: write digits with a point, such as 0.0005 or 5.0E-4, and leave "
        "the element out where there is no value"},
    Wording{R"(....-..-..T..:..:..(\.[0-9]+)?(Z|[+\-]..:..))",
            "is not an instant with a zone: write it like 2018-03-01T11:00:00Z or "
            "2018-03-01T12:00:00+01:00"}};

}  // namespace

std::string in_words(std::string reason) {
  constexpr std::string_view kBefore = "is not accepted by the pattern '";
  for (const auto& [pattern, words] : kWordings) {
    const auto at = reason.find(std::string(kBefore).append(pattern));
    if (at != std::string::npos) return reason.substr(0, at).append(words);
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
