// X.509 certificates, by OpenSSL, without its types in this header.
// Source: RFC 5280. Threads: objects are immutable; any thread may use them.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"
#include "crypto/digest.h"
#include "crypto/key.h"

namespace district::crypto {

class Certificate {
 public:
  // Exactly one certificate, strict DER, nothing after it. Errors: token_invalid.
  static Result<Certificate> from_der(ByteView der);
  // An X.509 PkiPath (X.509 Token Profile 1.1 section 3.1): SEQUENCE OF Certificate, each but the
  // first with the one before it as its issuer; the signer's is the last. Whether the issuers
  // signed them is for the caller to ask, since it is dear: signed_by(). Errors: token_invalid.
  static Result<std::vector<Certificate>> from_pki_path(ByteView der, std::size_t certificates_max);
  // SHA-256 of a DER certificate, before it is decoded.
  static Sha256Digest fingerprint(ByteView der);
  // The one of a signer in a PEM text, wherever it stands among those of its authorities; these may
  // be of kinds that are not read, such as Ed25519. `file`: its name, for hints.
  // Errors: token_invalid, also where it is not clear which one that is; it names what the text is
  // where it is none, with how to make PEM of it, and the certificates that were not read.
  static Result<Certificate> from_pem(std::string_view pem, const std::string& file = "FILE");
  // Errors: file_unreadable, token_invalid.
  static Result<Certificate> from_pem_file(const std::string& path);

  const Bytes& der() const;
  std::string pem() const;
  const Sha256Digest& sha256() const;             // of the DER
  const std::array<std::byte, 20>& sha1() const;  // of the DER
  const std::string& subject() const;             // RFC 2253
  const std::string& issuer() const;              // RFC 2253
  const std::string& serial_decimal() const;      // as ds:X509SerialNumber writes it
  const Bytes& issuer_der() const;                // the Name, for an exact comparison
  const std::optional<Bytes>& subject_key_identifier() const;
  // What others take for one: SHA-1 of the public key's bits, the usual way to make a key
  // identifier (RFC 5280 section 4.2.1.2), and the issuer's key identifier.
  Bytes key_sha1() const;
  std::optional<Bytes> authority_key_identifier() const;
  Instant not_before() const;
  Instant not_after() const;
  // RFC 5280 section 4.2.1.3: true when there is no keyUsage extension or it has digitalSignature.
  bool may_sign() const;
  // What makes it an authority's, for people; empty: it is a signer's. "CA:TRUE" (RFC 5280 section
  // 4.2.1.9), or what others take for that where there are no basic constraints.
  const std::string& authority_mark() const;
  bool is_authority() const { return !authority_mark().empty(); }
  const PublicKey& public_key() const;
  // Whether `text`, a ds:X509IssuerName in RFC 2253 or 4514 spelling (any order of escapes, spaces
  // after commas, OpenSSL's and Java's names of attributes), means this issuer.
  bool issuer_matches(std::string_view text) const;
  // Whether this certificate's issuer is `issuer`, by name; and whether its key signed it.
  bool names_issuer(const Certificate& issuer) const;
  bool signed_by(const Certificate& issuer) const;

 private:
  friend class WrittenName;
  struct State;
  std::shared_ptr<const State> state_;
};

// A name that somebody wrote for a certificate's, read once: to explain what is wrong with it.
class WrittenName {
 public:
  explicit WrittenName(std::string_view text);
  bool readable() const;  // as a distinguished name, also where it is written with slashes
  bool slashed() const;   // "/C=ES/CN=x", which issuer_matches() does not accept
  bool is_issuer_of(const Certificate& certificate) const;
  bool is_subject_of(const Certificate& certificate) const;
  bool has_parts_of_issuer_of(const Certificate& certificate) const;  // in any order

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace district::crypto
