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
#include "../support/random_xml.h"
#include "../support/signing_site.h"
#include "../support/xml_streams.h"
#include "../vectors/vector_trust.h"
#include "verify/stream_verifier.h"
#include "xml/document.h"
#include "xml/namespaces.h"

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
    return verify(text, now, of_vectors.trust());
  }
  static Result<Accepted> verify(const std::string& text, Instant now, trust::Trust& trust) {
    RawEnvelope raw;
    raw.octets = to_bytes(as_bytes(text));
    test::BodyText walked, streamed;
    const audit::TreeVerifier tree{trust.snapshot(), verify::Window{}};
    const auto by_tree = tree.verify(raw, now, walked);
    // A new one each time, since it remembers the headers that came with other Bodies.
    const verify::StreamVerifier stream{trust, verify::Window{}};
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

  static test::SigningSite& site() {
    static test::SigningSite made;
    return made;
  }

  mutable test::VectorTrust of_vectors;
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

// Ids occur once in a document; those of random content would not.
std::string without_ids(std::string text) {
  for (auto at = text.find("Id="); at != std::string::npos; at = text.find("Id=", at))
    text.replace(at, 3, "Od=");
  return text;
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

  // r and s of the width of the order, and without the zeros that both begin with.
  const std::string cut = read(kAccepted + "ecdsa-p521-without-leading-zeros.xml");
  const auto at = cut.find("<ds:SignatureValue>") + 19;
  const auto value = cut.substr(at, cut.find('<', at) - at);
  auto octets = *from_base64(value);
  BOOST_REQUIRE(octets.size() == 130U);
  octets.insert(octets.begin() + 65, std::byte{0});
  octets.insert(octets.begin(), std::byte{0});
  const auto whole = verify(replaced(cut, value, to_base64(octets)));
  BOOST_REQUIRE(whole);
  BOOST_TEST(to_hex(whole->envelope.replay_key()) == to_hex(verify(cut)->envelope.replay_key()));
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

// Several MB, of which the first is there and the rest comes in blocks.
BOOST_AUTO_TEST_CASE(a_large_envelope_is_the_same_to_both_in_blocks_of_any_size) {
  test::SigningSite& site = this->site();
  std::mt19937 random(3);
  test::RandomXml generator([&](std::size_t bound) { return random() % bound; });
  std::string content;
  while (content.size() < 3'000'000)
    content += "<m>" + generator.content({{"", ""}, {"a", "urn:a"}}) + "</m>\n";
  // Ids must differ.
  content = without_ids(content);
  const std::string good = site.sign_as_written(content, " xmlns:a='urn:a'");
  std::string bad = good;
  bad.replace(bad.rfind("<m>"), 3, "<n>").replace(bad.rfind("</m>"), 4, "</n>");

  constexpr std::size_t kFirst = 1024 * 1024;
  const audit::TreeVerifier tree_of_site(site.trust().snapshot(), verify::Window{});
  for (const std::string& text : {good, bad}) {
    std::string expected;
    for (const std::size_t block : {std::size_t{1}, std::size_t{7}, std::size_t{1000},
                                    std::size_t{4096}, std::size_t{64 * 1024}, text.size()}) {
      const verify::StreamVerifier stream_of_site(site.trust(), verify::Window{});
      for (const verify::Verifier* verifier :
           {static_cast<const verify::Verifier*>(&stream_of_site),
            static_cast<const verify::Verifier*>(&tree_of_site)}) {
        RawEnvelope raw;
        raw.octets = to_bytes(as_bytes(text).first(kFirst));
        raw.rest = std::make_shared<test::Blocks>(as_bytes(text).subspan(kFirst), block);
        test::BodyText reader;
        const auto verified = verifier->verify(raw, site.now, reader);
        std::string outcome = Fixture::verdict(verified);
        if (verified) {
          outcome += to_hex(verified->payload_digest()) + to_hex(verified->replay_key()) +
                     std::to_string(verified->payload_size()) + reader.text_read;
        }
        if (expected.empty()) expected = outcome;
        BOOST_TEST((outcome.substr(0, 4) == expected.substr(0, 4)), outcome.substr(0, 200));
        if (verified) BOOST_TEST((outcome == expected), "blocks of " << block);
      }
    }
    BOOST_TEST(expected.starts_with("accepted") == (text == good));
  }
}

BOOST_AUTO_TEST_CASE(a_body_with_text_beside_its_elements_is_refused) {
  for (const char* content : {"x<a/>", "<a/>x", "<a/>&#120;", "<a/><![CDATA[x]]>", "x"}) {
    test::SigningSite& site = this->site();
    const auto refused = verify(site.sign_as_written(content, ""), site.now, site.trust());
    BOOST_REQUIRE(!refused);
    BOOST_TEST((refused.error().code == ErrorCode::not_soap), content);
  }
}

BOOST_AUTO_TEST_CASE(random_bodies_that_are_signed_are_accepted) {
  std::mt19937 random(4);
  test::RandomXml generator([&](std::size_t bound) { return random() % bound; });
  test::SigningSite& site = this->site();
  for (int i = 0; i < 300; ++i) {
    const std::string content =
        "<m>" + without_ids(generator.content({{"", "urn:d"}, {"a", "urn:a"}, {"b", "urn:b"}})) +
        "</m>";
    const std::string text =
        site.sign_as_written(content, " xmlns='urn:d' xmlns:a='urn:a' xmlns:b='urn:b'");
    const auto verified = verify(text, site.now, site.trust());
    BOOST_REQUIRE_MESSAGE(verified, verified.error().detail << "\n" << text);
  }
}

BOOST_AUTO_TEST_CASE(a_prefix_list_may_have_any_white_space) {
  test::SigningSite& site = this->site();
  const std::string plain = site.sign("<m></m>");
  const auto listed = [&](const std::string& method, const std::string& list) {
    return replaced(plain, method + " Algorithm=\"" + std::string(xml::ns::kExcC14n) + "\">",
                    method + " Algorithm=\"" + std::string(xml::ns::kExcC14n) +
                        "\"><ec:InclusiveNamespaces xmlns:ec=\"" + std::string(xml::ns::kExcC14n) +
                        "\"" + list + "></ec:InclusiveNamespaces>");
  };
  for (const char* list : {" PrefixList='soap wsse'", " PrefixList='soap&#9;wsse'",
                           " PrefixList='&#10;soap&#13;&#10;wsse&#9;'", " PrefixList=''", ""}) {
    for (const char* method : {"<ds:CanonicalizationMethod", "<ds:Transform"}) {
      const std::string text = site.sign_again(listed(method, list));
      const auto verified = verify(text, site.now, site.trust());
      BOOST_REQUIRE_MESSAGE(verified, method << list << ": " << verified.error().detail);
      const auto refused = verify(replaced(text, "<m>", "<m x=\"\">"), site.now, site.trust());
      BOOST_REQUIRE(!refused);
      BOOST_TEST((refused.error().code == ErrorCode::signature_failed), method << list);
    }
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
