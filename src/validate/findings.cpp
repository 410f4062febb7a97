#include "validate/findings.h"

#include <charconv>

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

// /messages/message[7]/head is about message 7; without a number there is only one message.
std::size_t message_index_of(std::string_view path) {
  constexpr std::string_view kMessage = "/messages/message";
  if (!path.starts_with(kMessage)) return 0;
  path.remove_prefix(kMessage.size());
  if (path.empty() || path.front() == '/') return 1;
  std::size_t index = 0;
  if (path.front() == '[') std::from_chars(path.data() + 1, path.data() + path.size(), index);
  return index;
}

}  // namespace

void Findings::add(ErrorCode code, std::size_t message_index, xml::Element at, std::string reason) {
  if (full()) return;
  keep(code, {message_index, at.path_from(request_), at.line(), std::move(reason)});
}

void Findings::add(ErrorCode code, std::vector<Violation> violations) {
  const std::string request_path = request_.path_from({});
  for (Violation& violation : violations) {
    if (violation.path.starts_with(request_path)) violation.path.erase(0, request_path.size());
    violation.message_index = message_index_of(violation.path);
    if (violation.path.empty()) violation.path = "/";
    keep(code, std::move(violation));
  }
}

bool Findings::full() const { return violations_.size() >= limits::kViolationsMax; }

void Findings::keep(ErrorCode code, Violation violation) {
  if (full()) return;
  if (violations_.empty()) code_ = code;
  bound(violation.path, kPathBytesMax);
  bound(violation.reason, limits::kViolationReasonBytesMax);
  violations_.push_back(std::move(violation));
}

Error Findings::error() const {
  const Violation& first = violations_.front();
  std::string detail = "message " + std::to_string(first.message_index) + ", " + first.path +
                       ", line " + std::to_string(first.line) + ": " + first.reason;
  if (violations_.size() > 1)
    detail += " (and " + std::to_string(violations_.size() - 1) + " more)";
  return Error{code_, std::move(detail), {}, violations_, {}};
}

}  // namespace district::validate
