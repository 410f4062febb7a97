// Properties of verification that single vectors cannot show, of both verifiers: any change to what
// is signed is refused, and no input breaks them. The single cases are in tests/vectors.
#include "audit/tree_verifier.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>
#include <string>

#include "../support/body_text.h"
#include "../vectors/vector_trust.h"
#include "verify/stream_verifier.h"
#include "xml/document.h"

namespace {

using namespace district;
namespace fs = std::filesystem;

const std::string kAccepted = DISTRICT_SOURCE_DIR "/tests/vectors/accepted/";

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  BOOST_REQUIRE_MESSAGE(in, file.string());
  return text.str();
}

// An envelope that both verifiers have accepted, and its Body as they told it.
struct Accepted {
  verify::VerifiedEnvelope envelope;
  std::string body;
};

struct Fixture {
  Fixture() { xml::initialize(); }

  // By both, which must agree.
  Result<Accepted> verify(const std::string& text, Instant now = test::kVectorTime) const {
    RawEnvelope raw;
    raw.octets = to_bytes(as_bytes(text));
    test::BodyText walked, streamed;
    const auto by_tree = tree.verify(raw, now, walked);
    // A new one each time, since it remembers the headers that came with other Bodies.
    const verify::StreamVerifier stream{trust.trust(), verify::Window{}};
    auto by_stream = stream.verify(raw, now, streamed);
    BOOST_REQUIRE_MESSAGE(by_stream.has_value() == by_tree.has_value(),
                          "stream: " << verdict(by_stream) << ", tree: " << verdict(by_tree) << "\n"
                                     << text);
    if (!by_stream) return fail(std::move(by_stream).error());
    BOOST_TEST(to_hex(by_stream->replay_key()) == to_hex(by_tree->replay_key()));
    BOOST_TEST(to_hex(by_stream->payload_digest()) == to_hex(by_tree->payload_digest()));
    BOOST_TEST(to_hex(by_stream->sender().certificate_sha256) ==
               to_hex(by_tree->sender().certificate_sha256));
    BOOST_TEST(by_stream->payload_size() == text.size());
    BOOST_TEST(streamed.text_read == walked.text_read);
    return Accepted{*std::move(by_stream), std::move(streamed.text_read)};
  }

  static std::string verdict(const Result<verify::VerifiedEnvelope>& verified) {
    return verified ? "accepted"
                    : std::to_string(static_cast<int>(verified.error().code)) + " " +
                          verified.error().detail;
  }

  mutable test::VectorTrust trust;
  audit::TreeVerifier tree{trust.trust(), verify::Window{}};
};

struct Part {
  std::size_t from, to;
};

// From the start of `begin` to the end of `end`.
Part part(const std::string& text, const std::string& begin, const std::string& end) {
  const auto from = text.find(begin);
  BOOST_REQUIRE_MESSAGE(from != std::string::npos, begin);
  return {from, text.find(end, from) + end.size()};
}

std::string replaced(std::string text, const std::string& old, const std::string& with) {
  const auto at = text.find(old);
  BOOST_REQUIRE_MESSAGE(at != std::string::npos, old);
  return text.replace(at, old.size(), with);
}

