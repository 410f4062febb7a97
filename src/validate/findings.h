// The reasons why a request is not valid, collected so that a sender learns of several at once.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/limits.h"

namespace district::validate {

// libxml2's reason, of a number or an instant by what to write instead.
std::string in_words(std::string reason);

class Findings {
 public:
  // Paths are told from the request element on, which is all that the sender's application wrote.
  void add(ErrorCode code, Violation violation);
  // Adds those of `other`, which were found beside these, in the order of messages.
  void merge(const Findings& other);

  // Adds those of `other` that are of messages about which these say nothing.
  void merge_of_other_messages(const Findings& other);

  bool empty() const { return found_.empty(); }
  std::size_t count() const { return found_.size(); }
  // At most limits::kViolationsMax are kept; then there is no use in looking further.
  bool full() const { return found_.size() >= limits::kViolationsMax; }
  // With the code of the first finding and all violations.
  Error error() const;

 private:
  struct Finding {
    ErrorCode code;
    Violation violation;
  };
  std::vector<Finding> found_;
};

}  // namespace district::validate
