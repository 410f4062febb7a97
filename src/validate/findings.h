// The reasons why a request is not valid, collected so that a sender learns of several at once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "xml/document.h"

namespace district::validate {

class Findings {
 public:
  // Paths are told from the request element on, which is all that the sender's application wrote.
  explicit Findings(xml::Element request) : request_(request) {}

  void add(ErrorCode code, std::size_t message_index, xml::Element at, std::string reason);
  // From xml::Schema, whose paths start at the document's root; the message's index is read off
  // them.
  void add(ErrorCode code, std::vector<Violation> violations);

  bool empty() const { return violations_.empty(); }
  // At most limits::kViolationsMax are kept; then there is no use in looking further.
  bool full() const;
  // With the code of the first finding and all violations.
  Error error() const;

 private:
  void keep(ErrorCode code, Violation violation);

  xml::Element request_;
  ErrorCode code_ = ErrorCode::schema_invalid;
  std::vector<Violation> violations_;
};

}  // namespace district::validate
