// Collects the steps of an explanation, and shows parts of a message in them.
// Private to audit/.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/explanation.h"
#include "base/error.h"
#include "crypto/certificate.h"
#include "model/envelope.h"
#include "model/trust.h"
#include "xml/document.h"
#include "xml/dsig.h"

namespace district::audit {

// `name` is a word for programs, `title` is for people.
class Steps {
 public:
  Step& add(const char* name, const char* title, Finding finding, std::string text);
  Step& add_error(const char* name, const char* title, const Error& error);
  void not_checked(const char* name, const char* title, const std::string& why);

  std::vector<Step> take() { return std::move(steps_); }

 private:
  std::vector<Step> steps_;
};

using ParsedDocument = Result<std::shared_ptr<const xml::Document>>;

// The message to be explained, as far as it is known by now.
struct ExaminedMessage {
  const RequestToExplain& asked;
  Steps steps;
  RawEnvelope raw;
  ParsedDocument parsed;
  xml::Element security, signature, body;
  xml::Ids ids;
  std::optional<xml::SignatureParts> parts;  // where the signature has the profile's form
  std::optional<crypto::Certificate> certificate;

  const xml::Document& document() const { return **parsed; }
};

// What follows the last # or / of an algorithm's URI.
std::string short_name(std::string_view uri);
// The beginning of what a peer wrote.
std::string excerpt(std::string_view text);
// An enrolment as if the certificate were enrolled, with everything allowed.
Enrolment assumed_enrolment(const crypto::Certificate& certificate, const std::string& tenant);

}  // namespace district::audit
