// Takes a request in a file through verify and validate without a server, and explains every step
// in plain sentences, for the people who write and run gateways.
// Threads: any; calls share nothing.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "crypto/certificate.h"
#include "model/envelope.h"
#include "trust/snapshot.h"
#include "validate/validator.h"
#include "verify/security_policy.h"

namespace district::audit {

struct RequestToExplain {
  Bytes octets;  // the HTTP body as it would be sent; gzip is recognised by its first octets
  std::string content_type;  // empty: the one that fits the envelope
  std::string soap_action;
  Instant at{};  // the clock to judge by
  verify::Window window;
  std::optional<std::string> tenant;                  // the one that it is to be sent for
  std::shared_ptr<const trust::TrustSnapshot> trust;  // null: not known
  std::optional<crypto::Certificate> certificate;     // the signer's, if the message has none
};

enum class Finding { good, bad, note, not_checked };

struct Step {
  std::string name;  // a word for programs: "window"
  std::string title;
  Finding finding = Finding::good;
  std::string text;                // what was found, in a sentence
  std::vector<std::string> more;   // each a sentence or line: reasons, places
  std::vector<std::string> hints;  // what to do
};

// The result of a verifier and of validation, taken together.
struct Judgement {
  std::optional<Error> error;  // none: accepted
};

struct Explanation {
  std::vector<Step> steps;
  SoapVersion soap_version = SoapVersion::v11;
  Judgement server, auditor;  // the streaming verifier, and the one on a tree
  // Whether both accept it or both refuse it. When it has several faults they may name different
  // ones (ADR 0009).
  bool agree() const;
  // Whether neither refuses it, and no step is bad. Without trust it is judged as if the
  // certificate were enrolled.
  bool accepted() const;
};

Explanation explain(const RequestToExplain& request, const validate::Validator& validator);

}  // namespace district::audit
