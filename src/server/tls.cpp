#include "server/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <fstream>
#include <string>

namespace district::server {
namespace {

namespace ssl = boost::asio::ssl;

constexpr auto kTls12Suites =
    "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:!aNULL:!PSK:!SRP:!DSS";

tl::unexpected<Error> unusable(const char* what, const std::filesystem::path& file,
                               const std::string& why) {
  return fail(ErrorCode::file_unreadable,
              std::string("cannot use the TLS ") + what + " " + file.string() + ": " + why,
              std::string("set tls.") + what + " to a PEM file that this user may read");
}

bool can_open(const std::filesystem::path& file) { return std::ifstream(file).is_open(); }

}  // namespace

Result<ssl::context> make_tls_context(const std::filesystem::path& certificate,
                                      const std::filesystem::path& key) {
  ssl::context context(ssl::context::tls_server);
  SSL_CTX* native = context.native_handle();
  ::SSL_CTX_set_options(
      native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  ::SSL_CTX_set_dh_auto(native, 1);
  // Sessions are resumed by tickets, which cost the server no memory.
  ::SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  if (::SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION) != 1 ||
      ::SSL_CTX_set_cipher_list(native, kTls12Suites) != 1) {
    return fail(ErrorCode::internal, "OpenSSL refuses the TLS profile");
  }

  boost::system::error_code error;
  if (!can_open(certificate)) return unusable("certificate", certificate, "cannot be opened");
  if (!can_open(key)) return unusable("key", key, "cannot be opened");
  context.use_certificate_chain_file(certificate.string(), error);
  if (error) return unusable("certificate", certificate, error.message());
  // Else OpenSSL would ask for a passphrase on the terminal.
  context.set_password_callback([](auto, auto) { return std::string(); }, error);
  context.use_private_key_file(key.string(), ssl::context::pem, error);
  if (error) {
    const bool other_key =
        ERR_GET_REASON(static_cast<unsigned long>(error.value())) == X509_R_KEY_VALUES_MISMATCH;
    if (!other_key) return unusable("key", key, error.message());
    return fail(ErrorCode::config_invalid,
                "the TLS key " + key.string() + " does not belong to " + certificate.string(),
                "tls.key must be the private key of the first certificate in tls.certificate");
  }
  return context;
}

}  // namespace district::server
