// The TLS side of the front: what is offered, and what never is. Private to server/.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <filesystem>

#include "base/error.h"

namespace district::server {

// TLS 1.2 with forward secrecy and AEAD, or TLS 1.3.
// Source: RFC 9325 sections 3 and 4.
// Errors: file_unreadable (certificate or key missing or not PEM), config_invalid (they do not
// belong together).
Result<boost::asio::ssl::context> make_tls_context(const std::filesystem::path& certificate,
                                                   const std::filesystem::path& key);

}  // namespace district::server
