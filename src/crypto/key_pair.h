// A private key with the certificate that it belongs to, from files.
#pragma once

#include <string>

#include "base/error.h"
#include "crypto/certificate.h"
#include "crypto/key.h"

namespace district::crypto {

struct KeyPair {
  Certificate certificate;
  PrivateKey key;
};
// The key, and the certificate that it belongs to, wherever that stands in its file; others there
// may be of kinds that are not read. Errors: file_unreadable, token_invalid, config_invalid.
Result<KeyPair> read_key_pair(const std::string& certificate_file, const std::string& key_file);

}  // namespace district::crypto
