#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>
#include <vector>

#include "running_server.h"

using namespace district;
using namespace district::test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(requests)

BOOST_AUTO_TEST_CASE(a_connection_serves_many_requests_also_pipelined) {
  Running running;
  TlsClient client(running.port());
  BOOST_REQUIRE(client.ready());
  auto answer = client.ask(post("one", "SOAPAction: \"a\"\r\nContent-Encoding: gzip\r\n"));
  BOOST_TEST(answer.status == 200);
  BOOST_TEST(answer.body == "body=one type=text/xml coding=gzip action=\"a\" peer=127.0.0.1");
  BOOST_TEST(!answer.has("Server:"));
  BOOST_TEST(answer.has("Date: "));
  client.send(post("two") + post("three") + get("/health") + post("four"));
  BOOST_TEST(client.read().body.starts_with("body=two "));
  BOOST_TEST(client.read().body.starts_with("body=three "));
  BOOST_TEST(client.read().body == "ok\n");
  BOOST_TEST(client.read().body.starts_with("body=four "));
}

BOOST_AUTO_TEST_CASE(connections_end_when_the_client_asks) {
  Running running;
  TlsClient close(running.port());
  BOOST_TEST(close.ask(post("x", "Connection: close\r\n")).has("Connection: close"));
  BOOST_TEST(close.ended());
  TlsClient old(running.port());
  BOOST_TEST(old.ask("POST /services/aggregation HTTP/1.0\r\nContent-Length: 1\r\n\r\nx").status ==
             200);
  BOOST_TEST(old.ended());
}

