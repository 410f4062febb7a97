// Runs vectors of WS-Security through the auditor's verifier and compares its verdict with the
// place and name of the file: accepted/NAME.xml, rejected/CODE-what-is-wrong.xml.
// usage: vector_runner FILE...    Exit: 0 as expected, 1 otherwise, 2 usage or unreadable file.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "audit/tree_verifier.h"
#include "vector_trust.h"
#include "xml/document.h"

namespace {

namespace fs = std::filesystem;
using namespace district;

constexpr int kAccepted = 0;

int expected_code(const fs::path& file) {
  if (file.parent_path().filename() == "accepted") return kAccepted;
  return std::atoi(file.filename().c_str());
}

RawEnvelope read_raw(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw std::runtime_error("cannot read " + file.string());
  RawEnvelope raw;
  raw.octets = to_bytes(as_bytes(text.str()));
  raw.soap_version = file.stem().extension() == ".soap12" ? SoapVersion::v12 : SoapVersion::v11;
  return raw;
}

bool as_expected(const audit::TreeVerifier& verifier, const fs::path& file) {
  const auto verified = verifier.verify(read_raw(file), test::kVectorTime);
  const int code = verified ? kAccepted : static_cast<int>(verified.error().code);
  const int expected = expected_code(file);
  const std::string detail =
      verified ? "by " + verified->sender().subject : verified.error().detail;
  std::printf("%s %s: %d, %d expected (%s)\n", code == expected ? "ok  " : "FAIL",
              file.filename().c_str(), code, expected, detail.c_str());
  return code == expected;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fputs("usage: vector_runner FILE...\n", stderr);
    return 2;
  }
  try {
    xml::initialize();
    test::VectorTrust trust;
    const audit::TreeVerifier verifier(trust.trust(), verify::Window{});
    bool good = true;
    for (int i = 1; i < count; ++i) good = as_expected(verifier, arguments[i]) && good;
    return good ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "vector_runner: error: %s\n", error.what());
    return 2;
  }
}
