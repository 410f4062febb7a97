#include "crypto/key_pair.h"

#include <utility>

#include "base/file.h"
#include "base/limits.h"
#include "crypto/pem_certificates.h"

namespace district::crypto {

Result<KeyPair> read_key_pair(const std::string& certificate_file, const std::string& key_file) {
  DISTRICT_TRY(const std::string pem, read_file(certificate_file, limits::kPemFileBytesMax));
  auto all = certificates_of_pem(pem, certificate_file);
  if (!all) all.error().detail = certificate_file + ": " + all.error().detail;
  if (!all) return fail(std::move(all).error());
  DISTRICT_TRY(auto key, PrivateKey::from_pem_file(key_file));
  for (auto& certificate : all->read)
    if (key.matches(certificate)) return KeyPair{std::move(certificate), std::move(key)};
  return fail(
      ErrorCode::config_invalid,
      key_file + " does not belong to the certificate in " + certificate_file + ": " + all->names(),
      "give the key that the certificate was made for, or a certificate made anew for this key");
}

}  // namespace district::crypto
