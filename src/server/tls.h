// The TLS side of the front: what is offered, and what never is. Private to server/.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "server/listener.h"

namespace district::server {

// A context for new connections of the listener; those made with another one go on with that.
// TlsProfile::modern: TLS 1.3, or 1.2 with forward secrecy and AEAD. TlsProfile::legacy: besides,
// TLS 1.0 and 1.1, CBC suites with SHA-1, and as the very last AES128-SHA without forward secrecy.
// A client certificate of any issuer is let in: it has proved its key, and whether it is enrolled
// is asked at each request.
// Source: RFC 9325 sections 3 and 4; RFC 5746; RFC 7301.
// Errors: file_unreadable (a certificate or key is missing or not PEM), config_invalid (a key does
// not belong to its certificate; two certificates of one type of key).
Result<std::shared_ptr<boost::asio::ssl::context>> make_tls_context(
    std::span<const CertificateFiles> certificates, const Listener& listener);

// SHA-256 of the certificate that the peer proved to have the key of; nullopt: it sent none.
std::optional<Sha256Digest> client_certificate(SSL* connection);

// Why a handshake failed, for the log: in our words, with OpenSSL's behind.
std::string handshake_problem(const boost::system::error_code& error);
// Whether the peer has sent anything at all.
bool has_sent(SSL* connection);

}  // namespace district::server
