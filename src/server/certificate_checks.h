// What clients will refuse about the server's certificates, though the server starts with them.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "config/config.h"

namespace district::server {

// Expired or not yet valid, of the TLS certificate's chain too; soon to expire; not for servers, or
// not for signatures; not for the host that clients ask for, which is that of listen.public_url, or
// without it listen.address. A receipt certificate has to name that host, or one that the TLS
// certificate names, unless gateways have it by --receipt-certificate, as they need to if it is
// self-signed. What cannot be read is for others to say.
// Source: RFC 5280 section 4.1.2.5; RFC 9525; docs/how-to/run-in-production.md.
struct Unfit {
  std::string text, hint;
  bool refused = false;  // now, by any client that checks; else a warning
};
std::vector<Unfit> check_certificates_for_clients(const config::Config& config, Instant now);

}  // namespace district::server
