// Keys and certificates of simulated gateways, issued by the demo's authority.
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/c_handle.h"
#include "gateways.h"

namespace district::bench {
namespace {

using Key = CHandle<EVP_PKEY, EVP_PKEY_free>;
using Certificate = CHandle<X509, X509_free>;
using Serial = CHandle<BIGNUM, BN_free>;
using File = CHandle<std::FILE, std::fclose>;

tl::unexpected<Error> openssl_failed(const std::string& doing) {
  return fail(ErrorCode::internal, "OpenSSL: " + doing);
}

struct Authority {
  Certificate certificate;
  Key key;
};

Result<Authority> read_authority(const GatewayPlan& plan) {
  const File certificate{std::fopen(plan.ca_certificate_file.c_str(), "r")};
  const File key{std::fopen(plan.ca_key_file.c_str(), "r")};
  Authority authority;
  if (certificate && key) {
    authority.certificate.reset(::PEM_read_X509(certificate.get(), nullptr, nullptr, nullptr));
    authority.key.reset(::PEM_read_PrivateKey(key.get(), nullptr, nullptr, nullptr));
  }
  if (authority.certificate && authority.key) return authority;
  return fail(ErrorCode::file_unreadable,
              "no authority in " + plan.ca_certificate_file + " and " + plan.ca_key_file,
              "certs/make-demo-pki makes one");
}

bool add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context{};
  ::X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const CHandle<X509_EXTENSION, X509_EXTENSION_free> extension{
      ::X509V3_EXT_conf_nid(nullptr, &context, nid, value)};
  return extension && ::X509_add_ext(certificate, extension.get(), -1) == 1;
}

Result<Certificate> issue(const Authority& authority, EVP_PKEY* key, const std::string& name) {
  constexpr long kHour = 3600;
  Certificate certificate{::X509_new()};
  X509* x509 = certificate.get();
  const Serial serial{::BN_new()};
  X509_NAME* subject = ::X509_get_subject_name(x509);
  const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
  const bool good =
      ::X509_set_version(x509, X509_VERSION_3) == 1 &&
      ::BN_rand(serial.get(), 120, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
      ::BN_to_ASN1_INTEGER(serial.get(), ::X509_get_serialNumber(x509)) != nullptr &&
      ::X509_gmtime_adj(::X509_getm_notBefore(x509), -kHour) != nullptr &&
      ::X509_gmtime_adj(::X509_getm_notAfter(x509), 30 * 24 * kHour) != nullptr &&
      ::X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text, -1, -1, 0) == 1 &&
      ::X509_set_issuer_name(x509, ::X509_get_subject_name(authority.certificate.get())) == 1 &&
      ::X509_set_pubkey(x509, key) == 1 &&
      add_extension(x509, x509, NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(x509, x509, NID_key_usage, "critical,digitalSignature") &&
      add_extension(x509, x509, NID_subject_key_identifier, "hash") &&
      add_extension(x509, authority.certificate.get(), NID_authority_key_identifier, "keyid") &&
      ::X509_sign(x509, authority.key.get(), ::EVP_sha256()) != 0;
  if (!good) return openssl_failed("cannot issue a certificate");
  return certificate;
}

Result<Ok> write_pair(const std::string& base, X509* certificate, EVP_PKEY* key) {
  const File key_file{std::fopen((base + ".key").c_str(), "w")};
  const File certificate_file{std::fopen((base + ".pem").c_str(), "w")};
  if (!key_file || !certificate_file ||
      ::PEM_write_PrivateKey(key_file.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      ::PEM_write_X509(certificate_file.get(), certificate) != 1) {
    return fail(ErrorCode::file_unreadable, "cannot write " + base);
  }
  std::filesystem::permissions(base + ".key", std::filesystem::perms(0600));
  return Ok{};
}

}  // namespace

Result<Ok> make_gateways(const std::string& folder, const GatewayPlan& plan) {
  DISTRICT_TRY(const auto authority, read_authority(plan));
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  std::ofstream gateways(folder + "/gateways.csv");
  std::ofstream enrolments(folder + "/enrol.csv");
  gateways << "tenant,pilot,source,name\n";
  enrolments << "tenant,certificate\n";
  for (std::size_t i = 0; i < plan.count; ++i) {
    const std::string& assigned = plan.tenants.at(i % plan.tenants.size());
    const std::string tenant = assigned.substr(0, assigned.find(':'));
    const std::string pilot = assigned.substr(std::min(assigned.size(), tenant.size() + 1));
    DISTRICT_TRY([[maybe_unused]] const auto known, pilot_named(pilot));
    const std::string name = "gateway-" + std::to_string(i);
    const Key key{plan.family == KeyFamily::rsa ? ::EVP_RSA_gen(2048) : ::EVP_EC_gen("P-256")};
    if (!key) return openssl_failed("cannot make a key");
    DISTRICT_TRY(const auto certificate, issue(authority, key.get(), name + "." + tenant));
    DISTRICT_CHECK(write_pair(folder + "/" + name, certificate.get(), key.get()));
    gateways << tenant << ',' << pilot << ",SITE-" << i << ',' << name << '\n';
    enrolments << tenant << ',' << name << ".pem\n";
  }
  gateways.close();
  enrolments.close();
  if (!gateways || !enrolments) {
    return fail(ErrorCode::file_unreadable, "cannot write into " + folder);
  }
  return Ok{};
}

}  // namespace district::bench
