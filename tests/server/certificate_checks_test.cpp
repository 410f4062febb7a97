#include "server/certificate_checks.h"

#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

using namespace district;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr auto kDay = 24h;

// Certificates of an authority, or of themselves, for as many days as are said.
struct Pki {
  Pki() : folder(fs::temp_directory_path() / ("district-checks-" + std::to_string(::getpid()))) {
    fs::create_directories(folder);
    make("ca", "", "365", "basicConstraints=critical,CA:TRUE");
    for (const char* name : {"server", "receipt-rsa", "receipt-ecdsa"}) {
      make(name, "ca", "60", "subjectAltName=DNS:a.example,IP:127.0.0.1");
    }
    config.tls.certificate = folder / "server.pem";
    config.receipt.rsa_certificate = folder / "receipt-rsa.pem";
    config.receipt.ecdsa_certificate = folder / "receipt-ecdsa.pem";
    config.listen.public_url = "https://a.example:8443/services/aggregation";
  }
  ~Pki() { fs::remove_all(folder); }

  void make(const std::string& name, const std::string& authority, const std::string& days,
            const std::string& extension, const std::string& more = {}) const {
    const auto stem = (folder / name).string();
    auto command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + name +
        " -keyout " + stem + ".key -out " + stem + ".pem -days " + days;
    if (!authority.empty()) {
      const auto of = (folder / authority).string();
      command += " -CA " + of + ".pem -CAkey " + of + ".key";
      command += " -addext basicConstraints=critical,CA:FALSE";
    }
    if (!extension.empty()) command += " -addext " + extension;
    if (!more.empty()) command += " -addext " + more;
    BOOST_REQUIRE(std::system((command + " 2>/dev/null").c_str()) == 0);
  }
  std::vector<server::Unfit> check(std::chrono::hours ahead = {}) const {
    return server::check_certificates_for_clients(config, SystemClock().now() + ahead);
  }
  // The one finding that there is.
  server::Unfit only(std::chrono::hours ahead = {}) const {
    const auto findings = check(ahead);
    for (const auto& finding : findings) BOOST_TEST_MESSAGE(finding.text);
    BOOST_REQUIRE(findings.size() == 1U);
    BOOST_TEST(!findings[0].hint.empty());
    return findings[0];
  }

  fs::path folder;
  config::Config config;
};

bool has(const std::string& text, std::string_view part) {
  if (text.find(part) != std::string::npos) return true;
  BOOST_TEST_MESSAGE(text);
  return false;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(certificate_checks, Pki)

BOOST_AUTO_TEST_CASE(good_ones_are_good_and_what_cannot_be_read_is_for_others_to_say) {
  BOOST_TEST(check().empty());
  config.tls.certificate = folder / "none.pem";
  config.receipt.rsa_certificate = folder / "ca.key";
  BOOST_TEST(check().empty());
}

BOOST_AUTO_TEST_CASE(their_time_is_checked_of_the_chain_too) {
  const auto early = check(-2 * kDay);
  BOOST_TEST(early.size() == 3U);
  BOOST_TEST(has(early[0].text, "tls.certificate: "));
  BOOST_TEST(has(early[0].text, " is not valid before "));
  BOOST_TEST(early[0].refused);
  const auto soon = check(40 * kDay);
  BOOST_TEST(soon.size() == 3U);
  BOOST_TEST(has(soon[1].text, "receipt.rsa_certificate: "));
  BOOST_TEST(has(soon[1].text, " expires at "));
  BOOST_TEST(!soon[1].refused);
  const auto late = check(61 * kDay);
  BOOST_TEST(late.size() == 3U);
  BOOST_TEST(has(late[2].text, "receipt.ecdsa_certificate: "));
  BOOST_TEST(has(late[2].text, " expired at "));
  BOOST_TEST(late[2].refused);

  make("old", "", "3", "basicConstraints=critical,CA:TRUE");
  std::ofstream(folder / "server.pem", std::ios::app) << std::ifstream(folder / "old.pem").rdbuf();
  const auto finding = only(4 * kDay);
  BOOST_TEST(has(finding.text, "the authority CN=old in it expired at "));
  BOOST_TEST(finding.refused);
}

BOOST_AUTO_TEST_CASE(a_receipt_certificate_has_to_name_the_host) {
  make("receipt-rsa", "ca", "60", "subjectAltName=DNS:other.example");
  auto finding = only();
  BOOST_TEST(has(finding.text, "receipt.rsa_certificate: "));
  BOOST_TEST(has(finding.text, " does not name a.example"));
  BOOST_TEST(has(finding.hint, "--receipt-certificate"));
  BOOST_TEST(finding.refused);
  make("receipt-rsa", "ca", "60", "");  // none at all
  BOOST_TEST(only().refused);
  make("receipt-rsa", "ca", "60", "subjectAltName=DNS:*.example");  // stands for no whole domain
  BOOST_TEST(only().refused);
  // Gateways have a self-signed one by its file, or not at all.
  make("receipt-rsa", "", "60", "subjectAltName=DNS:other.example");
  BOOST_TEST(!only().refused);
}

BOOST_AUTO_TEST_CASE(without_a_public_url_the_names_of_the_tls_certificate_count_for_receipts) {
  config.listen.public_url.clear();
  config.listen.address = "127.0.0.1";
  BOOST_TEST(check().empty());
  for (const char* name : {"receipt-rsa", "receipt-ecdsa"}) {
    make(name, "ca", "60", "subjectAltName=DNS:a.example");
  }
  BOOST_TEST(check().empty());
  make("receipt-ecdsa", "ca", "60", "subjectAltName=DNS:b.example");
  BOOST_TEST(only().refused);
  make("receipt-ecdsa", "ca", "60", "subjectAltName=DNS:a.example");
  // How clients call it is not known then.
  config.listen.address = "10.0.0.5";
  const auto finding = only();
  BOOST_TEST(has(finding.text, "tls.certificate: "));
  BOOST_TEST(has(finding.text, " does not name 10.0.0.5"));
  BOOST_TEST(!finding.refused);
}

BOOST_AUTO_TEST_CASE(a_tls_certificate_has_to_name_the_host_and_be_for_servers) {
  make("server", "ca", "60", "subjectAltName=DNS:b.example");
  auto finding = only();
  BOOST_TEST(has(finding.text, " does not name a.example: clients refuse it"));
  BOOST_TEST(finding.refused);
  make("server", "ca", "60", "subjectAltName=DNS:a.example", "extendedKeyUsage=clientAuth");
  finding = only();
  BOOST_TEST(has(finding.text, " is not for TLS servers"));
  BOOST_TEST(finding.refused);
  config.listen.public_url = "https://[::1]:8443/services/aggregation";
  for (const char* name : {"server", "receipt-rsa", "receipt-ecdsa"}) {
    make(name, "ca", "60", "subjectAltName=IP:::1");
  }
  BOOST_TEST(check().empty());
}

BOOST_AUTO_TEST_CASE(a_receipt_certificate_has_to_be_for_signatures) {
  make("receipt-ecdsa", "ca", "60", "subjectAltName=DNS:a.example", "keyUsage=keyAgreement");
  const auto finding = only();
  BOOST_TEST(has(finding.text, " is not for signatures"));
  BOOST_TEST(finding.refused);
}

BOOST_AUTO_TEST_SUITE_END()
