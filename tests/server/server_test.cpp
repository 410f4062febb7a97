#include <boost/test/unit_test.hpp>

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iterator>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "observe/events.h"
#include "server/routes.h"
#include "server/server.h"
#include "server/signals.h"
#include "tls_client.h"

using namespace district;
using namespace std::chrono_literals;
using test::HttpAnswer;
using test::TcpClient;
using test::TlsClient;
namespace fs = std::filesystem;

namespace {

// A throw-away certificate for the whole run.
struct Pki {
  Pki() : folder(fs::temp_directory_path() / ("district-server-" + std::to_string(::getpid()))) {
    fs::create_directories(folder);
    make("server");
    make("other");
    ::signal(SIGPIPE, SIG_IGN);  // writes to connections that the server has cut off
  }
  ~Pki() { fs::remove_all(folder); }
  void make(const std::string& name) const {
    const auto stem = (folder / name).string();
    const auto command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
        "-subj /CN=localhost -keyout " +
        stem + ".key -out " + stem + ".pem 2>/dev/null";
    BOOST_REQUIRE(std::system(command.c_str()) == 0);
  }
  fs::path folder;
};

const Pki& pki() {
  static const Pki instance;
  return instance;
}

// Answers with what it was asked; can be made to hold its workers.
class Echo final : public server::Application {
 public:
  void post(receive::HttpRequest request, std::unique_ptr<pipeline::Requester> requester) override {
    ++posts;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !held_; });
    }
    if (later) return later(std::move(requester));
    requester->answer(request.rest != nullptr ? read_rest(request) : repeat(request));
  }
  static HttpResponse repeat(const receive::HttpRequest& request) {
    return {200, "text/xml",
            "body=" + std::string(as_text(request.body)) +
                " type=" + std::string(request.content_type) +
                " coding=" + std::string(request.content_encoding) + " action=" +
                std::string(request.soap_action) + " peer=" + std::string(request.peer),
            0, std::string(request.soap_action)};
  }
  HttpResponse refuse(const Error& error, std::string_view, std::string_view) override {
    ++refusals;
    if (error.code == ErrorCode::too_large) return {413, "text/xml", "fault", 0};
    if (error.code == ErrorCode::request_cut) {
      const std::lock_guard lock(mutex_);
      last_cut_ = error.detail;
      return {500, "text/xml", "cut", 0};
    }
    return {503, "text/xml", "fault", 7};
  }
  std::optional<std::string_view> document(std::string_view query) const override {
    if (query == "wsdl") return "<wsdl/>";
    return std::nullopt;
  }
  bool may_connect(const Sha256Digest&) override { return enrolled; }
  std::string last_cut() {
    const std::lock_guard lock(mutex_);
    return last_cut_;
  }
  void hold(bool held) {
    {
      const std::lock_guard lock(mutex_);
      held_ = held;
    }
    changed_.notify_all();
  }
  void wait_for_posts(int count) const {
    for (int i = 0; i < 500 && posts < count; ++i) std::this_thread::sleep_for(10ms);
    BOOST_REQUIRE(posts >= count);
  }

  // Where it is set: answers instead, perhaps not at once. Set before requests come.
  std::function<void(std::unique_ptr<pipeline::Requester>)> later;
  std::atomic<int> posts{0}, refusals{0};
  std::atomic<bool> enrolled{false};  // any certificate of a TLS client
  // Of a large body: how much is read before it is answered; all of it unless set.
  std::atomic<std::size_t> read_at_most{SIZE_MAX};
  std::atomic<std::size_t> octets_read{0};
  std::atomic<int> cuts{0};
  std::atomic<int> pause_per_block_ms{0};

 private:
  HttpResponse read_rest(const receive::HttpRequest& request) {
    octets_read = request.body.size();
    std::uint64_t sum = 0;
    for (const auto octet : request.body) sum = sum * 31 + std::to_integer<unsigned>(octet);
    while (octets_read < read_at_most) {
      const auto block = request.rest->next();
      if (!block) {
        ++cuts;
        return {block.error().code == ErrorCode::too_large ? 413U : 500U, "text/xml",
                std::to_string(static_cast<int>(block.error().code)), 0};
      }
      if (block->empty()) break;
      for (const auto octet : *block) sum = sum * 31 + std::to_integer<unsigned>(octet);
      octets_read += block->size();
      std::this_thread::sleep_for(std::chrono::milliseconds(pause_per_block_ms));
    }
    return {200, "text/xml", std::to_string(octets_read) + " " + std::to_string(sum), 0};
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  std::string last_cut_;
};

// What is logged goes to a file for as long as it lives.
struct Log {
  Log() { BOOST_REQUIRE(observe::start_log({"info", file})); }
  ~Log() {
    BOOST_CHECK(observe::start_log({}));
    fs::remove(file);
  }
  std::string text() const {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  // A line comes a moment after what it tells of.
  bool has(std::string_view part) const {
    for (int i = 0; i < 500; ++i) {
      if (text().find(part) != std::string::npos) return true;
      std::this_thread::sleep_for(10ms);
    }
    BOOST_TEST_MESSAGE(text());
    return false;
  }
  const fs::path file =
      fs::temp_directory_path() / ("district-server-" + std::to_string(::getpid()) + ".log");
};

server::Settings settings() {
  server::Settings s;
  s.listeners.emplace_back();
  s.certificates.push_back({"", pki().folder / "server.pem", pki().folder / "server.key"});
  s.body_octets_max = 200'000;
  s.body_octets_total_max = 1'000'000;
  s.header_octets_max = 4096;
  s.connections_max = 64;
  s.connections_per_peer_max = 64;
  s.handshake = s.header = s.body = s.idle = s.write = 5s;
  s.body_octets_per_second_min = 1;
  s.workers = 4;
  s.queue_max = 16;
  s.finish = 5s;
  return s;
}

struct Running {
  explicit Running(const server::Settings& s = settings(), ApiHandler* api = nullptr) {
    auto opened = server::Server::open(s);
    BOOST_REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().detail));
    server = std::move(*opened);
    BOOST_REQUIRE(server->start(application, api));
  }
  ~Running() {
    application.hold(false);
    server->stop();
  }
  std::uint16_t port() const { return server->port(); }

  Echo application;
  std::unique_ptr<server::Server> server;
};

