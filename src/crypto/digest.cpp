#include "crypto/digest.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <cstdlib>

#include "crypto/handles.h"

namespace district::crypto {
namespace {

// OpenSSL fails here only when it has no memory or no algorithms at all: nothing can go on then.
void demand(bool good) {
  if (!good) ::abort();
}

}  // namespace

std::string openssl_errors() {
  std::string text;
  for (unsigned long code = ::ERR_get_error(); code != 0; code = ::ERR_get_error()) {
    char line[256];
    ::ERR_error_string_n(code, line, sizeof line);
    if (!text.empty()) text += "; ";
    text += line;
  }
  return text.empty() ? "no reason given by OpenSSL" : text;
}

const evp_md_st* digest_method(HashAlgorithm hash) {
  static const std::array methods = {
      ::EVP_MD_fetch(nullptr, "SHA1", nullptr), ::EVP_MD_fetch(nullptr, "SHA256", nullptr),
      ::EVP_MD_fetch(nullptr, "SHA384", nullptr), ::EVP_MD_fetch(nullptr, "SHA512", nullptr)};
  const EVP_MD* method = methods[static_cast<std::size_t>(hash)];
  demand(method != nullptr);
  return method;
}

struct Sha256::State {
  EvpDigest context{::EVP_MD_CTX_new()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  demand(state_->context &&
         ::EVP_DigestInit_ex(state_->context.get(), digest_method(HashAlgorithm::sha256),
                             nullptr) == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(ByteView data) {
  demand(::EVP_DigestUpdate(state_->context.get(), data.data(), data.size()) == 1);
}

Sha256Digest Sha256::finish() {
  Sha256Digest digest;
  demand(::EVP_DigestFinal_ex(state_->context.get(),
                              reinterpret_cast<unsigned char*>(digest.data()), nullptr) == 1);
  return digest;
}

Sha256Digest sha256(ByteView data) { return sha256({data}); }

Sha256Digest sha256(std::initializer_list<ByteView> parts) {
  Sha256 hash;
  for (const ByteView part : parts) hash.update(part);
  return hash.finish();
}

std::array<std::byte, 20> sha1(ByteView data) {
  std::array<std::byte, 20> digest;
  demand(::EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(digest.data()),
                      nullptr, digest_method(HashAlgorithm::sha1), nullptr) == 1);
  return digest;
}

void fill_random(std::span<std::byte> out) {
  demand(::RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size())) ==
         1);
}

bool equal_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && ::CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace district::crypto
