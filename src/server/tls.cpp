#include "server/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <boost/asio/ssl/error.hpp>
#include <fstream>
#include <string>
#include <string_view>

#include "base/c_handle.h"
#include "crypto/certificate.h"
#include "crypto/key_pair.h"

namespace district::server {
namespace {

namespace ssl = boost::asio::ssl;
using Context = std::shared_ptr<ssl::context>;

// The server's order counts. DHE comes last and is for Windows Server 2012, which has AEAD with an
// RSA certificate in no other way.
constexpr const char* kTls13Suites =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kModernSuites =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384";
// For Java 7. No DHE with CBC: its Diffie-Hellman ends at 1024 bits.
constexpr const char* kLegacySuites =
    ":ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"
    "ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:AES128-SHA";
constexpr const char* kGroups = "X25519:P-256:P-384:P-521:ffdhe2048:ffdhe3072";
// Of what is signed in a handshake from TLS 1.2 on; before it there is no choice.
constexpr const char* kSignatures =
    "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:"
    "RSA+SHA256:RSA+SHA384:RSA+SHA512";
// RSA 2048 and its like. At 0 only what the lists above name counts.
constexpr int kModernSecurityLevel = 2, kLegacySecurityLevel = 0;
// A client's key is checked before we know whether it is enrolled: its cost is bounded.
constexpr int kClientKeyBitsMax = 8192;
constexpr long kTicketSeconds = 2 * 60 * 60;
// In our order (RFC 7301).
constexpr std::string_view kProtocols[] = {"http/1.1", "http/1.0"};

tl::unexpected<Error> unusable(const std::string& key, const std::filesystem::path& file,
                               const std::string& why) {
  return fail(ErrorCode::file_unreadable, "cannot use " + key + " " + file.string() + ": " + why,
              "set " + key + " to a PEM file that this user may read");
}

// Where the file is of another kind, says which.
template <typename T>
Result<Ok> known_kind(const std::string& key, const Result<T>& read) {
  if (read) return Ok{};
  return fail(ErrorCode::config_invalid, "cannot use " + key + " " + read.error().detail,
              read.error().hint);
}

tl::unexpected<Error> does_not_belong(const CertificateFiles& files) {
  const auto pair = crypto::read_key_pair(files.certificate.string(), files.key.string());
  if (pair) {
    return fail(ErrorCode::config_invalid,
                "the TLS key " + files.key.string() +
                    " does not belong to the first certificate of " + files.certificate.string() +
                    ", but to " + pair->certificate.subject(),
                "put the server's own certificate first, and those of its authorities behind it");
  }
  return fail(
      ErrorCode::config_invalid,
      "the TLS key " + files.key.string() + " does not belong to " + files.certificate.string(),
      "tls." + files.name + "key must be the private key of the first certificate in tls." +
          files.name + "certificate");
}

bool can_open(const std::filesystem::path& file) { return std::ifstream(file).is_open(); }

Result<Ok> use_certificate(ssl::context& context, const CertificateFiles& files) {
  const auto certificate = "tls." + files.name + "certificate";
  const auto key = "tls." + files.name + "key";
  boost::system::error_code error;
  if (!can_open(files.certificate))
    return unusable(certificate, files.certificate, "cannot be opened");
  if (!can_open(files.key)) return unusable(key, files.key, "cannot be opened");
  context.use_certificate_chain_file(files.certificate.string(), error);
  if (error) {
    // OpenSSL only says that it found none.
    DISTRICT_CHECK(
        known_kind(certificate, crypto::Certificate::from_pem_file(files.certificate.string())));
    return unusable(certificate, files.certificate, error.message());
  }
  context.use_private_key_file(files.key.string(), ssl::context::pem, error);
  // OpenSSL keeps a key of another type than the certificate's apart, and says nothing.
  const bool of_one_type = ::SSL_CTX_check_private_key(context.native_handle()) == 1;
  if (!error) return of_one_type ? Result<Ok>(Ok{}) : does_not_belong(files);
  DISTRICT_CHECK(known_kind(key, crypto::PrivateKey::from_pem_file(files.key.string())));
  const bool other_key =
      ERR_GET_REASON(static_cast<unsigned long>(error.value())) == X509_R_KEY_VALUES_MISMATCH;
  if (other_key) return does_not_belong(files);
  return unusable(key, files.key, error.message());
}

// How many certificates OpenSSL has complete with their keys: one for each type of key.
std::size_t complete_pairs(SSL_CTX* native) {
  std::size_t count = 0;
  for (long which = SSL_CERT_SET_FIRST; ::SSL_CTX_set_current_cert(native, which) == 1;
       which = SSL_CERT_SET_NEXT) {
    ++count;
  }
  return count;
}

Result<Ok> use_certificates(ssl::context& context, std::span<const CertificateFiles> certificates) {
  // Else OpenSSL would ask for a passphrase on the terminal.
  boost::system::error_code ignored;
  context.set_password_callback([](auto, auto) { return std::string(); }, ignored);
  for (const auto& files : certificates) {
    DISTRICT_CHECK(use_certificate(context, files));
  }
  if (complete_pairs(context.native_handle()) == certificates.size()) return Ok{};
  return fail(ErrorCode::config_invalid,
              "tls.certificate and tls.second_certificate have keys of the same type",
              "of tls.certificate and tls.second_certificate one is for RSA, the other for ECDSA");
}

bool set_profile(SSL_CTX* native, TlsProfile profile) {
  const bool modern = profile == TlsProfile::modern;
  std::string suites(kModernSuites);
  if (!modern) suites += kLegacySuites;
  // First, since it decides which of the others are taken.
  ::SSL_CTX_set_security_level(native, modern ? kModernSecurityLevel : kLegacySecurityLevel);
  ::SSL_CTX_set_options(
      native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  ::SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  ::SSL_CTX_set_dh_auto(native, 1);
  return ::SSL_CTX_set_min_proto_version(native, modern ? TLS1_2_VERSION : TLS1_VERSION) == 1 &&
         ::SSL_CTX_set_max_proto_version(native, TLS1_3_VERSION) == 1 &&
         ::SSL_CTX_set_cipher_list(native, suites.c_str()) == 1 &&
         ::SSL_CTX_set_ciphersuites(native, kTls13Suites) == 1 &&
         ::SSL_CTX_set1_groups_list(native, kGroups) == 1 &&
         ::SSL_CTX_set1_sigalgs_list(native, kSignatures) == 1 &&
         ::SSL_CTX_set1_client_sigalgs_list(native, kSignatures) == 1;
}

// Sessions are resumed by tickets, which cost the server no memory. Their key lives as long as the
// context, which the server makes anew every day.
bool set_resumption(SSL_CTX* native) {
  constexpr unsigned char kOurs[] = "district";
  ::SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_timeout(native, kTicketSeconds);
  return ::SSL_CTX_set_num_tickets(native, 1) == 1 &&
         ::SSL_CTX_set_session_id_context(native, kOurs, sizeof kOurs - 1) == 1;
}

// Trust is the enrolled certificate itself, not who issued it, so no chain is built.
int take_any_certificate(X509_STORE_CTX* checked, void*) {
  const X509* certificate = ::X509_STORE_CTX_get0_cert(checked);
  const EVP_PKEY* key = certificate != nullptr ? ::X509_get0_pubkey(certificate) : nullptr;
  const bool bounded = key != nullptr && ::EVP_PKEY_get_bits(key) <= kClientKeyBitsMax;
  ::X509_STORE_CTX_set_error(checked, bounded ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
  return bounded ? 1 : 0;
}

void ask_for_certificate(SSL_CTX* native, ClientCertificates wanted) {
  if (wanted == ClientCertificates::off) return;
  const bool required = wanted == ClientCertificates::required;
  ::SSL_CTX_set_verify(native, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                       nullptr);
  ::SSL_CTX_set_cert_verify_callback(native, take_any_certificate, nullptr);
}

// Who can speak other protocols only is told so, and cannot be led to us in place of another server
// (RFC 9325 section 3.8).
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_octets,
                    const unsigned char* offered, unsigned int octets, void*) {
  for (const auto protocol : kProtocols) {
    for (unsigned int at = 0; at < octets; at += 1U + offered[at]) {
      const std::string_view name(reinterpret_cast<const char*>(offered) + at + 1, offered[at]);
      if (name != protocol) continue;
      *chosen = offered + at + 1;
      *chosen_octets = offered[at];
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// nullptr: OpenSSL's words must do.
const char* meaning_of(int reason) {
  switch (reason) {
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
      return "plain HTTP on the TLS port: the client must use https";
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_RECORD_LENGTH_MISMATCH:
    case SSL_R_UNEXPECTED_MESSAGE:
      return "what came is no TLS handshake";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_UNKNOWN_PROTOCOL:
      return "the client's TLS is older than this listener takes";
    case SSL_R_NO_SHARED_CIPHER:
      return "client and server have no cipher suite in common";
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SUITABLE_GROUPS:
      return "client and server have no group for the key exchange in common";
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
      return "client and server have no signature algorithm in common";
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return "the client speaks neither HTTP/1.1 nor HTTP/1.0 (ALPN)";
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return "the client has sent no certificate, and client_certificates is \"required\"";
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return "the client's certificate has a key that is larger than any in use";
    case SSL_R_INAPPROPRIATE_FALLBACK:
      return "the client fell back to an older TLS than it could have";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
      return "the client does not trust the server's certificate";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return "the client finds the server's certificate expired";
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return "the client does not take the version of TLS that was chosen";
    default:
      return nullptr;
  }
}

}  // namespace

Result<Context> make_tls_context(std::span<const CertificateFiles> certificates,
                                 const Listener& listener) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* native = context->native_handle();
  if (!set_profile(native, listener.profile) || !set_resumption(native)) {
    return fail(ErrorCode::internal, "OpenSSL refuses the TLS profile");
  }
  ask_for_certificate(native, listener.client_certificates);
  ::SSL_CTX_set_alpn_select_cb(native, choose_protocol, nullptr);
  DISTRICT_CHECK(use_certificates(*context, certificates));
  return context;
}

std::optional<Sha256Digest> client_certificate(SSL* connection) {
  const CHandle<X509, ::X509_free> certificate(::SSL_get1_peer_certificate(connection));
  if (!certificate) return std::nullopt;
  Sha256Digest digest{};
  unsigned int octets = 0;
  const int made = ::X509_digest(certificate.get(), ::EVP_sha256(),
                                 reinterpret_cast<unsigned char*>(digest.data()), &octets);
  if (made != 1 || octets != digest.size()) return std::nullopt;
  return digest;
}

std::string handshake_problem(const boost::system::error_code& error) {
  if (error.category() != boost::asio::error::get_ssl_category()) return error.message();
  const auto value = static_cast<unsigned long>(error.value());
  const char* reason = ::ERR_reason_error_string(value);
  const char* meaning = meaning_of(ERR_GET_REASON(value));
  if (meaning == nullptr) return reason != nullptr ? reason : error.message();
  return std::string(meaning) + (reason != nullptr ? std::string(" (") + reason + ")" : "");
}

bool has_sent(SSL* connection) {
  BIO* const come = ::SSL_get_rbio(connection);
  return come != nullptr && ::BIO_number_read(come) > 0;
}

}  // namespace district::server
