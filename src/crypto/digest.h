// Digests and random octets. Source: FIPS 180-4; all by OpenSSL.
// Threads: every function may be called from any thread.
#pragma once

#include <array>
#include <initializer_list>
#include <memory>

#include "base/bytes.h"

struct evp_md_st;

namespace district::crypto {

enum class HashAlgorithm { sha1, sha256, sha384, sha512 };
// OpenSSL's implementation, looked up once: it would look it up at each use of EVP_sha256().
const evp_md_st* digest_method(HashAlgorithm hash);

Sha256Digest sha256(ByteView data);
// Of the concatenation of the parts.
Sha256Digest sha256(std::initializer_list<ByteView> parts);

// SHA-256 of data that comes in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(ByteView data);
  Sha256Digest finish();  // once

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// SHA-1, only to look up a certificate by ThumbprintSHA1 (X.509 Token Profile 1.1 section 3.2.1).
std::array<std::byte, 20> sha1(ByteView data);

// From the system's generator, for identifiers and nonces.
void fill_random(std::span<std::byte> out);

// Equal without telling by time where they differ.
bool equal_constant_time(ByteView a, ByteView b);

}  // namespace district::crypto
