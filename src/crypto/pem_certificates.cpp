#include "crypto/pem_certificates.h"

#include <openssl/err.h>

#include <algorithm>
#include <utility>

#include "crypto/handles.h"
#include "crypto/key_file.h"

namespace district::crypto {
namespace {

Result<Certificate> certificate_of(const PemBlock& block) {
  // A TRUSTED CERTIFICATE has OpenSSL's own words behind it.
  const unsigned char* at = as_uchar(block.der);
  const X509Cert x509{::d2i_X509(nullptr, &at, static_cast<long>(block.der.size()))};
  if (x509) return Certificate::from_der(encode(x509.get(), ::i2d_X509));
  ::ERR_clear_error();
  return fail(ErrorCode::token_invalid, "a CERTIFICATE block is not a certificate",
              "export it anew");
}

// "CN=a; CN=b (an authority's, CA:TRUE)"
std::string names_of(const std::vector<Certificate>& certificates) {
  constexpr std::size_t kNamed = 5;
  std::string names;
  for (std::size_t i = 0; i < std::min(kNamed, certificates.size()); ++i) {
    names += (i == 0 ? "" : "; ") + certificates[i].subject();
    if (certificates[i].is_authority())
      names += " (an authority's, " + certificates[i].authority_mark() + ")";
  }
  if (certificates.size() > kNamed)
    names += " and " + std::to_string(certificates.size() - kNamed) + " more";
  return names;
}

// "; its certificate 2 of 3 was not understood: why".
std::string names_of_unread(const std::vector<Error>& unread) {
  std::string names;
  constexpr std::size_t kNamed = 3;
  for (std::size_t i = 0; i < std::min(kNamed, unread.size()); ++i)
    names += "; " + unread[i].detail;
  if (unread.size() > kNamed) names += "; and " + std::to_string(unread.size() - kNamed) + " more";
  return names;
}

}  // namespace

Result<PemCertificates> certificates_of_pem(std::string_view pem, const std::string& file) {
  const auto text = read_pem(pem);
  PemCertificates all;
  const auto total = std::ranges::count_if(text.blocks, is_certificate);
  std::size_t number = 0;
  for (const auto& block : text.blocks) {
    if (!is_certificate(block)) continue;
    ++number;
    auto certificate = certificate_of(block);
    if (!certificate) {
      if (total > 1)
        certificate.error().detail = "its certificate " + std::to_string(number) + " of " +
                                     std::to_string(total) +
                                     " was not understood: " + certificate.error().detail;
      all.unread.push_back(std::move(certificate).error());
      continue;
    }
    const bool again = std::ranges::any_of(
        all.read, [&](const auto& other) { return other.sha256() == certificate->sha256(); });
    if (!again) all.read.push_back(*std::move(certificate));
  }
  if (all.read.empty() && all.unread.empty())
    return fail(wrong_file(pem, Wanted::certificate, file));
  if (text.damaged) {
    return fail(ErrorCode::token_invalid,
                "damaged PEM behind " + std::to_string(text.blocks.size()) + " good blocks",
                "export it anew, or copy the whole of it with its line breaks");
  }
  if (all.read.empty()) return fail(std::move(all.unread.front()));
  return all;
}

std::string PemCertificates::names() const { return names_of(read) + names_of_unread(unread); }

}  // namespace district::crypto
