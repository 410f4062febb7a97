#include "primitives.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <vector>

#include "base/c_handle.h"
#include "measurement.h"

namespace district::bench {
namespace {

using Key = CHandle<EVP_PKEY, EVP_PKEY_free>;
using Digest = CHandle<EVP_MD_CTX, EVP_MD_CTX_free>;
using Cipher = CHandle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using Certificate = CHandle<X509, X509_free>;
using TlsContext = CHandle<SSL_CTX, SSL_CTX_free>;
using Tls = CHandle<SSL, SSL_free>;
using Octets = std::vector<unsigned char>;
using Json = nlohmann::ordered_json;

double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// Milliseconds of CPU of one call; -1 when one fails.
double time_of(double seconds, const std::function<bool()>& once) {
  if (!once()) return -1;
  const double begin = cpu_seconds();
  std::size_t calls = 0;
  double used = 0;
  while (used < seconds) {
    if (!once()) return -1;
    ++calls;
    used = cpu_seconds() - begin;
  }
  return 1000 * used / static_cast<double>(calls);
}

bool sign(EVP_PKEY* key, const Octets& data, Octets& signature) {
  const Digest digest{::EVP_MD_CTX_new()};
  std::size_t size = signature.size();
  return ::EVP_DigestSignInit(digest.get(), nullptr, ::EVP_sha256(), nullptr, key) == 1 &&
         ::EVP_DigestSign(digest.get(), signature.data(), &size, data.data(), data.size()) == 1 &&
         (signature.resize(size), true);
}

bool verify(EVP_PKEY* key, const Octets& data, const Octets& signature) {
  const Digest digest{::EVP_MD_CTX_new()};
  return ::EVP_DigestVerifyInit(digest.get(), nullptr, ::EVP_sha256(), nullptr, key) == 1 &&
         ::EVP_DigestVerify(digest.get(), signature.data(), signature.size(), data.data(),
                            data.size()) == 1;
}

// Signing and verifying a SignedInfo.
void add_signatures(Json& json, const std::string& name, EVP_PKEY* key, double seconds) {
  const Octets data(1000, 'x');
  Octets signature;
  json[name + "_sign_ms"] = rounded(time_of(seconds, [&] {
    signature.resize(512);
    return sign(key, data, signature);
  }));
  json[name + "_verify_ms"] =
      rounded(time_of(seconds, [&] { return verify(key, data, signature); }));
}

// Milliseconds for a megabyte in pieces of 16 KiB.
double digest_ms_per_mb(double seconds) {
  const Octets data(16 * 1024, 'x');
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  const double each = time_of(seconds, [&] {
    unsigned size = 0;
    return ::EVP_Digest(data.data(), data.size(), out.data(), &size, ::EVP_sha256(), nullptr) == 1;
  });
  return each * 1e6 / static_cast<double>(data.size());
}

double cipher_ms_per_mb(double seconds) {
  const Octets data(16 * 1024, 'x');
  Octets out(data.size() + 16);
  const std::array<unsigned char, 32> key{};
  const std::array<unsigned char, 12> nonce{};
  const Cipher cipher{::EVP_CIPHER_CTX_new()};
  const double each = time_of(seconds, [&] {
    int size = 0;
    return ::EVP_EncryptInit_ex(cipher.get(), ::EVP_aes_256_gcm(), nullptr, key.data(),
                                nonce.data()) == 1 &&
           ::EVP_EncryptUpdate(cipher.get(), out.data(), &size, data.data(),
                               static_cast<int>(data.size())) == 1 &&
           ::EVP_EncryptFinal_ex(cipher.get(), out.data() + size, &size) == 1;
  });
  return each * 1e6 / static_cast<double>(data.size());
}

Certificate self_signed(EVP_PKEY* key) {
  Certificate certificate{::X509_new()};
  ::X509_gmtime_adj(::X509_getm_notBefore(certificate.get()), -1);
  ::X509_gmtime_adj(::X509_getm_notAfter(certificate.get()), 3600);
  ::X509_set_pubkey(certificate.get(), key);
  ::X509_sign(certificate.get(), key, ::EVP_sha256());
  return certificate;
}

// The server's side only of a full TLS 1.3 handshake with a P-256 certificate, without sockets.
double handshake_ms(EVP_PKEY* key, double seconds) {
  const TlsContext server{::SSL_CTX_new(::TLS_server_method())};
  const TlsContext client{::SSL_CTX_new(::TLS_client_method())};
  const Certificate certificate = self_signed(key);
  if (::SSL_CTX_use_certificate(server.get(), certificate.get()) != 1 ||
      ::SSL_CTX_use_PrivateKey(server.get(), key) != 1) {
    return -1;
  }
  double used = 0;
  std::size_t calls = 0;
  while (used < seconds) {
    const Tls there{::SSL_new(server.get())};
    const Tls here{::SSL_new(client.get())};
    BIO* one = nullptr;
    BIO* other = nullptr;
    if (::BIO_new_bio_pair(&one, 0, &other, 0) != 1) return -1;
    ::SSL_set_bio(there.get(), one, one);
    ::SSL_set_bio(here.get(), other, other);
    bool done = false;
    for (int step = 0; step < 20 && !done; ++step) {
      const bool client_done = ::SSL_connect(here.get()) == 1;
      const double begin = cpu_seconds();
      const bool server_done = ::SSL_accept(there.get()) == 1;
      used += cpu_seconds() - begin;
      done = client_done && server_done;
    }
    if (!done) return -1;
    ++calls;
  }
  return 1000 * used / static_cast<double>(calls);
}

// Elapsed milliseconds of writing 4 KiB to the end of a file and waiting for the disk.
Result<double> sync_ms(const std::string& folder, double seconds) {
  const std::string path = folder + "/sync-measurement";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return fail(ErrorCode::file_unreadable, "cannot write into " + folder);
  ::unlink(path.c_str());
  const std::array<char, 4096> block{};
  const auto begin = std::chrono::steady_clock::now();
  std::size_t calls = 0;
  Seconds elapsed{};
  bool good = true;
  while (good && elapsed.count() < seconds) {
    good = ::write(file, block.data(), block.size()) == static_cast<ssize_t>(block.size()) &&
           ::fdatasync(file) == 0;
    ++calls;
    elapsed = std::chrono::steady_clock::now() - begin;
  }
  ::close(file);
  if (!good) return fail(ErrorCode::file_unreadable, "cannot write to the disk of " + folder);
  return 1000 * elapsed.count() / static_cast<double>(calls);
}

}  // namespace

Result<Json> measure_primitives(const std::string& folder, double seconds_each) {
  const Key rsa{::EVP_RSA_gen(2048)};
  const Key p256{::EVP_EC_gen("P-256")};
  if (!rsa || !p256) return fail(ErrorCode::internal, "OpenSSL: cannot make keys");
  Json json;
  add_signatures(json, "rsa2048", rsa.get(), seconds_each);
  add_signatures(json, "p256", p256.get(), seconds_each);
  json["sha256_ms_per_mb"] = rounded(digest_ms_per_mb(seconds_each));
  json["aes256_gcm_ms_per_mb"] = rounded(cipher_ms_per_mb(seconds_each));
  json["tls_handshake_ms"] = rounded(handshake_ms(p256.get(), seconds_each));
  DISTRICT_TRY(const double sync, sync_ms(folder, seconds_each));
  json["fdatasync_elapsed_ms"] = rounded(sync);
  return json;
}

}  // namespace district::bench
