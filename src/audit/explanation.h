// One request as a file, through verify and validate without a server, with every step explained in
// plain sentences: for the people who write and run gateways.
// Threads: any; a call works for itself.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "crypto/certificate.h"
#include "model/envelope.h"
#include "trust/trust.h"
#include "validate/validator.h"
#include "verify/security_policy.h"

namespace district::audit {

struct RequestToExplain {
  Bytes octets;  // of the HTTP body, as it would be sent; gzip is seen by its first octets
  std::string content_type;  // empty: the one that fits the envelope
  std::string soap_action;
  Instant at{};  // the clock to judge by
  verify::Window window;
  std::optional<std::string> tenant;                  // that it is meant to be sent as
  std::shared_ptr<const trust::TrustSnapshot> trust;  // null: none to ask
  std::optional<crypto::Certificate> certificate;     // of the signer, where the message has none
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

// What a verifier and validation say of it, taken together.
struct Judgement {
  std::optional<Error> error;  // none: accepted
};

struct Explanation {
  std::vector<Step> steps;
  SoapVersion soap_version = SoapVersion::v11;
  Judgement server, auditor;  // the streaming verifier, and the one on a tree
  // Both accept it or both refuse it. Of several faults they may name different ones (ADR 0009).
  bool agree() const;
  // Neither refuses it, and no step is bad. Where trust was not asked, as if the certificate were
  // enrolled.
  bool accepted() const;
};

Explanation explain(const RequestToExplain& request, const validate::Validator& validator);

}  // namespace district::audit
