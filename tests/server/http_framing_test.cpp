#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include "base/bytes.h"
#include "server/chunk_decoder.h"
#include "server/head_scanner.h"
#include "server/request_head.h"

using namespace district;
using server::ChunkDecoder;
using server::HeadScanner;
using Status = ChunkDecoder::Status;

namespace {

struct Decoded {
  Status status;
  std::string body;
  std::size_t used;
};

Decoded decode(std::string_view text, std::size_t in_octets, std::size_t out_octets,
               std::uint64_t body_octets_max = 1000) {
  ChunkDecoder decoder(body_octets_max, 50);
  Decoded result{Status::more, {}, 0};
  Bytes room(out_octets);
  while (decoder.status() == Status::more && result.used < text.size()) {
    const auto step = decoder.decode(text.substr(result.used, in_octets), room);
    result.used += step.used;
    result.body += as_text(room).substr(0, step.decoded);
  }
  result.status = decoder.status();
  return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(framing_octets)

BOOST_AUTO_TEST_CASE(chunks_are_the_same_in_any_pieces_and_end_where_they_end) {
  const std::string text = "3;a=\"b\\\"c\" ; d\r\nabc\r\n00A\r\n0123456789\r\n0\r\nX: y\r\n\r\n";
  for (std::size_t in = 1; in < 12; ++in) {
    for (std::size_t out = 1; out < 12; ++out) {
      const auto result = decode(text + "GET /", in, out);
      BOOST_TEST((result.status == Status::complete));
      BOOST_TEST(result.body == "abc0123456789");
      BOOST_TEST(result.used == text.size());
    }
  }
  BOOST_TEST((decode(text.substr(0, text.size() - 1), 99, 99).status == Status::more));
}

BOOST_AUTO_TEST_CASE(a_chunk_beyond_the_limit_is_known_by_its_size) {
  BOOST_TEST((decode("3\r\nabc\r\n2\r\n", 99, 99, 4).status == Status::too_large));
  BOOST_TEST((decode("3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", 99, 99, 4).status == Status::complete));
  BOOST_TEST((decode("FFFFFFFFFFFFFFFF\r\n", 99, 99).status == Status::too_large));
  BOOST_TEST((decode("10000000000000000\r\n", 99, 99).status == Status::malformed));
}

BOOST_AUTO_TEST_CASE(what_is_around_chunks_is_bounded) {
  const std::string many(60, 'a');
  BOOST_TEST((decode("1;" + many + "\r\n", 9, 9).status == Status::malformed));
  BOOST_TEST((decode(std::string(60, '0') + "1\r\n", 9, 9).status == Status::malformed));
  BOOST_TEST((decode("0\r\n" + many + ":\r\n\r\n", 9, 9).status == Status::malformed));
}

BOOST_AUTO_TEST_CASE(a_head_is_refused_at_the_first_octet_that_cannot_belong_to_it) {
  const std::pair<std::string, unsigned> cases[] = {
      {"G\x16", 400},
      {" ", 400},
      {"GET /\t", 400},
      {"GET / HTTP/2.0\r", 505},
      {"GET / HTTP/1.1\n", 400},
      {"GET / h", 400},
      {"GET / HTTP/1.1\r\nA ", 400},
      {"GET / HTTP/1.1\r\nA: b\r\n ", 400},
  };
  for (const auto& [text, status] : cases) {
    BOOST_TEST_CONTEXT(text) {
      HeadScanner scanner(1000);
      scanner.feed(std::string_view(text).substr(0, text.size() - 1));
      BOOST_TEST(scanner.refused() == 0);
      scanner.feed(std::string_view(text).substr(text.size() - 1));
      BOOST_TEST(scanner.refused() == status);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_head_ends_with_its_first_empty_line) {
  HeadScanner scanner(1000);
  scanner.feed(
      "POST /services/aggregation HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n\r\n\r\n");
  BOOST_TEST(scanner.complete());
  BOOST_TEST(scanner.octets() == 67);
}

BOOST_AUTO_TEST_SUITE_END()
