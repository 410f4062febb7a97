// Where the server listens, and how it speaks TLS there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace district::server {

enum class TlsProfile : std::uint8_t { modern, legacy };

// Whether clients are asked for a certificate. One is good when it is enrolled and in force at the
// time of the request; an optional one that is not counts as none.
enum class ClientCertificates : std::uint8_t { off, optional, required };

struct Listener {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: a free one
  TlsProfile profile = TlsProfile::modern;
  ClientCertificates client_certificates = ClientCertificates::off;
};

// A certificate with its chain, and its private key, in PEM. `name`: of its keys in the
// configuration, for messages: "tls." + name + "certificate".
struct CertificateFiles {
  std::string name;
  std::filesystem::path certificate, key;
};

}  // namespace district::server
