#include "validate/findings.h"

#include <algorithm>
#include <iterator>
#include <set>

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

}  // namespace

void Findings::add(ErrorCode code, Violation violation) {
  if (full()) return;
  bound(violation.path, kPathBytesMax);
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
