#include <boost/test/unit_test.hpp>

#include <zlib.h>

#include <algorithm>
#include <string>

#include "base/limits.h"
#include "receive/gzip.h"
#include "receive/media_type.h"
#include "receive/receive.h"

using namespace district;

namespace {

constexpr std::size_t kOctetsMax = 1'000'000;
constexpr auto kAction = "http://urb-grade.eu/AggregateMessage";

Bytes gzip(std::string_view plain, int window_bits = MAX_WBITS + 16) {
  z_stream stream{};
  BOOST_REQUIRE(::deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes out(::deflateBound(&stream, plain.size()) + 32);
  stream.next_in = const_cast<Bytef*>(as_uchar(as_bytes(plain)));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  BOOST_REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

// Octets that arrive in small blocks.
class Blocks final : public ByteSource {
 public:
  explicit Blocks(Bytes octets) : octets_(std::move(octets)) {}
  Result<ByteView> next() override {
    ++calls;
    const auto left = ByteView(octets_).subspan(used_);
    const auto block = left.first(std::min<std::size_t>(left.size(), 1000));
    used_ += block.size();
    return block;
  }
  int calls = 0;

 private:
  const Bytes octets_;
  std::size_t used_ = 0;
};

receive::HttpRequest request(std::string_view body = "<a/>") {
  return {.content_type = "text/xml; charset=utf-8",
          .content_encoding = {},
          .soap_action = {},
          .peer = "192.0.2.1",
          .body = to_bytes(as_bytes(body))};
}

Result<RawEnvelope> receive_with(std::string_view content_type, std::string_view action = {}) {
  auto http = request();
  http.content_type = content_type;
  http.soap_action = action;
  return receive::make_raw_envelope(std::move(http), kOctetsMax);
}

Result<RawEnvelope> receive_coded(std::string_view coding, Bytes body,
                                  std::size_t max = kOctetsMax) {
  auto http = request();
  http.content_encoding = coding;
  http.body = std::move(body);
  return receive::make_raw_envelope(std::move(http), max);
}

Result<RawEnvelope> receive_whole(std::string_view coding, Bytes body,
                                  std::size_t max = kOctetsMax) {
  DISTRICT_TRY(auto raw, receive_coded(coding, std::move(body), max));
  DISTRICT_CHECK(receive::collect_rest(raw));
  return raw;
}

ErrorCode code_of(const Result<RawEnvelope>& result) {
  BOOST_REQUIRE(!result);
  return result.error().code;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(raw_envelope)

BOOST_AUTO_TEST_CASE(keeps_octets_and_headers_as_sent) {
  auto http = request("\xef\xbb\xbf<a/>\r\n");
  http.soap_action = std::string_view("\"http://urb-grade.eu/AggregateMessage\"");
  http.content_type = "Text/XML; Charset=\"UTF-8\"";
  const auto raw = receive::make_raw_envelope(std::move(http), kOctetsMax);
  BOOST_REQUIRE(raw);
  BOOST_TEST(as_text(raw->octets) == "\xef\xbb\xbf<a/>\r\n");
  BOOST_TEST(raw->content_type == "Text/XML; Charset=\"UTF-8\"");
  BOOST_TEST(raw->charset == "utf-8");
  BOOST_TEST(raw->soap_action == kAction);
  BOOST_TEST(raw->peer == "192.0.2.1");
  BOOST_TEST((raw->soap_version == SoapVersion::v11));
}

BOOST_AUTO_TEST_CASE(soap_action_is_ours_quoted_bare_or_empty) {
  for (const char* ok : {"", "\"\"", "http://urb-grade.eu/AggregateMessage",
                         " \"http://urb-grade.eu/AggregateMessage\" "}) {
    BOOST_TEST_CONTEXT(ok) { BOOST_TEST(receive_with("text/xml", ok).has_value()); }
  }
  for (const char* bad :
       {"\"urn:other\"", "urn:other", "\"", "\"http://urb-grade.eu/AggregateMessage",
        "http://urb-grade.eu/AggregateMessage\"", "http://urb-grade.eu/aggregatemessage"}) {
    BOOST_TEST_CONTEXT(bad) {
      BOOST_TEST((code_of(receive_with("text/xml", bad)) == ErrorCode::not_soap));
    }
  }
}

BOOST_AUTO_TEST_CASE(soap_12_has_its_action_in_the_media_type) {
  const auto with = receive_with(
      "application/soap+xml;charset=UTF-16;action=\"http://urb-grade.eu/AggregateMessage\"");
  BOOST_REQUIRE(with);
  BOOST_TEST((with->soap_version == SoapVersion::v12));
  BOOST_TEST(with->soap_action == kAction);
  BOOST_TEST(with->charset == "utf-16");
  BOOST_TEST(receive_with("application/soap+xml").has_value());
  BOOST_TEST(
      (code_of(receive_with("application/soap+xml; action=\"urn:x\"")) == ErrorCode::not_soap));
  BOOST_TEST((code_of(receive_with("application/soap+xml", "urn:x")) == ErrorCode::not_soap));
}

BOOST_AUTO_TEST_CASE(other_media_types_are_unsupported) {
  for (const char* bad :
       {"", "text/plain", "application/xml", "text/xml2", "text", "text/", "/xml", "text /xml",
        "text/xml charset=utf-8", "text/xml; charset",
        "text/xml; charset=", "text/xml; charset =utf-8", "text/xml; charset=\"utf-8",
        "text/xml; charset=utf-8; CHARSET=utf-16", "text/xml, text/plain", "text/xml; a=\"\x01\"",
        "multipart/related; type=\"application/xop+xml\"; start-info=\"text/xml\"; boundary=x"}) {
    BOOST_TEST_CONTEXT(bad) {
      BOOST_TEST((code_of(receive_with(bad)) == ErrorCode::unsupported_media));
    }
  }
}

BOOST_AUTO_TEST_CASE(media_type_parameters_follow_rfc_9110) {
  const auto media = receive::parse_media_type("text/xml ; a=\"x;\\\"y\" ;; b=1");
  BOOST_TEST(!media);
  const auto good = receive::parse_media_type("text/xml ; A=\"x;\\\"y\" ; b=1;");
  BOOST_REQUIRE(good);
  BOOST_TEST(*good->find("a") == "x;\"y");
  BOOST_TEST(*good->find("b") == "1");
  BOOST_TEST(good->find("c") == nullptr);
  std::string many = "text/xml";
  for (int i = 0; i < 17; ++i) many += "; p" + std::to_string(i) + "=1";
  BOOST_TEST(!receive::parse_media_type(many));
}

BOOST_AUTO_TEST_CASE(version_of_a_refusal_goes_by_media_type) {
  BOOST_TEST((receive::soap_version("Application/SOAP+xml; x") == SoapVersion::v12));
  BOOST_TEST((receive::soap_version("text/xml") == SoapVersion::v11));
  BOOST_TEST((receive::soap_version("") == SoapVersion::v11));
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(content_coding)

BOOST_AUTO_TEST_CASE(gzip_and_identity_are_decoded) {
  const std::string plain = "<a>" + std::string(300'000, 'x') + "</a>";
  for (const char* coding : {"gzip", "GZIP", "x-gzip", " gzip "}) {
    const auto raw = receive_whole(coding, gzip(plain));
    BOOST_REQUIRE(raw);
    BOOST_TEST((as_text(raw->octets) == plain));
    BOOST_TEST(raw->content_encoding == coding);
  }
  BOOST_TEST(as_text(receive_whole("identity", to_bytes(as_bytes("<a/>")))->octets) == "<a/>");
}

BOOST_AUTO_TEST_CASE(other_codings_are_unsupported) {
  for (const char* bad : {"deflate", "br", "zstd", "gzip, gzip", "identity, gzip"}) {
    BOOST_TEST_CONTEXT(bad) {
      BOOST_TEST((code_of(receive_coded(bad, gzip("<a/>"))) == ErrorCode::unsupported_media));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_bound_holds_for_the_decoded_size) {
  const std::string plain(100'000, 'x');
  BOOST_TEST(receive_whole("gzip", gzip(plain), plain.size()).has_value());
  BOOST_TEST(
      (code_of(receive_whole("gzip", gzip(plain), plain.size() - 1)) == ErrorCode::too_large));
  BOOST_TEST((code_of(receive_whole("", Bytes(11), 10)) == ErrorCode::too_large));
  // A thousandfold bomb stops at the bound.
  const auto bomb = gzip(std::string(20'000'000, '\0'));
  BOOST_TEST(bomb.size() < 30'000u);
  BOOST_TEST((code_of(receive_whole("gzip", bomb, 1000)) == ErrorCode::too_large));
}

BOOST_AUTO_TEST_CASE(a_large_envelope_is_decoded_as_it_is_asked_for) {
  std::string plain;
  for (std::size_t i = 0; i < 5'000'000; ++i) plain += static_cast<char>(i * i % 251);
  const auto coded = gzip(plain);
  for (const auto& [coding, body] :
       {std::pair<std::string, Bytes>{"gzip", coded}, {"", to_bytes(as_bytes(plain))}}) {
    // All here, or arriving.
    for (const bool arriving : {false, true}) {
      auto http = request();
      http.content_encoding = coding;
      http.body = body;
      if (arriving) {
        const auto middle = static_cast<std::ptrdiff_t>(
            std::min<std::size_t>(limits::kWholeOctetsMax, http.body.size() / 2));
        http.rest = std::make_shared<Blocks>(Bytes(http.body.begin() + middle, http.body.end()));
        http.body.resize(static_cast<std::size_t>(middle));
      }
      auto raw = receive::make_raw_envelope(std::move(http), plain.size());
      BOOST_REQUIRE(raw);
      BOOST_TEST(raw->octets.size() ==
                 (coding.empty() ? limits::kWholeOctetsMax : limits::kBlockOctets));
      BOOST_REQUIRE(raw->rest);
      auto block = raw->rest->next();
      BOOST_REQUIRE(block);
      BOOST_TEST(block->size() <= limits::kBlockOctets);
      raw->octets.insert(raw->octets.end(), block->begin(), block->end());
      BOOST_REQUIRE(receive::collect_rest(*raw));
      BOOST_TEST((as_text(raw->octets) == plain));
      BOOST_TEST(!raw->rest);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_envelope_of_one_block_is_decoded_whole) {
  const std::string plain(limits::kBlockOctets - 1, 'x');
  const auto whole = receive_coded("gzip", gzip(plain), plain.size());
  BOOST_REQUIRE(whole);
  BOOST_TEST((as_text(whole->octets) == plain));
  BOOST_TEST(!whole->rest);
  auto damaged = gzip(plain);
  damaged.back() ^= std::byte{1};
  BOOST_TEST((code_of(receive_coded("gzip", damaged, plain.size())) == ErrorCode::xml_malformed));
}

BOOST_AUTO_TEST_CASE(a_bomb_costs_no_more_than_its_first_block_until_more_is_asked_for) {
  const auto bomb = gzip(std::string(30'000'000, '\0'));
  BOOST_TEST(bomb.size() < 40'000u);
  auto http = request();
  http.content_encoding = "gzip";
  const std::size_t first = 4096;  // more than its first block needs
  http.body.assign(bomb.begin(), bomb.begin() + first);
  const auto rest = std::make_shared<Blocks>(Bytes(bomb.begin() + first, bomb.end()));
  http.rest = rest;
  auto raw = receive::make_raw_envelope(std::move(http), 20'000'000);
  BOOST_REQUIRE(raw);
  BOOST_TEST(raw->octets.size() == limits::kBlockOctets);
  BOOST_TEST(rest->calls == 0);
  // Even then it stops at the bound, and stays stopped.
  const auto all = receive::collect_rest(*raw);
  BOOST_REQUIRE(!all);
  BOOST_TEST((all.error().code == ErrorCode::too_large));
  BOOST_TEST(raw->octets.size() <= 20'000'000u);
  BOOST_TEST(!raw->rest->next());
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_stream_is_found_at_its_end) {
  const std::string plain(3'000'000, 'x');
  const auto good = gzip(plain);
  auto garbage = good;
  garbage.push_back(std::byte{0});
  auto flipped = good;
  flipped[flipped.size() - 6] ^= std::byte{1};  // in the checksum
  const Bytes cut(good.begin(), good.end() - 1);
  for (const auto& bad : {garbage, flipped, cut}) {
    auto raw = receive_coded("gzip", bad, plain.size());
    BOOST_REQUIRE(raw);
    const auto all = receive::collect_rest(*raw);
    BOOST_REQUIRE(!all);
    BOOST_TEST((all.error().code == ErrorCode::xml_malformed));
  }
  auto http = request();
  http.body = Bytes(100);
  http.rest = std::make_shared<Blocks>(Bytes(1000));
  auto raw = receive::make_raw_envelope(std::move(http), 1050);
  BOOST_REQUIRE(raw);
  BOOST_TEST((receive::collect_rest(*raw).error().code == ErrorCode::too_large));
}

// Whatever pieces it is read in: what a limit says of it must not depend on them.
BOOST_AUTO_TEST_CASE(a_cut_stream_gives_all_it_holds_before_it_is_refused) {
  const auto whole = gzip(std::string(3000, 'x'));
  for (std::size_t size = 1; size + 1 < whole.size(); ++size) {
    Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    Bytes all(4000);
    z_stream by_zlib{};
    BOOST_REQUIRE_EQUAL(::inflateInit2(&by_zlib, MAX_WBITS + 16), Z_OK);
    by_zlib.next_in = reinterpret_cast<Bytef*>(cut.data());
    by_zlib.avail_in = static_cast<uInt>(cut.size());
    by_zlib.next_out = reinterpret_cast<Bytef*>(all.data());
    by_zlib.avail_out = static_cast<uInt>(all.size());
    BOOST_TEST(::inflate(&by_zlib, Z_NO_FLUSH) == Z_OK);
    ::inflateEnd(&by_zlib);

    receive::Gunzip stream(std::make_unique<Blocks>(cut), all.size());
    std::size_t octets = 0;
    Bytes one(1);
    auto read = stream.read(one);
    for (; read && *read == 1; read = stream.read(one)) ++octets;
    BOOST_TEST(octets == by_zlib.total_out);
    BOOST_REQUIRE(!read);
    BOOST_TEST((read.error().code == ErrorCode::xml_malformed));
  }
}

BOOST_AUTO_TEST_CASE(a_gzip_body_says_how_large_it_is) {
  const auto large = gzip(std::string(1'048'577, 'x'));
  BOOST_TEST(receive::claims_to_be_large("GZIP ", large));
  BOOST_TEST(!receive::claims_to_be_large("", large));
  BOOST_TEST(!receive::claims_to_be_large("gzip", gzip(std::string(1'048'576, 'x'))));
  BOOST_TEST(!receive::claims_to_be_large("gzip", Bytes(3)));
  BOOST_TEST(receive::claims_to_be_large("", Bytes(1'048'577)));
}

BOOST_AUTO_TEST_CASE(a_gzip_stream_is_whole_and_alone) {
  const auto good = gzip("<a>whole</a>");
  auto two = good;
  two.insert(two.end(), good.begin(), good.end());
  auto garbage = good;
  garbage.push_back(std::byte{0});
  auto flipped = good;
  flipped[flipped.size() - 6] ^= std::byte{1};  // in the checksum
  const Bytes cut(good.begin(), good.end() - 1);
  for (const auto& bad : {two, garbage, flipped, cut, Bytes{}, to_bytes(as_bytes("<a/>")),
                          gzip("<a/>", MAX_WBITS), gzip("<a/>", -MAX_WBITS)}) {
    BOOST_TEST((code_of(receive_coded("gzip", bad)) == ErrorCode::xml_malformed));
  }
}

BOOST_AUTO_TEST_SUITE_END()
