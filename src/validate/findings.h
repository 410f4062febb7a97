// The reasons why a request is not valid, collected so that a sender learns of several at once.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/limits.h"

namespace district::validate {

// libxml2's reason. If it is about a number or an instant, the text says what to write instead.
std::string in_words(std::string reason);

class Findings {
 public:
  // A path is kept from the request element on: the sender's application wrote nothing outside it.
  void add(ErrorCode code, Violation violation);
  // Adds the findings of `other` and keeps all in the order of their messages.
  void merge(const Findings& other);

  // Adds the findings of `other` for messages that have no finding here yet.
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
