// Checks the server's answer as a proof: its signature, what the signature covers, and that it
// answers our request. Source: docs/reference/contract.md section 7; WSS 1.1 sections 8 and 8.5;
// XML Signature Best Practices, "see what is signed".
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "crypto/certificate.h"
#include "xml/document.h"

namespace district::gateway {

// The Body of an answer whose signature covers it; `document` keeps it alive.
struct SignedAnswer {
  std::shared_ptr<const xml::Document> document;
  xml::Element body;
};

// Knows who may sign receipts: the named certificates or, when none is named, any that the
// authority issued for the server's host. A pilot's certificate from the same authority names no
// host, so it may not.
// Threads: any.
class AnswerVerifier {
 public:
  // A file may hold a chain; the authorities in it are left out.
  // Errors: file_unreadable, token_invalid; gateway_input when a file has no signer.
  static Result<AnswerVerifier> create(const std::vector<std::string>& certificate_files,
                                       const std::string& ca_file, const std::string& host);

  // Demands one signature with a SHA-2 algorithm, by a trusted certificate that is valid at `now`.
  // It must cover the Body, the Timestamp and the one SignatureConfirmation, which must be
  // `request_signature` (base64). The Timestamp must be fresh at `now`. Errors:
  // gateway_receipt_invalid, with what is wrong.
  Result<SignedAnswer> verify(std::string_view octets, std::string_view charset,
                              std::string_view request_signature, Instant now) const;

 private:
  AnswerVerifier() = default;
  Result<Ok> check_signer(const crypto::Certificate& certificate, Instant now) const;
  Result<Ok> check_issued_for_host(const crypto::Certificate& certificate) const;

  std::vector<crypto::Certificate> named_;
  std::string ca_file_;
  std::string host_;
};

}  // namespace district::gateway