// One small change of the kinds that attackers and broken networks make.
void mutate(std::string& text, const std::vector<std::string>& others, std::mt19937& random) {
  const auto below = [&](std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
  };
  const auto at = below(text.size());
  const auto length = 1 + below(std::min<std::size_t>(200, text.size() - at));
  const std::string& other = others[below(others.size())];
  const auto from = below(other.size());
  switch (below(5)) {
    case 0:
      text[at] = static_cast<char>(below(256));
      break;
    case 1:
      text.erase(at, length);
      break;
    case 2:
      text.insert(at, text.substr(below(text.size()), length));
      break;
    case 3:
      text.insert(at, other.substr(from, length));
      break;
    default:
      text.replace(at, length, other.substr(from, length));
      break;
  }
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(verifiers, Fixture)

BOOST_AUTO_TEST_CASE(any_flipped_bit_in_what_is_signed_is_refused) {
  for (const char* name :
       {"kalundborg", "eibar-ecdsa-p256", "wss4j-str-transform", "token-signed"}) {
    const std::string good = read(kAccepted + name + ".xml");
    BOOST_REQUIRE_MESSAGE(verify(good), name);
    std::vector<Part> parts{part(good, "<soap:Body", "</soap:Body>"),
                            part(good, "<wsu:Timestamp", "</wsu:Timestamp>"),
                            part(good, "<ds:SignedInfo>", "</ds:SignedInfo>"),
                            part(good, "<ds:SignatureValue>", "</ds:SignatureValue>")};
    if (std::string_view(name) == "wss4j-str-transform" ||
        std::string_view(name) == "token-signed") {
      parts.push_back(part(good, "<wsse:BinarySecurityToken", "</wsse:BinarySecurityToken>"));
    }
    std::string accepted;
    for (const auto& [from, to] : parts) {
      for (std::size_t at = from; at < to; at += 5) {
        std::string bad = good;
        bad[at] = static_cast<char>(static_cast<unsigned char>(bad[at]) ^ (1U << ((at / 5) % 8)));
        if (verify(bad)) accepted += std::to_string(at) + " ";
      }
    }
    BOOST_TEST(accepted.empty(),
               std::string(name) + " is accepted with a bit flipped at " + accepted);
  }
}

BOOST_AUTO_TEST_CASE(whatever_is_accepted_after_random_changes_has_a_signed_body) {
  std::vector<std::string> vectors;
  std::set<std::string> bodies;
  for (const auto& entry : fs::directory_iterator(kAccepted)) {
    const std::string text = read(entry.path());
    const auto verified = verify(text);
    if (!verified) continue;  // SOAP 1.2
    vectors.push_back(text);
    bodies.insert(verified->body);
  }
  BOOST_REQUIRE(vectors.size() > 50U);
  std::mt19937 random(20260115);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  int accepted = 0;
  int tried = 0;
  for (; tried < 6000 && std::chrono::steady_clock::now() < end; ++tried) {
    std::string text = vectors[static_cast<std::size_t>(tried) % vectors.size()];
    for (auto changes = 1 + random() % 3; changes > 0 && !text.empty(); --changes)
      mutate(text, vectors, random);
    const auto verified = verify(text);
    if (!verified) continue;
    ++accepted;
    BOOST_TEST(bodies.contains(verified->body),
               "accepted with a Body that nobody signed:\n" + text);
  }
  BOOST_TEST_MESSAGE(tried << " changed, " << accepted << " of them outside of what is signed");
  BOOST_TEST(tried > 500);
}

BOOST_AUTO_TEST_CASE(truncated_anywhere_it_is_refused) {
  const std::string good = read(kAccepted + "kalundborg.xml");
  for (std::size_t size = 0; size < good.size(); size += 3)
    BOOST_TEST(!verify(good.substr(0, size)).has_value());
}

BOOST_AUTO_TEST_CASE(the_meaning_of_a_signature_is_one_whatever_its_spelling) {
  const std::string good = read(kAccepted + "kalundborg.xml");
  const auto key = verify(good)->envelope.replay_key();
  for (const std::string& same :
       {replaced(good, "<ds:SignatureValue>", "<ds:SignatureValue>\n "),
        replaced(good, "<soap:Header>", "<soap:Header><!-- -->\n"),
        replaced(good, "<soap:Header>", "<soap:Header><x xmlns='urn:x'/>"),
        "<?xml version='1.0'?>" + good, replaced(good, "<ds:KeyInfo>", "<ds:KeyInfo Id='k'>"),
        replaced(good, "<wsse:BinarySecurityToken ", "<wsse:BinarySecurityToken a='b' ")}) {
    const auto verified = verify(same);
    BOOST_REQUIRE_MESSAGE(verified, verified.error().detail);
    BOOST_TEST(to_hex(verified->envelope.replay_key()) == to_hex(key));
    BOOST_TEST(to_hex(verified->envelope.payload_digest()) !=
               to_hex(verify(good)->envelope.payload_digest()));
  }
  BOOST_TEST(to_hex(verify(read(kAccepted + "barcelona.xml"))->envelope.replay_key()) !=
             to_hex(key));
}

BOOST_AUTO_TEST_CASE(a_message_is_refused_from_the_instant_on_that_the_replay_cache_is_told) {
  for (const char* name :
       {"kalundborg", "time-expires-far-away", "time-created-sixty-seconds-ahead"}) {
    const std::string text = read(kAccepted + name + ".xml");
    const auto verified = verify(text);
    BOOST_REQUIRE(verified);
    BOOST_TEST(verify(text, verified->envelope.acceptable_until() - Duration{1}).has_value());
    const auto late = verify(text, verified->envelope.acceptable_until());
    BOOST_REQUIRE(!late);
    BOOST_TEST((late.error().code == ErrorCode::message_expired));
  }
}

BOOST_AUTO_TEST_CASE(the_sender_is_who_signed) {
  const auto verified = verify(read(kAccepted + "rsa-sha1-allowed.xml"));
  BOOST_REQUIRE(verified);
  const auto& sender = verified->envelope.sender();
  const auto certificate = *crypto::Certificate::from_pem_file(
      DISTRICT_SOURCE_DIR "/tests/vectors/certificates/legacy.pem");
  BOOST_TEST(to_hex(sender.certificate_sha256) == to_hex(certificate.sha256()));
  BOOST_TEST(sender.used_sha1);
  BOOST_REQUIRE(sender.enrolments.size() == 1U);
  BOOST_TEST(sender.enrolments[0].tenant == "10");
}

BOOST_AUTO_TEST_SUITE_END()
