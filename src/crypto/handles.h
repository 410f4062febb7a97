// Owners of OpenSSL objects. Private to crypto/.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <string>

#include "base/c_handle.h"

namespace district::crypto {

using X509Cert = CHandle<X509, X509_free>;
using EvpKey = CHandle<EVP_PKEY, EVP_PKEY_free>;
using EvpDigest = CHandle<EVP_MD_CTX, EVP_MD_CTX_free>;
using Bio = CHandle<BIO, BIO_free_all>;
using BigNumber = CHandle<BIGNUM, BN_free>;
using EcdsaSignature = CHandle<ECDSA_SIG, ECDSA_SIG_free>;
using X509Serial = CHandle<ASN1_INTEGER, ASN1_INTEGER_free>;

// OpenSSL's queue of errors as one line, emptied.
std::string openssl_errors();

}  // namespace district::crypto
