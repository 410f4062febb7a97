#include "server/front.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace district::server {
namespace {

// A large body has its thread at once, or is refused.
constexpr auto kLargeAnswerMax = std::chrono::hours(24);
// What a request takes of one core, roughly, until it has been measured.
constexpr auto kUsualWork = std::chrono::milliseconds(1);
// Who reads has programs of patience; each waits for one answer at a time.
constexpr std::size_t kApiWaitingMax = 64;
constexpr auto kApiAnswerMax = std::chrono::seconds(10);
// After a change by an administrator a look reads all enrolments.
constexpr auto kCertificateAnswerMax = std::chrono::seconds(5);

}  // namespace

Front::Front(Settings s)
    : settings(std::move(s)),
      admission(settings.connections_max, settings.connections_per_peer_max),
      bodies(settings.body_octets_total_max),
      answers(settings.body_octets_total_max),
      workers(
          "district-worker", settings.workers,
          {std::max(settings.few, settings.workers), settings.queue_max, settings.answer,
           FairQueue::Duration(kUsualWork) / std::max(1U, std::thread::hardware_concurrency())}),
      large_workers("district-large", settings.large_bodies,
                    {settings.large_bodies, 0, kLargeAnswerMax, {}}),
      api_workers("district-api", kApiThreads,
                  {2 * kApiThreads, kApiWaitingMax, kApiAnswerMax, {}}),
      certificate_workers("district-certs", 1, {2, settings.queue_max, kCertificateAnswerMax, {}}) {
}

std::shared_ptr<const HttpResponse> Front::overloaded(const char* detail,
                                                      std::string_view content_type,
                                                      std::string_view peer) {
  const Error why{ErrorCode::overloaded, detail, {}, {}, {}};
  return refusals.give(*application, why, content_type, peer, std::chrono::steady_clock::now());
}

// RFC 9457: the query API's form of a refusal.
std::shared_ptr<const HttpResponse> Front::no_time_to_read() {
  static const auto response = std::make_shared<const HttpResponse>(HttpResponse{
      503, "application/problem+json",
      R"({"title":"Service Unavailable","status":503,"detail":"too much is being read"})",
      kRetryAfterSeconds});
  return response;
}

}  // namespace district::server
