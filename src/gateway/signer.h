// The certificate and the key that sign requests, from PEM files as people have them.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "crypto/certificate.h"

namespace district::gateway {

// All certificates of a PEM file in their order. A file may hold a chain, in any order.
// Errors: file_unreadable, token_invalid.
Result<std::vector<crypto::Certificate>> read_certificates(const std::string& path);

struct Signer {
  crypto::Certificate certificate;
  crypto::PrivateKey key;
  std::string note;  // for people, if the certificate is not the first in its file
};

// Takes the certificate in the file to which the key belongs. Errors: file_unreadable,
// token_invalid, config_invalid; gateway_input when the key belongs to none of them.
Result<Signer> load_signer(const std::string& certificate_file, const std::string& key_file);

// Says what is wrong with the dates of the certificate, or with our clock; empty: nothing.
std::string validity_doubt(const crypto::Certificate& certificate, Instant now);

}  // namespace district::gateway
