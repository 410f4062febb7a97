// What the stream verifier reads, when, and how often: the verdicts themselves are in tests/vectors
// and, side by side with those of the other verifier, in tests/audit.
#include "verify/stream_verifier.h"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>

#include "../support/body_text.h"
#include "../support/signing_site.h"
#include "base/limits.h"
#include "crypto/digest.h"

namespace {

using namespace district;

// What follows the first octets, until there is an error or an end; counts who asks.
class Rest final : public ByteSource {
 public:
  explicit Rest(std::string text, bool cut = false) : text_(std::move(text)), cut_(cut) {}
  Result<ByteView> next() override {
    ++asked;
    if (asked == 1) return as_bytes(text_);
    if (cut_) return fail(ErrorCode::request_cut, "the peer is gone");
    return ByteView{};
  }

  std::size_t asked = 0;

 private:
  std::string text_;
  bool cut_;
};

std::string long_content() {
  std::string text;
  while (text.size() < 1'200'000) text += "<a>" + std::string(1000, 'x') + "</a>";
  return text;
}

struct Fixture {
  RawEnvelope small(const std::string& text) const {
    RawEnvelope raw;
    raw.octets = to_bytes(as_bytes(text));
    return raw;
  }
  // The first MiB, and the rest behind it.
  RawEnvelope large(const std::string& text, bool cut = false) {
    const std::size_t first = 1024 * 1024;
    RawEnvelope raw = small(text.substr(0, first));
    rest = std::make_shared<Rest>(text.substr(first), cut);
    raw.rest = rest;
    return raw;
  }
  ErrorCode verify(const RawEnvelope& raw) {
    reader = {};
    const auto verified = verifier.verify(raw, site().now, reader);
    return verified ? ErrorCode{} : verified.error().code;
  }
  static test::SigningSite& site() {
    static test::SigningSite made;
    return made;
  }

  struct Reader final : verify::BodyReader {
    void begin(const verify::Sender& sender, const verify::TrustPtr& trust, Instant) override {
      BOOST_TEST(++begun == 1);
      BOOST_TEST(sender.enrolments.size() == 1U);
      BOOST_TEST(trust != nullptr);
    }
    void start_element(const xml::StartTag&) override {
      ++elements;
      BOOST_TEST(begun == 1);
    }
    void text(std::string_view) override { BOOST_TEST(begun == 1); }
    void end_element() override { BOOST_TEST(begun == 1); }
    int begun = 0;
    std::size_t elements = 0;
  };