std::string post(std::string_view body, std::string_view extra = {}) {
  return "POST /services/aggregation HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n" +
         std::string(extra) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

std::string chunked(std::string_view rest) {
  return "POST /services/aggregation HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
         std::string(rest);
}

std::string large_head(std::size_t length) {
  return "POST /services/aggregation HTTP/1.1\r\nHost: x\r\nContent-Length: " +
         std::to_string(length) + "\r\n\r\n";
}

// Octet i of a body that is never held as a whole.
char octet_at(std::size_t i) { return static_cast<char>('a' + i * 7 / 3 % 26); }

std::uint64_t sum_of(std::size_t octets) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < octets; ++i) sum = sum * 31 + static_cast<unsigned char>(octet_at(i));
  return sum;
}

// false: the server did not take it.
bool send_octets(TlsClient& client, std::size_t from, std::size_t to, bool in_chunks = false) {
  std::string part;
  for (std::size_t i = from; i < to;) {
    part.clear();
    for (const auto end = std::min(to, i + 50'000); i < end; ++i) part += octet_at(i);
    if (in_chunks) {
      char size[32];
      std::snprintf(size, sizeof size, "%zx\r\n", part.size());
      part = size + part + "\r\n";
    }
    if (!client.send(part)) return false;
  }
  return true;
}

#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t kResidentMoreMax = SIZE_MAX / 2;  // it keeps what has been freed
#else
constexpr std::size_t kResidentMoreMax = 16'000'000;
#endif

std::size_t resident_octets() {
  std::ifstream in("/proc/self/statm");
  std::size_t pages = 0;
  in >> pages >> pages;
  return pages * 4096;
}

server::Settings large_settings() {
  auto s = settings();
  s.body_octets_max = 300'000'000;
  s.body_octets_total_max = 8'000'000;
  s.large_bodies = 2;
  return s;
}

std::string get(std::string_view target, std::string_view method = "GET") {
  return std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

}  // namespace

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
  BOOST_TEST(running.application.posts == 0);
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
  BOOST_TEST(running.application.posts == 0);
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
BOOST_AUTO_TEST_SUITE(bounds)

BOOST_AUTO_TEST_CASE(a_body_beyond_the_limit_is_413_by_its_length_or_while_it_comes) {
  Running running;
  TlsClient announced(running.port());
  auto answer = announced.ask(
      "POST /services/aggregation HTTP/1.1\r\nHost: x\r\nContent-Length: 200001\r\n\r\n");
  BOOST_TEST(answer.status == 413);
  BOOST_TEST(answer.body == "fault");
  BOOST_TEST(announced.ended());

  TlsClient one_chunk(running.port());
  BOOST_TEST(one_chunk.ask(chunked("FFFFFFFF\r\nabc")).status == 413);
  BOOST_TEST(one_chunk.ended());

  TlsClient many_chunks(running.port());
  std::string text;
  for (int i = 0; i < 300; ++i) text += "400\r\n" + std::string(1024, 'x') + "\r\n";
  BOOST_TEST(many_chunks.ask(chunked(text)).status == 413);
  BOOST_TEST(many_chunks.ended());

  TlsClient exact(running.port());
  BOOST_TEST(exact.ask(post(std::string(200'000, 'x'))).status == 200);
  BOOST_TEST(running.application.posts == 1);
}

BOOST_AUTO_TEST_CASE(the_sum_of_all_bodies_is_bounded) {
  auto s = settings();
  s.body_octets_total_max = 250'000;
  Running running(s);
  TlsClient first(running.port()), second(running.port());
  running.application.hold(true);
  first.send(post(std::string(200'000, 'x')));
  running.application.wait_for_posts(1);
  const auto answer = second.ask(post(std::string(100'000, 'x')));
  BOOST_TEST(answer.status == 503);
  BOOST_TEST(answer.has("Retry-After: 7\r\n"));
  running.application.hold(false);
  BOOST_TEST(first.read().status == 200);
  TlsClient third(running.port());
  BOOST_TEST(third.ask(post(std::string(200'000, 'x'))).status == 200);
}

// Who reads slowly fills what is there for answers, and nothing else.
BOOST_AUTO_TEST_CASE(answers_that_are_read_slowly_refuse_other_readers_and_nobody_who_sends) {
  struct Large final : ApiHandler {
    HttpResponse get(const ApiRequest&) override {
      HttpResponse answer{200, "text/plain", std::string(30'000'000, 'a')};
      answer.asked_by = "somebody";
      return answer;
    }
    void answering(const ApiRequest&, const HttpResponse& answer) override {
      if (answer.asked_by != "somebody") return;
      (answer.http_status == 200 ? begun : refused)++;
    }
    void sent(const ApiRequest&, const HttpResponse&, const Sent&) override { ++done; }
    std::atomic<int> begun{0}, refused{0}, done{0};
  } api;
  auto s = settings();
  s.body_octets_max = 1'000'000;
  s.body_octets_total_max = 30'500'000;
  Running running(s, &api);
  TlsClient slow(running.port()), other(running.port()), sender(running.port());
  slow.send(get("/api/v1/x"));
  char part[1000];
  BOOST_TEST(::SSL_read(slow.ssl(), part, sizeof part) > 0);
  BOOST_TEST(api.begun == 1);  // told before the first octet
  BOOST_TEST(api.done == 0);
  BOOST_TEST(other.ask(get("/api/v1/x")).status == 503);
  BOOST_TEST(api.refused == 1);
  BOOST_TEST(sender.ask(post(std::string(900'000, 'x'))).status == 200);
}

BOOST_AUTO_TEST_CASE(a_full_queue_is_503_with_retry_after) {
  auto s = settings();
  s.workers = 1;
  s.queue_max = 1;
  Running running(s);
  running.application.hold(true);
  TlsClient working(running.port()), waiting(running.port()), refused(running.port());
  working.send(post("a"));
  running.application.wait_for_posts(1);
  waiting.send(post("b"));
  std::this_thread::sleep_for(100ms);
  const auto answer = refused.ask(post("c"));
  BOOST_TEST(answer.status == 503);
  BOOST_TEST(answer.has("Retry-After: 7\r\n"));
  BOOST_TEST(refused.ask(get("/health")).status == 200);
  running.application.hold(false);
  BOOST_TEST(working.read().body.starts_with("body=a "));
  BOOST_TEST(waiting.read().body.starts_with("body=b "));
}

BOOST_AUTO_TEST_CASE(a_refusal_is_made_once_for_many_and_keeps_the_connection) {
  auto s = settings();
  s.workers = 1;
  s.queue_max = 1;
  Running running(s);
  running.application.hold(true);
  TlsClient working(running.port()), waiting(running.port()), refused(running.port());
  working.send(post("a"));
  running.application.wait_for_posts(1);
  waiting.send(post("b"));
  std::this_thread::sleep_for(100ms);
  for (int i = 0; i < 50; ++i) BOOST_TEST(refused.ask(post("c")).status == 503);
  const auto soap12 =
      "POST /services/aggregation HTTP/1.1\r\nHost: x\r\nContent-Type: application/soap+xml\r\n"
      "Content-Length: 1\r\n\r\nx";
  BOOST_TEST(refused.ask(soap12).status == 503);
  // One for each version of SOAP; a slow machine may need a second one.
  BOOST_TEST(running.application.refusals <= 4);
  running.application.hold(false);
  BOOST_TEST(waiting.read().status == 200);
  BOOST_TEST(refused.ask(post("c")).status == 200);
}

// Keeps those who ask, until their answers are there.
struct Kept {
  std::mutex mutex;
  std::vector<std::unique_ptr<pipeline::Requester>> requesters;

  auto keep() {
    return [this](std::unique_ptr<pipeline::Requester> requester) {
      const std::lock_guard lock(mutex);
      requesters.push_back(std::move(requester));
    };
  }
  std::unique_ptr<pipeline::Requester> take() {
    const std::lock_guard lock(mutex);
    auto requester = std::move(requesters.back());
    requesters.pop_back();
    return requester;
  }
  static void finish(std::unique_ptr<pipeline::Requester> requester) {
    auto& asks = *requester;
    asks.run_on_worker([requester = std::move(requester)] {
      requester->answer({200, "text/xml", "later", 0});
    });
  }
};

BOOST_AUTO_TEST_CASE(no_worker_waits_with_what_is_answered_later) {
  auto s = settings();
  s.workers = 1;
  s.few = 8;
  Running running(s);
  Kept kept;
  running.application.later = kept.keep();
  std::deque<TlsClient> clients;
  for (int i = 0; i < 5; ++i) {
    clients.emplace_back(running.port()).send(post("x"));
    running.application.wait_for_posts(i + 1);
  }
  // As a commit does: from a thread of its own, all at once.
  std::thread([&] {
    for (int i = 0; i < 5; ++i) Kept::finish(kept.take());
  }).join();
  for (auto& client : clients) BOOST_TEST(client.read().body == "later");
}

BOOST_AUTO_TEST_CASE(what_goes_wrong_in_the_rest_is_500_and_the_next_is_served) {
  Running running;
  running.application.later = [](std::unique_ptr<pipeline::Requester> requester) {
    auto& asks = *requester;
    asks.run_on_worker([requester = std::move(requester)] { throw std::bad_alloc(); });
  };
  TlsClient client(running.port());
  BOOST_TEST(client.ask(post("x")).status == 500);
  BOOST_TEST(client.ask(post("x")).status == 500);
  BOOST_TEST(client.ask(get("/health")).status == 200);
}

BOOST_AUTO_TEST_CASE(an_answer_for_a_client_that_is_gone_harms_nobody) {
  Running running;
  Kept kept;
  running.application.later = kept.keep();
  {
    TlsClient gone(running.port());
    gone.send(post("x"));
    running.application.wait_for_posts(1);
  }
  TlsClient client(running.port());
  client.send(post("x"));
  running.application.wait_for_posts(2);
  Kept::finish(kept.take());
  Kept::finish(kept.take());
  BOOST_TEST(client.read().body == "later");
}

BOOST_AUTO_TEST_CASE(stop_waits_for_what_is_answered_later) {
  Running running;
  Kept kept;
  running.application.later = kept.keep();
  TlsClient client(running.port());
  client.send(post("x"));
  running.application.wait_for_posts(1);
  auto stopped = std::async(std::launch::async, [&] { running.server->stop(); });
  BOOST_TEST((stopped.wait_for(200ms) == std::future_status::timeout));
  Kept::finish(kept.take());
  BOOST_TEST(client.read().body == "later");
  BOOST_TEST((stopped.wait_for(5s) == std::future_status::ready));
}

BOOST_AUTO_TEST_CASE(stop_waits_for_work_even_when_its_time_is_over) {
  auto s = settings();
  s.finish = 50ms;
  Running running(s);
  Kept kept;
  running.application.later = kept.keep();
  TlsClient client(running.port());
  client.send(post("x"));
  running.application.wait_for_posts(1);
  auto stopped = std::async(std::launch::async, [&] { running.server->stop(); });
  BOOST_TEST((stopped.wait_for(300ms) == std::future_status::timeout));
  Kept::finish(kept.take());
  BOOST_TEST((stopped.wait_for(5s) == std::future_status::ready));
}

BOOST_AUTO_TEST_CASE(a_tenant_with_much_waiting_makes_room_for_another) {
  auto s = settings();
  s.workers = 1;
  s.queue_max = 2;
  Running running(s);
  std::deque<TlsClient> clients;
  // The answer names the tenant; from then on the connection's requests are its.
  for (const char* tenant : {"a", "a", "a", "b"}) {
    auto& client = clients.emplace_back(running.port());
    BOOST_TEST(client.ask(post("x", "SOAPAction: " + std::string(tenant) + "\r\n")).status == 200);
  }
  running.application.hold(true);
  for (std::size_t i = 0; i < 3; ++i) {
    clients[i].send(post("x"));
    if (i == 0) running.application.wait_for_posts(5);
    std::this_thread::sleep_for(50ms);
  }
  clients[3].send(post("x"));
  BOOST_TEST(clients[2].read().status == 503);
  running.application.hold(false);
  for (const std::size_t i : {0, 1, 3}) BOOST_TEST(clients[i].read().status == 200);
}

BOOST_AUTO_TEST_CASE(fewer_file_descriptors_than_connections_is_no_reason_not_to_serve) {
  const pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    const rlimit few{256, 256};
    auto s = settings();
    s.connections_max = 100'000;
    const bool fine = ::setrlimit(RLIMIT_NOFILE, &few) == 0 && server::Server::open(s).has_value();
    ::_exit(fine ? 0 : 1);
  }
  int status = -1;
  BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
  BOOST_TEST(status == 0);
}

BOOST_AUTO_TEST_CASE(connections_beyond_the_cap_are_refused_and_the_others_served) {
  auto s = settings();
  s.connections_max = 32;
  s.connections_per_peer_max = 20;
  Running running(s);
  std::deque<TlsClient> idle;
  for (int i = 0; i < 20; ++i) BOOST_REQUIRE(idle.emplace_back(running.port()).ready());
  for (int i = 0; i < 3; ++i) BOOST_TEST(!TlsClient(running.port()).ready());
  for (auto& client : idle) BOOST_TEST(client.ask(post("x")).status == 200);
  idle.pop_front();
  bool admitted = false;
  for (int i = 0; i < 100 && !admitted; ++i) {
    std::this_thread::sleep_for(10ms);
    admitted = TlsClient(running.port()).ready();
  }
  BOOST_TEST(admitted);
}

BOOST_AUTO_TEST_CASE(when_places_get_scarce_connections_are_not_kept_open) {
  auto s = settings();
  s.connections_max = 8;
  Running running(s);
  std::deque<TlsClient> clients;
  for (int i = 0; i < 7; ++i) BOOST_REQUIRE(clients.emplace_back(running.port()).ready());
  BOOST_TEST(clients.front().ask(post("x")).has("Connection: close"));
  BOOST_TEST(clients.front().ended());
}

BOOST_AUTO_TEST_CASE(who_rests_makes_room_when_places_get_scarce_and_who_is_new_stays) {
  auto s = settings();
  s.connections_max = 8;
  Running running(s);
  std::deque<TlsClient> resting;
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(resting.emplace_back(running.port()).ask(post("x")).has("Connection: keep-alive"));
  }
  std::deque<TlsClient> fresh;
  for (int i = 0; i < 4; ++i) BOOST_REQUIRE(fresh.emplace_back(running.port()).ready());
  std::this_thread::sleep_for(1s);
  for (auto& client : fresh) BOOST_TEST(client.ask(post("y")).status == 200);
  // One at least; a thread does not know at once that the other has made room.
  const auto left = std::count_if(resting.begin(), resting.end(),
                                  [](auto& client) { return client.ask(post("x")).status == 200; });
  BOOST_TEST(left < 3);
}

BOOST_AUTO_TEST_CASE(slow_and_silent_clients_are_cut_off_and_stop_nobody) {
  auto s = settings();
  s.handshake = s.header = s.idle = 1s;
  s.body = 3s;
  s.body_grace = 500ms;
  s.body_octets_per_second_min = 1000;
  Running running(s);
  const auto begin = std::chrono::steady_clock::now();
  const Log log;
  TcpClient no_handshake(running.port());
  TlsClient no_request(running.port()), slow_header(running.port()), slow_body(running.port()),
      slow_chunks(running.port()), idle(running.port());
  BOOST_TEST(idle.ask(post("x")).status == 200);
  slow_body.send(
      "POST /services/aggregation HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
  slow_chunks.send(chunked(""));
  // Each is never silent for long, but never done either.
  std::atomic<bool> stop{false};
  std::thread trickle([&] {
    for (int i = 0; i < 15 && !stop; ++i) {
      slow_header.send(i == 0 ? "GET /health HTTP/1.1\r\n" : "A: b\r\n");
      slow_body.send("x");
      slow_chunks.send("1\r\nx\r\n");
      std::this_thread::sleep_for(100ms);
    }
  });
  TlsClient honest(running.port());
  BOOST_TEST(honest.ask(post("y")).status == 200);
  trickle.join();
  BOOST_TEST(no_request.ended());
  BOOST_TEST(slow_header.read().status == 408);
  BOOST_TEST(slow_header.ended());
  BOOST_TEST(slow_body.read().body == "cut");
  BOOST_TEST(slow_body.ended());
  BOOST_TEST(slow_chunks.read().body == "cut");
  BOOST_TEST(slow_chunks.ended());
  BOOST_TEST(idle.ended());
  char octet = 0;
  BOOST_TEST(::recv(no_handshake.fd(), &octet, 1, 0) <= 0);
  BOOST_TEST((std::chrono::steady_clock::now() - begin < 4s));
  BOOST_TEST(running.application.posts == 2);
  for (const char* line :
       {"event=handshake_failed peer=127.0.0.1 detail=\"the handshake was not over within "
        "limits.handshake_seconds\"",
        "event=connection_unused peer=127.0.0.1 detail=\"no request within limits.header_seconds\"",
        "event=request_refused peer=127.0.0.1 status=408 path=\"\" detail=\"the head was not "
        "complete within limits.header_seconds\""}) {
    BOOST_TEST_CONTEXT(line) { BOOST_TEST(log.has(line)); }
  }
}

BOOST_AUTO_TEST_CASE(a_body_that_is_cut_is_on_record) {
  Running running;
  const auto cut_is = [&](std::string_view detail) {
    for (int i = 0; i < 500 && running.application.last_cut() != detail; ++i) {
      std::this_thread::sleep_for(10ms);
    }
    BOOST_TEST(running.application.last_cut() == detail);
  };
  // A close with tickets unread would be a reset, which takes octets along.
  const auto ends = [](TlsClient& client) { ::shutdown(::SSL_get_fd(client.ssl()), SHUT_WR); };
  TlsClient half(running.port());
  half.send(large_head(100'000));
  send_octets(half, 0, 5'000);
  ends(half);
  cut_is("the client ended the connection after 5000 of 100000 octets of the body");
  TlsClient chunks(running.port());
  chunks.send(chunked("3\r\nabc\r\n"));
  ends(chunks);
  cut_is("the client ended the connection after 3 octets of the body");
  // Who announces more than it sends, and waits.
  auto s = settings();
  s.body = 1s;
  Running hasty(s);
  TlsClient waiting(hasty.port());
  const auto answer = waiting.ask(large_head(6) + "hello");
  BOOST_TEST(answer.status == 500);
  BOOST_TEST(answer.has("Connection: close"));
  BOOST_TEST(waiting.ended());
  BOOST_TEST(hasty.application.last_cut() ==
             "the client sent nothing more, or too slowly, after 5 of 6 octets of the body");
}

// Each octet of an answer gives time for the next.
BOOST_AUTO_TEST_CASE(a_large_answer_is_sent_to_a_slow_client_as_long_as_it_takes_some) {
  auto s = settings();
  s.write = 1s;
  s.body = 60s;
  s.body_octets_per_second_min = 200'000;
  Running running(s);
  const std::string body(14'000'000, 'b');
  running.application.later = [&](std::unique_ptr<pipeline::Requester> requester) {
    requester->answer({200, "text/xml", body, 0});
  };
  TlsClient client(running.port());
  client.send(post("x"));
  std::string got;
  char part[16 * 1024];
  const auto begin = std::chrono::steady_clock::now();
  while (got.size() < body.size()) {
    const int count = ::SSL_read(client.ssl(), part, sizeof part);
    BOOST_REQUIRE(count > 0);
    got.append(part, static_cast<std::size_t>(count));
    while (std::chrono::steady_clock::now() - begin <
           std::chrono::microseconds(got.size() * 1000 / 4500)) {
      std::this_thread::sleep_for(1ms);
    }
  }
  BOOST_TEST((std::chrono::steady_clock::now() - begin > 2s));
  BOOST_TEST(got.ends_with("bbb"));
}

BOOST_AUTO_TEST_CASE(the_log_says_how_much_of_an_answer_was_taken) {
  const Log log;
  auto s = settings();
  s.write = 500ms;
  Running running(s);
  running.application.later = [&](std::unique_ptr<pipeline::Requester> requester) {
    requester->answer({200, "text/xml", std::string(50'000'000, 'b'), 0});
  };
  TlsClient deaf(running.port());
  deaf.send(post("x"));
  BOOST_REQUIRE(log.has("detail=\"the client took it too slowly\""));
  {
    TlsClient gone(running.port());
    gone.send(post("x"));
    char part[1000];
    BOOST_TEST(::SSL_read(gone.ssl(), part, sizeof part) > 0);
  }
  BOOST_REQUIRE(log.has("detail=\"the client ended the connection\""));
  const auto text = log.text();
  const std::string begin =
      "event=answer_cut peer=127.0.0.1 status=200 path=/services/aggregation octets=";
  BOOST_REQUIRE(text.find(begin) != std::string::npos);
  BOOST_TEST(std::stoul(text.substr(text.find(begin) + begin.size())) < 50'000'000U);
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_take_its_answer_is_cut_off) {
  auto s = settings();
  s.write = 1s;
  s.body_octets_max = s.body_octets_total_max = 1'000'000;
  s.connections_max = 1;
  Running running(s);
  {
    TlsClient deaf(running.port());
    // Its answers fill the buffers of the system.
    for (int i = 0; i < 20; ++i) deaf.send(post(std::string(900'000, 'x')));
    running.application.wait_for_posts(1);
    // Its place is free again while it still holds the connection open.
    bool admitted = false;
    for (int i = 0; i < 40 && !admitted; ++i) {
      std::this_thread::sleep_for(100ms);
      admitted = TlsClient(running.port()).ready();
    }
    BOOST_TEST(admitted);
  }
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(large_bodies)

BOOST_AUTO_TEST_CASE(a_large_body_streams_through_in_flat_memory_and_the_connection_goes_on) {
  Running running(large_settings());
  constexpr std::size_t kOctets = 60'000'003;
  const auto expected = std::to_string(kOctets) + " " + std::to_string(sum_of(kOctets));
  TlsClient client(running.port());
  BOOST_TEST(client.ask(post("small")).status == 200);
  const auto before = resident_octets();
  client.send(large_head(kOctets));
  BOOST_TEST(send_octets(client, 0, kOctets));
  BOOST_TEST(client.read().body == expected);
  BOOST_TEST(resident_octets() < before + kResidentMoreMax);
  client.send(chunked(""));
  BOOST_TEST(send_octets(client, 0, kOctets, true));
  client.send("0\r\n\r\n");
  BOOST_TEST(client.read().body == expected);
  BOOST_TEST(client.ask(post("small")).status == 200);
}

BOOST_AUTO_TEST_CASE(sizes_about_the_first_mebibyte_are_whole) {
  Running running(large_settings());
  TlsClient client(running.port());
  for (const std::size_t octets : {1'048'575, 1'048'576, 1'048'577, 1'114'112, 1'310'720}) {
    BOOST_TEST_CONTEXT(octets) {
      for (const bool in_chunks : {false, true}) {
        client.send(in_chunks ? chunked("") : large_head(octets));
        send_octets(client, 0, octets, in_chunks);
        if (in_chunks) client.send("0\r\n\r\n");
        const auto answer = client.read();
        BOOST_TEST(answer.status == 200);
        if (octets > 1'048'576) {
          BOOST_TEST(answer.body == std::to_string(octets) + " " + std::to_string(sum_of(octets)));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(who_is_refused_early_gets_the_answer_and_is_read_no_further) {
  Running running(large_settings());
  running.application.read_at_most = 1;
  {
    TlsClient client(running.port());
    client.send(large_head(200'000'000));
    send_octets(client, 0, 1'200'000);  // then it says nothing more, but listens
    const auto begin = std::chrono::steady_clock::now();
    const auto answer = client.read();
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(answer.has("Connection: close"));
    BOOST_TEST((std::chrono::steady_clock::now() - begin < 2s));
    BOOST_TEST(client.ended());
  }
  TlsClient eager(running.port());  // goes on sending
  eager.send(large_head(200'000'000));
  BOOST_TEST(!send_octets(eager, 0, 200'000'000));
  BOOST_TEST(running.application.octets_read < 2'000'000);
}

BOOST_AUTO_TEST_CASE(an_upload_that_is_cut_or_too_slow_is_told_to_the_reader) {
  auto s = large_settings();
  s.body_grace = 500ms;
  s.body_octets_per_second_min = 2'000'000;
  Running running(s);
  {
    TlsClient gone(running.port());
    gone.send(large_head(100'000'000));
    send_octets(gone, 0, 3'000'000);
    running.application.wait_for_posts(1);
  }
  TlsClient slow(running.port());
  slow.send(large_head(100'000'000));
  send_octets(slow, 0, 3'000'000);
  BOOST_TEST(slow.read().body == "1010");
  BOOST_TEST(slow.ended());
  for (int i = 0; i < 100 && running.application.cuts < 2; ++i) std::this_thread::sleep_for(10ms);
  BOOST_TEST(running.application.cuts == 2);

  TlsClient malformed(running.port());
  malformed.send(chunked(""));
  send_octets(malformed, 0, 2'000'000, true);
  malformed.send("zz\r\n");
  BOOST_TEST(malformed.read().body == "1010");
  BOOST_TEST(malformed.ended());
}

BOOST_AUTO_TEST_CASE(a_slow_reader_slows_the_sender_and_is_not_held_against_it) {
  auto s = large_settings();
  s.body_grace = 500ms;
  s.body_octets_per_second_min = 20'000'000;
  Running running(s);
  running.application.pause_per_block_ms = 20;  // 3 MB/s
  constexpr std::size_t kOctets = 8'000'000;
  TlsClient client(running.port());
  client.send(large_head(kOctets));
  BOOST_TEST(send_octets(client, 0, kOctets));
  BOOST_TEST(client.read().status == 200);
}

BOOST_AUTO_TEST_CASE(too_many_large_bodies_are_503_and_stop_nobody_else) {
  Running running(large_settings());
  std::deque<TlsClient> slow;
  for (int i = 0; i < 2; ++i) {
    auto& client = slow.emplace_back(running.port());
    client.send(large_head(100'000'000));
    send_octets(client, 0, 1'200'000);
  }
  running.application.wait_for_posts(2);
  TlsClient refused(running.port()), small(running.port());
  BOOST_TEST(refused.ask(large_head(100'000'000)).status == 503);
  BOOST_TEST(refused.ended());
  BOOST_TEST(small.ask(post("x")).status == 200);
  TlsClient growing(running.port());
  growing.send(chunked(""));
  send_octets(growing, 0, 1'200'000, true);
  BOOST_TEST(growing.read().status == 503);
}

BOOST_AUTO_TEST_CASE(a_chunked_body_beyond_the_limit_is_413_while_it_streams) {
  auto s = large_settings();
  s.body_octets_max = 5'000'000;
  Running running(s);
  TlsClient client(running.port());
  client.send(chunked(""));
  send_octets(client, 0, 5'200'000, true);
  BOOST_TEST(client.read().status == 413);
  BOOST_TEST(client.ended());
}

BOOST_AUTO_TEST_CASE(stop_ends_an_upload_in_bounded_time) {
  auto s = large_settings();
  s.finish = 500ms;
  Running running(s);
  TlsClient client(running.port());
  client.send(large_head(100'000'000));
  send_octets(client, 0, 2'000'000);
  running.application.wait_for_posts(1);
  const auto begin = std::chrono::steady_clock::now();
  running.server->stop();
  BOOST_TEST((std::chrono::steady_clock::now() - begin < 2s));
  BOOST_TEST(running.application.cuts == 1);
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(tls)

BOOST_AUTO_TEST_CASE(only_authenticated_encryption_from_tls_1_2_on) {
  Running running;
  BOOST_TEST(TlsClient(running.port()).ready());
  BOOST_TEST(TlsClient(running.port(), TLS1_2_VERSION, "ECDHE+AESGCM").ready());
  BOOST_TEST(TlsClient(running.port(), TLS1_2_VERSION, "ECDHE+CHACHA20").ready());
  BOOST_TEST(
      !TlsClient(running.port(), TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA")
           .ready());
  BOOST_TEST(!TlsClient(running.port(), TLS1_1_VERSION, "ALL:@SECLEVEL=0").ready());
}

BOOST_AUTO_TEST_CASE(http_1_0_is_negotiated_where_the_client_has_nothing_newer) {
  Running running;
  const auto chosen = [&](std::string_view offered) {
    const CHandle<SSL_CTX, ::SSL_CTX_free> context(::SSL_CTX_new(::TLS_client_method()));
    const CHandle<SSL, ::SSL_free> ssl(::SSL_new(context.get()));
    const TcpClient tcp(running.port());
    ::SSL_set_fd(ssl.get(), tcp.fd());
    ::SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(offered.data()),
                          static_cast<unsigned>(offered.size()));
    if (::SSL_connect(ssl.get()) != 1) return std::string("none");
    const unsigned char* name = nullptr;
    unsigned size = 0;
    ::SSL_get0_alpn_selected(ssl.get(), &name, &size);
    return std::string(reinterpret_cast<const char*>(name), size);
  };
  BOOST_TEST(chosen("\x08http/1.0") == "http/1.0");
  BOOST_TEST(chosen("\x08http/1.0\x08http/1.1") == "http/1.1");
  BOOST_TEST(chosen("\x02h2\x08http/1.0") == "http/1.0");
  BOOST_TEST(chosen("\x02h2") == "none");
}

BOOST_AUTO_TEST_CASE(a_client_cannot_renegotiate) {
  Running running;
  TlsClient client(running.port(), TLS1_2_VERSION);
  BOOST_REQUIRE(client.ready());
  ::SSL_renegotiate(client.ssl());
  BOOST_TEST((::SSL_do_handshake(client.ssl()) != 1 || !client.send(get("/health")) ||
              client.read().status == 0));
}

BOOST_AUTO_TEST_CASE(plain_http_gets_no_http_answer) {
  Running running;
  TcpClient plain(running.port());
  const auto text = get("/health");
  BOOST_REQUIRE(::send(plain.fd(), text.data(), text.size(), 0) > 0);
  std::string got;
  char part[512];
  ssize_t count = 0;
  while ((count = ::recv(plain.fd(), part, sizeof part, 0)) > 0) {
    got.append(part, static_cast<std::size_t>(count));
  }
  BOOST_TEST((count == 0 || errno == ECONNRESET));
  BOOST_TEST(got.find("HTTP") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(life)

BOOST_AUTO_TEST_CASE(what_is_wrong_at_the_start_is_said_with_a_hint) {
  Running running;
  auto busy = settings();
  busy.listeners[0].port = running.port();
  const auto in_use = server::Server::open(busy);
  BOOST_REQUIRE(!in_use);
  BOOST_TEST((in_use.error().code == ErrorCode::address_in_use));
  BOOST_TEST(in_use.error().hint.find(std::to_string(running.port())) != std::string::npos);

  const auto code_with = [](auto change) {
    auto s = settings();
    change(s);
    const auto result = server::Server::open(s);
    BOOST_REQUIRE(!result);
    BOOST_TEST(!result.error().hint.empty());
    return result.error().code;
  };
  BOOST_TEST((code_with([](auto& s) { s.listeners[0].address = "192.0.2.1"; }) ==
              ErrorCode::address_in_use));
  BOOST_TEST((code_with([](auto& s) { s.certificates[0].key = "/no/such.key"; }) ==
              ErrorCode::file_unreadable));
  BOOST_TEST((code_with([](auto& s) { s.certificates[0].certificate = s.certificates[0].key; }) ==
              ErrorCode::config_invalid));
  BOOST_TEST((code_with([](auto& s) { s.certificates[0].key = s.certificates[0].certificate; }) ==
              ErrorCode::config_invalid));
  BOOST_TEST((code_with([](auto& s) { s.certificates[0].key = pki().folder / "other.key"; }) ==
              ErrorCode::config_invalid));
}

BOOST_AUTO_TEST_CASE(stop_finishes_what_is_under_way_and_ends_what_is_idle) {
  auto running = std::make_unique<Running>();
  const auto port = running->port();
  TlsClient busy(port), idle(port), reading(port);
  BOOST_TEST(idle.ask(post("x")).status == 200);
  running->application.hold(true);
  busy.send(post("kept"));
  running->application.wait_for_posts(2);
  reading.send("POST /services/aggregation HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nha");
  std::this_thread::sleep_for(100ms);
  auto stopped = std::async(std::launch::async, [&] { running->server->stop(); });
  BOOST_TEST(idle.ended());
  BOOST_TEST((stopped.wait_for(200ms) == std::future_status::timeout));
  BOOST_TEST(!TcpClient(port).connected());
  running->application.hold(false);
  reading.send("lf");
  const auto answer = busy.read();
  BOOST_TEST(answer.body.starts_with("body=kept "));
  BOOST_TEST(answer.has("Connection: close"));
  BOOST_TEST(reading.read().body.starts_with("body=half "));
  BOOST_TEST((stopped.wait_for(3s) == std::future_status::ready));
}

BOOST_AUTO_TEST_CASE(stop_does_not_wait_for_ever) {
  auto s = settings();
  s.finish = 500ms;
  auto running = std::make_unique<Running>(s);
  TlsClient slow(running->port());
  slow.send("POST /services/aggregation HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nha");
  std::this_thread::sleep_for(100ms);
  const auto begin = std::chrono::steady_clock::now();
  running->server->stop();
  BOOST_TEST((std::chrono::steady_clock::now() - begin < 2s));
  running.reset();
  BOOST_TEST(slow.ended());
}

BOOST_AUTO_TEST_CASE(each_listener_has_its_own_profile) {
  auto s = settings();
  s.listeners.push_back({"127.0.0.1", 0, server::TlsProfile::legacy, {}});
  s.listeners.push_back({"127.0.0.1", 0, {}, server::ClientCertificates::required});
  Running running(s);
  BOOST_TEST(!TlsClient(running.server->port(0), TLS1_1_VERSION, "ALL:@SECLEVEL=0").ready());
  TlsClient old(running.server->port(1), TLS1_VERSION, "ALL:@SECLEVEL=0");
  BOOST_TEST(old.ask(post("x")).status == 200);
  BOOST_TEST(!TlsClient(running.server->port(2), TLS1_2_VERSION).ready());
}

BOOST_AUTO_TEST_CASE(two_certificates_are_of_two_types_of_key) {
  auto s = settings();
  s.certificates.push_back({"second_", pki().folder / "other.pem", pki().folder / "other.key"});
  const auto opened = server::Server::open(s);
  BOOST_REQUIRE(!opened);
  BOOST_TEST((opened.error().code == ErrorCode::config_invalid));
  BOOST_TEST(opened.error().hint.find("tls.second_certificate") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_server_that_never_started_can_go) {
  auto server = server::Server::open(settings());
  BOOST_REQUIRE(server);
  BOOST_TEST((*server)->port() != 0);
}

BOOST_AUTO_TEST_CASE(a_stop_signal_is_waited_for) {
  server::block_signals();
  ::raise(SIGTERM);
  BOOST_TEST(server::wait_for_signal() == SIGTERM);
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(contract)

BOOST_AUTO_TEST_CASE(the_contract_names_the_public_url_and_nothing_else_is_served) {
  const server::Contract contract("https://a.example/services/aggregation");
  const auto wsdl = contract.find("wsdl");
  BOOST_REQUIRE(wsdl);
  BOOST_TEST(wsdl->find("location=\"https://a.example/services/aggregation\"") !=
             std::string_view::npos);
  BOOST_TEST(wsdl->find("PUBLIC_URL") == std::string_view::npos);
  BOOST_TEST(contract.find("WSDL").has_value());
  BOOST_TEST(contract.find("xsd=aggregation.xsd").has_value());
  BOOST_TEST(contract.find("xsd=content/001-002.xsd").has_value());
  for (const char* bad :
       {"", "Wsdl", "wsdl&x=1", "xsd=", "xsd=none.xsd", "xsd=../wsdl/aggregation.wsdl",
        "xsd=/etc/passwd", "xsd=aggregation.xsd%00"}) {
    BOOST_TEST_CONTEXT(bad) { BOOST_TEST(!contract.find(bad)); }
  }
}

BOOST_AUTO_TEST_SUITE_END()
