// Mutual TLS: who looks a certificate up, and what waits for it.
#include "model/api.h"
#include "running_server.h"

using namespace district;
using test::get;
using test::Log;
using test::post;
using test::Running;
using test::TlsClient;

namespace {

server::Settings asking_for(server::ClientCertificates certificates) {
  auto settings = test::settings();
  settings.listeners.front().client_certificates = certificates;
  return settings;
}

TlsClient client_with_certificate(const Running& running) {
  return TlsClient(running.port(), TLS1_3_VERSION, nullptr, test::pki().folder / "other.pem");
}

int status_of(TlsClient& client, const std::string& request) {
  client.send(request);
  return client.read().status;
}

// Reads that take as long as the test likes.
struct SlowReader final : ApiHandler {
  HttpResponse get(const ApiRequest& request) override {
    std::unique_lock lock(mutex);
    certificate_came = request.client_certificate.has_value();
    ++asked;
    changed.notify_all();
    changed.wait(lock, [this] { return released; });
    return {200, "application/json", "{}"};
  }
  void release() {
    const std::lock_guard lock(mutex);
    released = true;
    changed.notify_all();
  }
  bool wait_until_asked(std::size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(5), [&] { return asked >= count; });
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t asked = 0;
  bool released = false, certificate_came = false;
};

// Lets go also where a test ends early: the server's threads are waiting.
struct Releasing {
  explicit Releasing(SlowReader& slow) : reader(slow) {}
  ~Releasing() { reader.release(); }
  Releasing(const Releasing&) = delete;
  Releasing& operator=(const Releasing&) = delete;
  SlowReader& reader;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(client_certificates)

BOOST_AUTO_TEST_CASE(a_required_certificate_is_looked_up_at_each_request) {
  const Log log;
  Running running(asking_for(server::ClientCertificates::required));
  auto client = client_with_certificate(running);
  running.application.enrolled = true;
  BOOST_TEST(status_of(client, post("a")) == 200);
  BOOST_TEST(status_of(client, get("/health")) == 200);
  BOOST_TEST(running.application.looks == 2);
  running.application.enrolled = false;
  BOOST_TEST(status_of(client, get("/health")) == 403);
  BOOST_TEST(log.has("is not enrolled, or not in force now"));
}

BOOST_AUTO_TEST_CASE(a_refused_head_request_has_no_body) {
  Running running(asking_for(server::ClientCertificates::required));
  running.application.enrolled = false;
  auto client = client_with_certificate(running);
  client.send("HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n");
  BOOST_TEST(client.read(false).status == 403);
  BOOST_TEST(client.ended());
}

BOOST_AUTO_TEST_CASE(when_trust_cannot_be_read_the_client_is_told_to_try_again) {
  const Log log;
  Running running(asking_for(server::ClientCertificates::required));
  running.application.enrolled = true;
  running.application.trust_is_readable = false;
  auto client = client_with_certificate(running);
  client.send(post("a"));
  const auto answer = client.read();
  BOOST_TEST(answer.status == 503);
  BOOST_TEST(answer.has("Retry-After: "));
  BOOST_TEST(running.application.posts() == 0);
  BOOST_TEST(log.has("could not be looked up: the disk is gone"));
}

// Only the query API uses it, and finds out itself whether it is enrolled.
BOOST_AUTO_TEST_CASE(an_optional_certificate_costs_an_envelope_nothing) {
  SlowReader reader;
  reader.release();
  Running running(asking_for(server::ClientCertificates::optional), &reader);
  auto client = client_with_certificate(running);
  BOOST_TEST(status_of(client, post("a")) == 200);
  BOOST_TEST(status_of(client, get("/api/v1/tenants")) == 200);
  BOOST_TEST(reader.certificate_came);
  BOOST_TEST(running.application.looks == 0);
}

BOOST_AUTO_TEST_CASE(slow_reads_keep_no_gateway_waiting) {
  SlowReader reader;
  Running running(asking_for(server::ClientCertificates::required), &reader);
  running.application.enrolled = true;
  std::vector<std::unique_ptr<TlsClient>> readers;
  for (std::size_t i = 0; i < 3 * kApiThreads; ++i) {
    readers.push_back(std::make_unique<TlsClient>(running.port(), TLS1_3_VERSION, nullptr,
                                                  test::pki().folder / "other.pem"));
    readers.back()->send(get("/api/v1/tenants"));
  }
  const Releasing releasing(reader);
  BOOST_REQUIRE(reader.wait_until_asked(kApiThreads));
  auto gateway = client_with_certificate(running);
  BOOST_TEST(status_of(gateway, post("a")) == 200);
  reader.release();
  for (const auto& one : readers) BOOST_TEST(one->read().status == 200);
}

BOOST_AUTO_TEST_SUITE_END()
