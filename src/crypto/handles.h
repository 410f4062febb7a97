// Owners of OpenSSL objects. Private to crypto/.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <string>

#include "base/bytes.h"
#include "base/c_handle.h"

namespace district::crypto {

using X509Cert = CHandle<X509, X509_free>;
using EvpKey = CHandle<EVP_PKEY, EVP_PKEY_free>;
using EvpDigest = CHandle<EVP_MD_CTX, EVP_MD_CTX_free>;
using Bio = CHandle<BIO, BIO_free_all>;
using BigNumber = CHandle<BIGNUM, BN_free>;
using EcdsaSignature = CHandle<ECDSA_SIG, ECDSA_SIG_free>;
using X509Serial = CHandle<ASN1_INTEGER, ASN1_INTEGER_free>;

// The DER of an object, by OpenSSL's function for its type (i2d_X509, ...). Empty: it has none.
template <typename T, typename Encode>
Bytes encode(const T* object, Encode encoder) {
  unsigned char* octets = nullptr;
  const int length = encoder(object, &octets);
  if (length <= 0) return {};
  const auto* first = reinterpret_cast<const std::byte*>(octets);
  Bytes bytes(first, first + length);
  ::OPENSSL_free(octets);
  return bytes;
}

// OpenSSL's queue of errors as one line, emptied.
std::string openssl_errors();

}  // namespace district::crypto