  verify::StreamVerifier verifier{site().trust(), verify::Window{}};
  std::shared_ptr<Rest> rest;
  Reader reader;
};

std::string changed(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  BOOST_REQUIRE_MESSAGE(at != std::string::npos, from);
  return text.replace(at, from.size(), to);
}

constexpr ErrorCode kAccepted{};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(stream_verifier, Fixture)

BOOST_AUTO_TEST_CASE(a_large_envelope_is_read_to_its_end_and_digested_whole) {
  const std::string text = site().sign(long_content());
  const auto raw = large(text);
  const auto verified = verifier.verify(raw, site().now, reader);
  BOOST_REQUIRE_MESSAGE(verified, verified.error().detail);
  BOOST_TEST(verified->payload_size() == text.size());
  BOOST_TEST(to_hex(verified->payload_digest()) == to_hex(crypto::sha256(as_bytes(text))));
  BOOST_TEST(reader.elements > 1000U);
  BOOST_TEST(verified->was_read_by(reader));
  const Reader other;
  BOOST_TEST(!verified->was_read_by(other));
}

BOOST_AUTO_TEST_CASE(a_digest_that_fails_at_the_end_is_a_failed_signature) {
  const std::string text = site().sign(long_content() + "<b>1</b>");
  BOOST_TEST((verify(large(changed(text, "<b>1</b>", "<b>2</b>"))) == ErrorCode::signature_failed));
  BOOST_TEST(reader.elements > 1000U);
  BOOST_TEST((verify(large(text)) == kAccepted));
}

BOOST_AUTO_TEST_CASE(a_source_that_fails_in_the_middle_ends_it_with_its_error) {
  const std::string text = site().sign(long_content());
  BOOST_TEST((verify(large(text, true)) == ErrorCode::request_cut));
  BOOST_TEST((verify(large(text)) == kAccepted));
  // Cut, but looking like an end.
  BOOST_TEST((verify(large(text.substr(0, text.size() - 20))) == ErrorCode::xml_malformed));
}

BOOST_AUTO_TEST_CASE(nothing_is_read_behind_a_header_that_is_not_good) {
  const std::string good = site().sign(long_content());
  const std::string value_at = "<ds:SignatureValue>";
  std::string bad_signature = good;
  char& digit = bad_signature[bad_signature.find(value_at) + value_at.size() + 5];
  digit = digit == 'A' ? 'B' : 'A';
  std::string not_signed = xml::write_plain_envelope(SoapVersion::v11, long_content());
  const std::pair<std::string, ErrorCode> cases[] = {
      {bad_signature, ErrorCode::signature_failed},
      {not_signed, ErrorCode::security_invalid},
      {changed(good, "<ds:DigestValue>", "<ds:DigestValue>AAAA"), ErrorCode::security_invalid},
      {changed(good, "<wsu:Created>2", "<wsu:Created>3"), ErrorCode::security_invalid},
      {changed(good, "</soap:Header>", "</soap:Header>x"), ErrorCode::not_soap},
      {"<?x?>" + good, ErrorCode::xml_forbidden},
  };
  for (const auto& [text, code] : cases) {
    const auto refused = verify(large(text));
    BOOST_TEST(static_cast<int>(refused) == static_cast<int>(code));
    BOOST_TEST(rest->asked == 0U);
    BOOST_TEST(reader.begun == 0);
    BOOST_TEST(reader.elements == 0U);
  }
  // Too late, and too early.
  for (const auto by : {std::chrono::minutes(5), std::chrono::minutes(-2)}) {
    const auto raw = large(good);
    const auto verified = verifier.verify(raw, site().now + by, reader);
    BOOST_REQUIRE(!verified);
    BOOST_TEST((verified.error().code == ErrorCode::message_expired));
    BOOST_TEST(rest->asked == 0U);
    BOOST_TEST(reader.begun == 0);
  }
}

// The trust in memory still allows it, and the Body is not even what was signed.
BOOST_AUTO_TEST_CASE(no_body_of_a_signer_that_was_revoked_meanwhile_is_read) {
  const std::pair<std::string, bool> cases[] = {{"<b>1</b>", false},
                                                {long_content() + "<b>1</b>", true}};
  for (const auto& [content, is_large] : cases) {
    test::SigningSite site;
    const verify::StreamVerifier its_verifier{site.trust(), verify::Window{}};
    const auto text = changed(site.sign(content), "<b>1</b>", "<b>2</b>");
    BOOST_TEST((its_verifier.verify(small(text), site.now, reader).error().code ==
                ErrorCode::signature_failed));
    site.revoke();
    reader = {};
    const auto refused =
        its_verifier.verify(is_large ? large(text) : small(text), site.now, reader);
    BOOST_TEST((refused.error().code == ErrorCode::token_invalid));
    BOOST_TEST(reader.begun == (is_large ? 0 : 1));
    reader = {};
  }
}

BOOST_AUTO_TEST_CASE(bodies_that_fail_under_one_header_are_read_so_often_and_no_more) {
  const std::string captured = site().sign(long_content() + "<b>1</b>");
  const std::string other = site().sign("<b>1</b>");
  for (std::size_t i = 0; i < limits::kFailedBodiesMax; ++i) {
    const auto text = changed(captured, "<b>1</b>", "<b>" + std::to_string(i + 2) + "</b>");
    BOOST_TEST((verify(large(text)) == ErrorCode::signature_failed));
    BOOST_TEST(rest->asked > 0U);
  }
  for (const std::string& text : {changed(captured, "<b>1</b>", "<b>x</b>"), captured}) {
    BOOST_TEST((verify(large(text)) == ErrorCode::overloaded));
    BOOST_TEST(rest->asked == 0U);
    BOOST_TEST(reader.begun == 0);
  }
  // Another spelling of the same signature is the same; another signature is not.
  BOOST_TEST((verify(large(changed(captured, "<soap:Header>", "<soap:Header> "))) ==
              ErrorCode::overloaded));
  BOOST_TEST((verify(small(other)) == kAccepted));
}

BOOST_AUTO_TEST_CASE(every_way_to_fail_behind_a_header_counts) {
  const std::string text = site().sign(long_content() + "<b>1</b>");
  const std::string bad[] = {text, changed(text, "<b>1</b>", "<?x?>"),
                             changed(text, "<b>1</b>", "</b>"), changed(text, "<b>1</b>", "]]>"),
                             changed(text, "</soap:Body>", "</soap:Body><x/>")};
  for (std::size_t i = 0; i < limits::kFailedBodiesMax; ++i) {
    const auto refused = verify(large(bad[i % std::size(bad)], true));
    BOOST_TEST((refused != kAccepted && refused != ErrorCode::overloaded));
    BOOST_TEST(reader.begun == 1);
  }
  BOOST_TEST((verify(large(text)) == ErrorCode::overloaded));
}

BOOST_AUTO_TEST_CASE(a_body_that_is_good_does_not_count) {
  const std::string text = site().sign(long_content() + "<b>1</b>");
  for (std::size_t i = 0; i < 3 * limits::kFailedBodiesMax; ++i)
    BOOST_TEST((verify(large(text)) == kAccepted));
}

BOOST_AUTO_TEST_CASE(forged_bodies_keep_a_small_envelope_from_nothing) {
  const std::string filled = "<a>" + std::string(limits::kUncountedOctetsMax - 8192, 'x') + "</a>";
  const std::string text = site().sign(filled + "<b>1</b>");
  const std::string forged = changed(text, "<b>1</b>", "<b>2</b>");
  BOOST_REQUIRE(text.size() <= limits::kUncountedOctetsMax);
  for (std::size_t i = 0; i < 3 * limits::kFailedBodiesMax; ++i)
    BOOST_TEST((verify(small(forged)) == ErrorCode::signature_failed));
  BOOST_TEST((verify(small(text)) == kAccepted));
  // Above that size it is counted, though it is read at once.
  const std::string longer = changed(forged, "<b>2</b>", "<b>" + std::string(8192, '2') + "</b>");
  BOOST_REQUIRE(longer.size() > limits::kUncountedOctetsMax);
  for (std::size_t i = 0; i < limits::kFailedBodiesMax; ++i)
    BOOST_TEST((verify(small(longer)) == ErrorCode::signature_failed));
  BOOST_TEST((verify(small(longer)) == ErrorCode::overloaded));
  BOOST_TEST((verify(small(text)) == kAccepted));
}

BOOST_AUTO_TEST_CASE(ids_in_the_body_are_unique_and_bounded) {
  BOOST_TEST((verify(small(site().sign("<b Id=\"1\"></b><b ID=\"2\"></b>"))) == kAccepted));
  BOOST_TEST((verify(small(site().sign("<b Id=\"1\"></b><b ID=\"1\"></b>"))) ==
              ErrorCode::security_invalid));
  // An id of the header again, in the Body.
  const std::string text = site().sign("<b Id=\"later\"></b>");
  const auto at = text.find(" wsu:Id=\"") + 9;
  const std::string id = text.substr(at, text.find('"', at) - at);
  BOOST_TEST((verify(small(changed(text, "later", id))) == ErrorCode::security_invalid));
  std::string many;
  for (std::size_t i = 0; i < limits::kXmlIdsMax; ++i)
    many += "<b Id=\"i" + std::to_string(i) + "\"></b>";
  BOOST_TEST((verify(small(site().sign(many))) == ErrorCode::limit_exceeded));
}

BOOST_AUTO_TEST_CASE(text_and_encrypted_parts_have_no_place_in_a_body) {
  BOOST_TEST((verify(small(site().sign("x<b></b>"))) == ErrorCode::not_soap));
  BOOST_TEST((verify(small(site().sign("<b></b>x"))) == ErrorCode::not_soap));
  BOOST_TEST((verify(small(site().sign(" <b></b>\n"))) == kAccepted));
  BOOST_TEST((verify(small(site().sign(
                  "<b><e:x xmlns:e=\"http://www.w3.org/2001/04/xmlenc#\"></e:x></b>"))) ==
              ErrorCode::algorithm_unsupported));
}

BOOST_AUTO_TEST_SUITE_END()