BOOST_AUTO_TEST_CASE(chunked_bodies_are_put_together) {
  Running running;
  TlsClient client(running.port());
  auto answer = client.ask(chunked("3\r\nabc\r\n00A;ext=1\r\n0123456789\r\n0\r\n\r\n"));
  BOOST_TEST(answer.body.starts_with("body=abc0123456789 "));
  const std::string large(150'000, 'x');
  answer = client.ask(chunked("249f0\r\n" + large + "\r\n0\r\n\r\n"));
  BOOST_TEST(answer.status == 200);
  BOOST_TEST(answer.body.size() > large.size());
}

BOOST_AUTO_TEST_CASE(trailers_do_not_become_header_fields) {
  Running running;
  TlsClient client(running.port());
  const auto answer =
      client.ask(chunked("1\r\na\r\n0\r\nContent-Encoding: gzip\r\nSOAPAction: x\r\n\r\n"));
  BOOST_TEST(answer.body == "body=a type= coding= action= peer=127.0.0.1");
}

BOOST_AUTO_TEST_CASE(expect_100_continue_is_answered) {
  Running running;
  TlsClient client(running.port());
  client.send(
      "POST /services/aggregation HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: "
      "3\r\n"
      "Expect: 100-continue\r\n\r\n");
  BOOST_TEST(client.read().status == 100);
  BOOST_TEST(client.ask("abc").status == 200);
  // A body that is refused is not asked for.
  client.send(
      "POST /services/aggregation HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: "
      "300000\r\n"
      "Expect: 100-continue\r\n\r\n");
  BOOST_TEST(client.read().status == 413);
  TlsClient other(running.port());
  BOOST_TEST(other.ask(post("", "Expect: tea\r\n")).status == 417);
  // Nor one whose fields are refused whatever it is.
  TlsClient json(running.port());
  json.send(
      "POST /services/aggregation HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
      "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  BOOST_TEST(json.read().status != 100);
}

BOOST_AUTO_TEST_CASE(get_gives_documents_and_health) {
  Running running;
  TlsClient client(running.port());
  BOOST_TEST(client.ask(get("/services/aggregation?wsdl")).body == "<wsdl/>");
  BOOST_TEST(client.ask(get("https://any/services/aggregation?wsdl")).body == "<wsdl/>");
  BOOST_TEST(client.ask("\r\n" + get("/health")).body == "ok\n");
  BOOST_TEST(client.ask(get("/services/aggregation")).status == 404);
  BOOST_TEST(client.ask(get("/services/aggregation?xsd=../../etc/passwd")).status == 404);
  client.send(get("/services/aggregation?wsdl", "HEAD"));
  const auto head = client.read(false);
  BOOST_TEST(head.status == 200);
  BOOST_TEST(head.has("Content-Length: 7\r\n"));
  BOOST_TEST(client.ask(get("/health")).body == "ok\n");
}

BOOST_AUTO_TEST_CASE(unknown_paths_and_methods_are_refused_without_an_echo) {
  Running running;
  TlsClient client(running.port());
  for (const char* path :
       {"/", "/services/aggregation/", "/services/Aggregation", "/services//aggregation",
        "/x/../services/aggregation", "/services/aggregation%2F", "/%3Cscript%3E"}) {
    const auto answer = client.ask(get(path));
    BOOST_TEST_CONTEXT(path) {
      BOOST_TEST(answer.status == 404);
      BOOST_TEST(answer.body == "not found\n");
    }
  }
  auto answer = client.ask(get("/services/aggregation", "DELETE"));
  BOOST_TEST(answer.status == 405);
  BOOST_TEST(answer.has("Allow: GET, HEAD, POST\r\n"));
  answer = client.ask(get("/health", "POST"));
  BOOST_TEST(answer.status == 405);
  BOOST_TEST(answer.has("Allow: GET, HEAD\r\n"));
  BOOST_TEST(running.application.posts() == 0);
  // What is refused without being read ends the connection.
  BOOST_TEST(
      client.ask("PUT /services/aggregation HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
          .status == 405);
  BOOST_TEST(client.ended());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(framing)

BOOST_AUTO_TEST_CASE(doubtful_framing_is_400_and_ends_the_connection) {
  Running running;
  const std::string line = "POST /services/aggregation HTTP/1.1\r\nHost: x\r\n";
  const std::string smuggled = get("/health");
  const std::vector<std::string> cases = {
      line + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
      line + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + smuggled,
      line + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab" + smuggled,
      line + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na" + smuggled,
      line + "Content-Length: 1, 1\r\n\r\na" + smuggled,
      line + "Content-Length: +1\r\n\r\na" + smuggled,
      line + "Content-Length: -1\r\n\r\na" + smuggled,
      line + "Content-Length: 0x1\r\n\r\na" + smuggled,
      line + "Content-Length: 1 1\r\n\r\na" + smuggled,
      line + "Content-Length:\r\n\r\n" + smuggled,
      line + "Content-Length: 99999999999999999999999\r\n\r\n" + smuggled,
      line + "Content-Length : 1\r\n\r\na" + smuggled,
      line + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + smuggled,
      line + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + smuggled,
      line + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + smuggled,
      line + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" +
          smuggled,
      line + "Transfer-Encoding: identity\r\n\r\n" + smuggled,
      line + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + smuggled,
      "POST /services/aggregation HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
          smuggled,
      line + "Host: y\r\nContent-Length: 0\r\n\r\n",
      line + "Content-Type: text/xml\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n",
      line + "SOAPAction: a\r\nsoapaction: b\r\nContent-Length: 0\r\n\r\n",
      "POST /services/aggregation HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
      "POST /services/aggregation\r\n\r\n",
      "GET /health HTTP/1.1\nHost: x\n\n\r\n\r\n",
      line + "A: b\x01\r\n\r\n",
      line + "A\r\n\r\n",
      chunked("x\r\nabc\r\n0\r\n\r\n") + smuggled,
      chunked("-1\r\nabc\r\n0\r\n\r\n") + smuggled,
      chunked("1\r\nabc\r\n0\r\n\r\n") + smuggled,
      chunked("FFFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n") + smuggled,
      chunked("3\nabc\r\n0\r\n\r\n") + smuggled,
      chunked("3;" + std::string(8000, 'x') + "\r\nabc\r\n0\r\n\r\n") + smuggled,
      "\x16\x03\x01 not http",
  };
  for (const auto& text : cases) {
    BOOST_TEST_CONTEXT(text.substr(0, 200)) {
      TlsClient client(running.port());
      const auto answer = client.ask(text);
      BOOST_TEST(answer.status == 400);
      BOOST_TEST(answer.body.starts_with("bad request: "));
      BOOST_TEST(answer.body.size() < 200U);
      BOOST_TEST(answer.has("Connection: close"));
      BOOST_TEST(client.ended());
    }
  }
  BOOST_TEST(running.application.posts() == 0);
}

BOOST_AUTO_TEST_CASE(a_head_beyond_a_limit_is_431_or_414) {
  Running running;
  std::string many_fields;
  for (int i = 0; i < 101; ++i) many_fields += "a:\r\n";
  const std::pair<std::string, int> cases[] = {
      {"GET /" + std::string(5000, 'a') + " HTTP/1.1\r\n\r\n", 414},
      {"GET /health HTTP/1.1\r\nHost: x\r\nA: " + std::string(20'000, 'a') + "\r\n\r\n", 431},
      {"GET /health HTTP/1.1\r\nHost: x\r\n" + many_fields + "\r\n", 431},
  };
  for (const auto& [text, status] : cases) {
    TlsClient client(running.port());
    BOOST_TEST(client.ask(text).status == status);
    BOOST_TEST(client.ended());
  }
}

BOOST_AUTO_TEST_SUITE_END()
