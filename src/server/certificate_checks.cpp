#include "server/certificate_checks.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "base/c_handle.h"
#include "crypto/certificate.h"

namespace district::server {
namespace {

using X509Cert = CHandle<X509, ::X509_free>;

constexpr auto kSoon = std::chrono::hours(24 * 30);
constexpr std::size_t kChainMax = 20;

struct File {
  std::string key;  // in the configuration
  std::filesystem::path path;
  std::vector<X509Cert> chain;

  std::string where() const { return key + ": " + path.string(); }
};

File read(const char* key, const std::filesystem::path& path) {
  File file{key, path, {}};
  const CHandle<BIO, ::BIO_free> in(::BIO_new_file(path.c_str(), "r"));
  while (in && file.chain.size() < kChainMax) {
    X509Cert certificate(::PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
    if (!certificate) break;
    file.chain.push_back(std::move(certificate));
  }
  return file;
}

Result<crypto::Certificate> ours(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = ::i2d_X509(certificate, &der);
  if (size <= 0) return fail(ErrorCode::token_invalid, "a certificate that cannot be encoded");
  auto read = crypto::Certificate::from_der(
      {reinterpret_cast<const std::byte*>(der), static_cast<std::size_t>(size)});
  ::OPENSSL_free(der);
  return read;
}

void check_validity(const File& file, Instant now, std::vector<Unfit>& findings) {
  for (std::size_t i = 0; i < file.chain.size(); ++i) {
    const auto certificate = ours(file.chain[i].get());
    if (!certificate) continue;
    auto where = file.where();
    if (i > 0) where += ": the authority " + certificate->subject() + " in it";
    const auto begin = certificate->not_before(), end = certificate->not_after();
    if (now < begin) {
      findings.push_back({where + " is not valid before " + format_instant(begin, 0),
                          "set the clock, or wait for that time", true});
    } else if (now > end) {
      findings.push_back({where + " expired at " + format_instant(end, 0),
                          "docs/how-to/run-in-production.md, \"Renew certificates\"", true});
    } else if (now > end - kSoon) {
      findings.push_back({where + " expires at " + format_instant(end, 0),
                          "docs/how-to/run-in-production.md, \"Renew certificates\"", false});
    }
  }
}

bool names(const File& file, const std::string& host) {
  X509* const certificate = file.chain.front().get();
  return ::X509_check_ip_asc(certificate, host.c_str(), 0) == 1 ||
         ::X509_check_host(certificate, host.c_str(), host.size(),
                           X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, nullptr) == 1;
}

bool names_one_of(const File& file, const std::vector<std::string>& hosts) {
  return std::ranges::any_of(hosts, [&](const auto& host) { return names(file, host); });
}

// What the certificate names in subjectAltName; a host that its wildcard stands for, for the
// wildcard.
std::vector<std::string> hosts_named_by(const File& file) {
  std::vector<std::string> hosts;
  auto* const found = static_cast<GENERAL_NAMES*>(
      ::X509_get_ext_d2i(file.chain.front().get(), NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(found); ++i) {
    const auto* name = sk_GENERAL_NAME_value(found, i);
    if (name->type != GEN_DNS) continue;
    std::string host(reinterpret_cast<const char*>(::ASN1_STRING_get0_data(name->d.dNSName)),
                     static_cast<std::size_t>(::ASN1_STRING_length(name->d.dNSName)));
    if (host.starts_with('*')) host.front() = 'x';
    hosts.push_back(std::move(host));
  }
  ::GENERAL_NAMES_free(found);
  return hosts;
}

// As clients reach us: the first is how the WSDL says it.
std::vector<std::string> hosts_of(const config::Config& config) {
  std::string_view url = config.listen.public_url;
  if (url.empty()) {
    const auto& address = config.listen.address;
    const bool loopback = address.starts_with("127.") || address == "::1";
    if (loopback) return {address, "localhost"};
    return {address};
  }
  url.remove_prefix(url.find("://") + std::string_view("://").size());
  url = url.substr(0, url.find('/'));
  if (url.starts_with('[')) return {std::string(url.substr(1, url.find(']') - 1))};
  return {std::string(url.substr(0, url.find(':')))};
}

void check_tls(const File& file, const std::vector<std::string>& hosts, bool sure,
               std::vector<Unfit>& findings) {
  auto* const first = file.chain.front().get();
  if (file.chain.size() > 1 && ::X509_check_ca(first) == 1) {
    findings.push_back({file.where() + " begins with an authority's certificate (CA:TRUE)",
                        "put the server's own certificate first, and those of its authorities "
                        "behind it",
                        true});
    return;
  }
  if (::X509_check_purpose(first, X509_PURPOSE_SSL_SERVER, 0) == 0) {
    findings.push_back({file.where() + " is not for TLS servers: clients refuse it",
                        "its keyUsage or extendedKeyUsage must allow serverAuth, or be left out",
                        true});
  }
  if (names_one_of(file, hosts)) return;
  findings.push_back({file.where() + " does not name " + hosts.front() + ": clients refuse it",
                      sure ? "put the host of listen.public_url in its subjectAltName"
                           : "set listen.public_url to the URL that clients use",
                      sure});
}

void check_receipt(const File& file, const std::vector<std::string>& hosts,
                   std::vector<Unfit>& findings) {
  const auto certificate = ours(file.chain.front().get());
  if (!certificate) return;
  if (!certificate->may_sign()) {
    findings.push_back({file.where() + " is not for signatures: gateways refuse receipts",
                        "its keyUsage must have digitalSignature, or be left out", true});
  }
  if (const auto strong = crypto::check_strength(certificate->public_key()); !strong) {
    findings.push_back({file.where() + ": " + strong.error().detail,
                        "gateways refuse such receipts: make a key of RSA 2048 or P-256, or more",
                        true});
  }
  if (names_one_of(file, hosts)) return;
  const bool self_signed = certificate->names_issuer(*certificate);
  findings.push_back(
      {file.where() + " does not name " + hosts.front(),
       "gateways refuse its receipts unless they have it by --receipt-certificate; or put the host "
       "in its subjectAltName",
       !self_signed});
}

}  // namespace

std::vector<Unfit> check_certificates_for_clients(const config::Config& config, Instant now) {
  std::vector<Unfit> findings;
  auto hosts = hosts_of(config);
  const bool sure = !config.listen.public_url.empty();
  std::vector<std::string> hosts_of_tls;
  for (const auto& [key, path] :
       {std::pair("tls.certificate", config.tls.certificate),
        std::pair("tls.second_certificate", config.tls.second_certificate)}) {
    if (path.empty()) continue;
    const auto file = read(key, path);
    if (file.chain.empty()) continue;
    check_validity(file, now, findings);
    check_tls(file, hosts, sure, findings);
    std::ranges::copy(hosts_named_by(file), std::back_inserter(hosts_of_tls));
  }
  if (!sure) hosts.insert(hosts.end(), hosts_of_tls.begin(), hosts_of_tls.end());
  for (const auto& [key, path] :
       {std::pair("receipt.rsa_certificate", config.receipt.rsa_certificate),
        std::pair("receipt.ecdsa_certificate", config.receipt.ecdsa_certificate)}) {
    const auto file = read(key, path);
    if (file.chain.empty()) continue;
    check_validity(file, now, findings);
    check_receipt(file, hosts, findings);
  }
  return findings;
}

}  // namespace district::server
