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

BOOST_AUTO_TEST_CASE(the_rule_that_was_broken_is_named) {
  const std::pair<std::string, std::string> heads[] = {
      {"GET / HTTP/1.1\r\nA : b\r\n", "a field's name with white space"},
      {"GET / HTTP/1.1\r\n b", "a line that begins with white space"},
      {"GET / HTTP/1.1\r\nA: b\x01", "a control character, in a field's value, at octet 21"},
      {"GET / HTTP/1.1\n", "the request line does not end with HTTP/1.1 and CR LF"},
      {"GET /<a>", "an octet in the request target"},
      {"\x16\x03\x01", "does not begin with a method, at octet 1"},
      {"GET / HTTP/2.0\r\n", "neither HTTP/1.1 nor HTTP/1.0"},
      {"GET / HTTP/1.1\r\nA: " + std::string(1000, 'b'), "larger than limits.header_bytes"},
      {"GET / HTTP/1.1\r\n" +
           [] {
             std::string fields;
             for (int i = 0; i < 101; ++i) fields += "a:\r\n";
             return fields;
           }(),
       "too many fields"},
      {"GET /" + std::string(1000, 'b'), "the request target is too long"},
  };
  for (const auto& [text, rule] : heads) {
    HeadScanner scanner(900);
    scanner.feed(text);
    BOOST_TEST_CONTEXT(text.substr(0, 40) << ": " << scanner.rule()) {
      BOOST_TEST(scanner.refused() != 0U);
      BOOST_TEST(scanner.rule().find(rule) != std::string::npos);
    }
  }
  const std::string line = "POST /services/aggregation HTTP/1.1\r\n", host = "Host: x\r\n";
  const std::pair<std::string, std::string> parsed[] = {
      {line + host + "Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length twice"},
      {line + host + "Content-Length: 5\r\ncontent-length: 6\r\n", "Content-Length twice"},
      {line + host + "Content-Length: 5, 5\r\n", "Content-Length with more than one value"},
      {line + host + "Content-Length: +5\r\n", "Content-Length is no number"},
      {line + host + "Content-Length:\r\n", "Content-Length is no number"},
      {line + host + "Content-Length: 18446744073709551620\r\n", "Content-Length is out of range"},
      {line + host + "Transfer-Encoding: gzip, chunked\r\n",
       "a Transfer-Encoding other than chunked"},
      {line + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
       "Transfer-Encoding twice"},
      {line + host + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
       "Content-Length beside Transfer-Encoding"},
      {"POST /services/aggregation HTTP/1.0\r\nTransfer-Encoding: chunked\r\n",
       "Transfer-Encoding in HTTP/1.0"},
      {line + "Content-Length: 0\r\n", "no Host"},
      {line + host + host, "Host twice"},
      {line + "Host: a b\r\n", "Host is not a host with an optional port"},
      {line + host + "SOAPAction: a\r\nsoapaction: b\r\n", "SOAPAction twice"},
      {"GET x HTTP/1.1\r\n" + host, "the request target has none of the four forms"},
      {"GET /none HTTP/1.1\r\n" + host, "there is nothing at this path"},
      {"PUT /health HTTP/1.1\r\n" + host, "this path takes GET, HEAD"},
      {line + host + "Expect: tea\r\n", "an expectation other than 100-continue"},
  };
  for (const auto& [text, rule] : parsed) {
    const auto head = server::parse_head(text + "\r\n");
    BOOST_TEST_CONTEXT(text) {
      BOOST_TEST(head.refused != 0U);
      BOOST_TEST(head.rule == rule);
    }
  }
  const std::pair<std::string, std::string> chunks[] = {
      {"x\r\n", "a chunk's size is no hexadecimal number, or too long"},
      {"1\r\nab", "a chunk does not end where its size says, with CR LF"},
      {"1;=\r\n", "a chunk extension is malformed or too long"},
      {"1\rx", "CR without LF after a chunk's size"},
      {"0\r\nContent-Length: 1\r\n",
       "a trailer field is malformed, too long or one that must not be there"},
  };
  for (const auto& [text, rule] : chunks) {
    ChunkDecoder decoder(1000, 50);
    Bytes room(100);
    decoder.decode(text, room);
    BOOST_TEST_CONTEXT(text) {
      BOOST_TEST((decoder.status() == Status::malformed));
      BOOST_TEST(decoder.rule() == rule);
    }
  }
}

// Its answer has no body then, and the log names the path.
BOOST_AUTO_TEST_CASE(a_refused_head_request_is_known_as_one) {
  for (const std::string fields : {"Content-Length: 1\r\nContent-Length: 1\r\n",
                                   "Transfer-Encoding: gzip\r\n", "Content-Length: x\r\n"}) {
    const auto head =
        server::parse_head("HEAD /health?x HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n");
    BOOST_TEST(head.refused == 400U, fields);
    BOOST_TEST(head.is_head, fields);
    BOOST_TEST(head.path == "/health", fields);
    const auto get = server::parse_head("GET / HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n");
    BOOST_TEST(get.refused == 400U, fields);
    BOOST_TEST(!get.is_head, fields);
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
