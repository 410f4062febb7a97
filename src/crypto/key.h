// RSA and EC keys, public and private, and the signatures that they make and verify; by OpenSSL,
// without its types in this header.
// Threads: objects are immutable; any thread may use them.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/digest.h"
#include "model/envelope.h"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY, for xml/ to hand to xmlsec1

namespace district::crypto {

class Certificate;

// A public key with what policy asks of it.
class PublicKey {
 public:
  KeyFamily family() const;
  std::size_t bits() const;          // of the RSA modulus or of the curve's order
  const std::string& curve() const;  // OpenSSL's short name, e.g. prime256v1; empty for RSA
  const Bytes& spki_der() const;     // SubjectPublicKeyInfo
  // PKCS#1 v1.5 for RSA (RFC 8017 section 8.2; the value must have the modulus' length), r||s for
  // ECDSA (XMLDSig 1.1 section 6.4.3): two halves of the same width, at most that of the order.
  bool verify(HashAlgorithm hash, ByteView data, ByteView signature) const;
  evp_pkey_st* native() const;

 private:
  friend class Certificate;
  friend class PrivateKey;
  // Takes the key over, also where it fails. Errors: token_invalid.
  static Result<PublicKey> adopt(evp_pkey_st* key);

  struct State;
  std::shared_ptr<const State> state_;
};

// How strong the key of anyone who signs must be (docs/reference/contract.md section 5): RSA of
// 2048 to 8192 bits with a bounded exponent, ECDSA on P-256, P-384, P-521. Errors: token_invalid.
Result<Ok> check_strength(const PublicKey& key);

class PrivateKey {
 public:
  // PEM, PKCS#8 or traditional, unencrypted. Errors: file_unreadable, config_invalid, which names
  // what the file is.
  static Result<PrivateKey> from_pem_file(const std::string& path);
  KeyFamily family() const;
  const PublicKey& public_key() const;
  bool matches(const Certificate& certificate) const;
  // RSA PKCS#1 v1.5 or ECDSA as r||s. Errors: signing_failed.
  Result<Bytes> sign(HashAlgorithm hash, ByteView data) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace district::crypto
