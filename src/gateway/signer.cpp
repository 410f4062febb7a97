#include "gateway/signer.h"

#include <algorithm>

#include "base/characters.h"
#include "base/file.h"

namespace district::gateway {
namespace {

constexpr std::size_t kCertificatesMax = 100;  // in a file

// The PEM blocks that are certificates, each with its first and last line.
std::vector<std::string> certificate_blocks(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  constexpr std::string_view kEnd = "-----";
  std::vector<std::string> blocks;
  for (std::size_t at = text.find(kBegin); at != std::string_view::npos;
       at = text.find(kBegin, at + 1)) {
    const auto label_end = text.find(kEnd, at + kBegin.size());
    if (label_end == std::string_view::npos) break;
    const auto label = text.substr(at + kBegin.size(), label_end - at - kBegin.size());
    if (!label.ends_with("CERTIFICATE")) continue;
    const auto last_line = "-----END " + std::string(label) + "-----";
    const auto end = text.find(last_line, label_end);
    if (end == std::string_view::npos || blocks.size() == kCertificatesMax) break;
    blocks.emplace_back(text.substr(at, end + last_line.size() - at)).push_back('\n');
  }
  return blocks;
}

}  // namespace

Result<std::vector<crypto::Certificate>> read_certificates(const std::string& path) {
  DISTRICT_TRY(const auto text, read_file(path, limits::kPemFileBytesMax));
  std::vector<crypto::Certificate> certificates;
  Result<crypto::Certificate> first_problem = fail(ErrorCode::token_invalid, "no certificate");
  bool failed = false;
  for (const std::string& block : certificate_blocks(text)) {
    auto certificate = crypto::Certificate::from_pem(block);
    if (certificate) {
      certificates.push_back(std::move(*certificate));
    } else if (!failed) {
      failed = true;
      first_problem = std::move(certificate);
    }
  }
  if (!certificates.empty()) return certificates;
  if (failed) {
    first_problem.error().detail = path + ": " + first_problem.error().detail;
    return fail(std::move(first_problem).error());
  }
  // The error says what the file is instead.
  DISTRICT_TRY(auto certificate, crypto::Certificate::from_pem_file(path));
  certificates.push_back(std::move(certificate));
  return certificates;
}

Result<Signer> load_signer(const std::string& certificate_file, const std::string& key_file) {
  DISTRICT_TRY(const auto certificates, read_certificates(certificate_file));
  DISTRICT_TRY(auto key, crypto::PrivateKey::from_pem_file(key_file));
  const auto ours = std::ranges::find_if(
      certificates, [&key](const auto& certificate) { return key.matches(certificate); });
  const auto count = std::to_string(certificates.size());
  if (ours == certificates.end()) {
    const bool one = certificates.size() == 1;
    return fail(ErrorCode::gateway_input,
                "the key " + key_file + " does not belong to " +
                    (one ? "the certificate " : "any of the " + count + " certificates in ") +
                    certificate_file + " (" + visible(certificates.front().subject()) +
                    (one ? ")" : " and others)"),
                "--certificate and --key are a pair; 'openssl x509 -noout -pubkey' "
                "and 'openssl pkey -pubout' print the same for both");
  }
  Signer signer{*ours, std::move(key), {}};
  if (ours != certificates.begin()) {
    signer.note = certificate_file + " has " + count + " certificates; the key belongs to number " +
                  std::to_string(ours - certificates.begin() + 1) + ", " +
                  visible(ours->subject()) + ", which is used";
  }
  return signer;
}

std::string validity_doubt(const crypto::Certificate& certificate, Instant now) {
  if (now >= certificate.not_before() && now <= certificate.not_after()) return {};
  return "the certificate is valid from " + format_instant(certificate.not_before(), 0) + " to " +
         format_instant(certificate.not_after(), 0) + ", and the clock of this machine says " +
         format_instant(now, 0) + ": set the clock, or ask for a new certificate";
}

}  // namespace district::gateway
