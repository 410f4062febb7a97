// The server's verifier against the auditor's: they accept the same, and read the same of it.
// Input: an envelope for the trust of the vectors; or "body:" and the content of a Body that is
// signed here; or "grammar:" and choices of a generator of such contents.
#include "../support/random_xml.h"
#include "../support/signing_site.h"
#include "../support/xml_streams.h"
#include "../vectors/vector_trust.h"
#include "audit/tree_verifier.h"
#include "fuzz_target.h"
#include "verify/stream_verifier.h"
#include "xml/namespaces.h"

namespace district::fuzz {
namespace {

class Events final : public verify::BodyReader {
 public:
  void begin(const verify::Sender& sender, const verify::TrustPtr&, Instant) override {
    require(!begun_, "begun twice");
    begun_ = true;
    heard.events = to_hex(sender.certificate_sha256) + "\n";
  }
  void start_element(const xml::StartTag& tag) override {
    require(begun_, "told before it began");
    heard.start_element(tag);
  }
  void text(std::string_view text) override { heard.text(text); }
  void end_element() override { heard.end_element(); }

  test::EventText heard;

 private:
  bool begun_ = false;
};

std::string verdict(const Result<verify::VerifiedEnvelope>& verified) {
  if (verified) return "accepted";
  return std::to_string(static_cast<int>(verified.error().code)) + " " + verified.error().detail;
}

// Gives whether both accept it.
bool check(std::string_view text, trust::Trust& trust, Instant now, std::mt19937& numbers) {
  RawEnvelope raw;
  raw.octets = to_bytes(as_bytes(text));
  if (text.find(xml::ns::kSoap12) != std::string_view::npos) raw.soap_version = SoapVersion::v12;
  Events walked;
  const auto by_tree =
      audit::TreeVerifier(trust.snapshot(), verify::Window{}).verify(raw, now, walked);

  const auto first = std::min<std::size_t>(text.size(), 1024 + numbers() % 8192);
  raw.octets.resize(first);
  raw.rest = std::make_shared<test::Blocks>(as_bytes(text).subspan(first),
                                            1 + numbers() % (numbers() % 2 == 0 ? 10 : 5000));
  Events streamed;
  const auto by_stream = verify::StreamVerifier(trust, verify::Window{}).verify(raw, now, streamed);
  require(
      by_tree.has_value() == by_stream.has_value(),
      "tree: " + verdict(by_tree) + "\nstream: " + verdict(by_stream) + "\n" + std::string(text));
  if (!by_tree) return false;
  require(by_tree->replay_key() == by_stream->replay_key(), "replay keys differ");
  require(by_tree->payload_digest() == by_stream->payload_digest(), "digests differ");
  require(by_tree->payload_size() == by_stream->payload_size(), "sizes differ");
  require(by_tree->acceptable_until() == by_stream->acceptable_until(), "times differ");
  require(by_tree->sender().certificate_sha256 == by_stream->sender().certificate_sha256 &&
              by_tree->sender().signature_value == by_stream->sender().signature_value,
          "senders differ");
  // libxml2 counts a CRLF within the XML declaration as a line when it gets the document in blocks,
  // and not when it gets it whole. Lines are for people.
  const auto declaration = text.substr(0, text.find("?>"));
  if (declaration.starts_with("<?xml") && declaration.find('\r') != declaration.npos) return true;
  require(walked.heard.events == streamed.heard.events,
          "tree: " + walked.heard.events + "\nstream: " + streamed.heard.events);
  return true;
}

}  // namespace

void fuzz(std::string_view input) {
  static test::SigningSite site;
  static test::VectorTrust vectors;
  constexpr std::string_view kBody = "body:";
  constexpr std::string_view kGrammar = "grammar:";
  constexpr const char* kDeclarations = " xmlns='urn:d' xmlns:a='urn:a' xmlns:b='urn:b'";
  auto numbers = numbers_of(input);
  if (input.starts_with(kBody)) {
    const std::string content(input.substr(kBody.size()));
    check(site.sign_as_written(content, kDeclarations), site.trust(), site.now, numbers);
    return;
  }
  if (input.starts_with(kGrammar)) {
    test::RandomXml generator(choices_of(input.substr(kGrammar.size())));
    const std::string content =
        "<m>" + generator.content({{"", "urn:d"}, {"a", "urn:a"}, {"b", "urn:b"}}) + "</m>";
    check(site.sign_as_written(content, kDeclarations), site.trust(), site.now, numbers);
    return;
  }
  check(input, vectors.trust(), test::kVectorTime, numbers);
}

}  // namespace district::fuzz
