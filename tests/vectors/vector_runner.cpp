// Runs vectors of WS-Security through both verifiers, the server's and the auditor's, and compares
// their verdicts with the place and name of the file, and with each other: accepted/NAME.xml,
// rejected/CODE-what-is-wrong.xml.
// usage: vector_runner FILE...    Exit: 0 as expected, 1 otherwise, 2 usage or unreadable file.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "audit/tree_verifier.h"
#include "vector_trust.h"
#include "verify/stream_verifier.h"
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

using Verdict = Result<verify::VerifiedEnvelope>;

bool as_expected(const Verdict& verdict, const fs::path& file, const char* verifier) {
  const int code = verdict ? kAccepted : static_cast<int>(verdict.error().code);
  const int expected = expected_code(file);
  const std::string detail = verdict ? "by " + verdict->sender().subject : verdict.error().detail;
  std::printf("%s %s, %s: %d, %d expected (%s)\n", code == expected ? "ok  " : "FAIL",
              file.filename().c_str(), verifier, code, expected, detail.c_str());
  return code == expected;
}

// Of an accepted envelope both must say the same.
bool agree(const Verdict& stream, const Verdict& tree) {
  if (!stream || !tree) return true;
  return stream->sender().certificate_sha256 == tree->sender().certificate_sha256 &&
         stream->payload_digest() == tree->payload_digest() &&
         stream->payload_size() == tree->payload_size() &&
         stream->replay_key() == tree->replay_key() &&
         stream->acceptable_until() == tree->acceptable_until();
}

bool run(const verify::Verifier& stream, const verify::Verifier& tree, const fs::path& file) {
  const RawEnvelope raw = read_raw(file);
  verify::NoReader nobody;
  const auto streamed = stream.verify(raw, test::kVectorTime, nobody);
  const auto walked = tree.verify(raw, test::kVectorTime, nobody);
  const bool streamed_well = as_expected(streamed, file, "stream");
  const bool walked_well = as_expected(walked, file, "tree");
  if (agree(streamed, walked)) return streamed_well && walked_well;
  std::printf("FAIL %s: the verifiers differ in what they accepted\n", file.filename().c_str());
  return false;
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
    const audit::TreeVerifier tree(trust.trust().snapshot(), verify::Window{});
    bool good = true;
    for (int i = 1; i < count; ++i) {
      // One each, since it remembers the headers that came with other Bodies.
      const verify::StreamVerifier stream(trust.trust(), verify::Window{});
      good = run(stream, tree, arguments[i]) && good;
    }
    return good ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "vector_runner: error: %s\n", error.what());
    return 2;
  }
}
