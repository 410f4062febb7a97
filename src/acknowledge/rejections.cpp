#include "acknowledge/rejections.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "archive/compression.h"
#include "base/limits.h"
#include "observe/events.h"

namespace district::acknowledge {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

// Waiting to be written. Those who have not authenticated get half of it, so that a flood of them
// leaves room for the others.
constexpr std::size_t kQueueMax = 2048;
constexpr std::size_t kQueueRawOctetsMax = std::size_t{16} * 1024 * 1024;
// One envelope in the queue; of a larger one the beginning, which has the header.
constexpr std::size_t kRawOctetsMax = limits::kWholeOctetsMax;
constexpr std::size_t kRawOctetsOfLarge = std::size_t{256} * 1024;
static_assert(kRawOctetsOfLarge >= limits::kHeaderOctetsMax);
// Raw envelopes of those who have not authenticated, a second.
constexpr std::size_t kSamplesPerSecond = 20;
// Between two transactions, so that a flood costs few of them.
constexpr auto kPause = 100ms;
constexpr auto kReportedEvery = 10s;
constexpr int kCompressionLevel = 1;

std::string tenant_of(const verify::Sender* sender) {
  return sender == nullptr || sender->enrolments.empty() ? std::string()
                                                         : sender->enrolments.front().tenant;
}

// Of an authenticated sender the verifier has told all; of others what their header said of itself
// came with the error.
Diagnosis facts_of(const Error& error, const verify::Sender* sender) {
  Diagnosis facts = diagnosis_of(error);
  facts.rule = rule_of(error);
  if (sender == nullptr) return facts;
  facts.created = sender->created;
  facts.expires = sender->expires;
  facts.judged_at = sender->judged_at;
  facts.key_reference = sender->key_reference;
  facts.certificate_sha256 = to_hex(sender->certificate_sha256);
  facts.subject = sender->subject;
  facts.tenant = tenant_of(sender);
  facts.signature_method = sender->signature_method;
  return facts;
}

}  // namespace

struct Rejections::Impl {
  struct Waiting {
    store::Rejection rejection;
    Bytes raw;  // not yet compressed
  };

  Impl(std::unique_ptr<store::RejectionStore> opened, const store::RejectionBounds& chosen)
      : store(std::move(opened)), bounds(chosen) {}

  bool has_room_for_raw(bool authenticated, std::size_t octets);
  void run();
  void write(std::deque<Waiting> batch);
  void report(bool now);

  const std::unique_ptr<store::RejectionStore> store;  // of the writing thread only
  const store::RejectionBounds bounds;

  std::mutex mutex;  // of the members that follow
  std::condition_variable changed;
  std::deque<Waiting> queue;
  std::size_t raw_octets = 0;  // of the queue
  SteadyClock::time_point second_began{};
  std::size_t samples_of_second = 0;
  std::uint64_t not_kept = 0, raw_not_kept = 0;  // not yet reported
  SteadyClock::time_point reported_at{};
  bool stopping = false;
  std::thread thread;
};

// Under the lock.
bool Rejections::Impl::has_room_for_raw(bool authenticated, std::size_t octets) {
  if (raw_octets + octets > (authenticated ? kQueueRawOctetsMax : kQueueRawOctetsMax / 2))
    return false;
  if (authenticated) return true;
  const auto now = SteadyClock::now();
  if (now - second_began >= 1s) {
    second_began = now;
    samples_of_second = 0;
  }
  return samples_of_second++ < kSamplesPerSecond;
}

void Rejections::Impl::run() {
  std::unique_lock lock(mutex);
  while (true) {
    changed.wait_for(lock, kReportedEvery, [this] { return stopping || !queue.empty(); });
    if (stopping && queue.empty()) break;
    if (!queue.empty()) {
      auto batch = std::exchange(queue, {});
      raw_octets = 0;
      lock.unlock();
      write(std::move(batch));
      report(false);
      lock.lock();
      changed.wait_for(lock, kPause, [this] { return stopping; });
      continue;
    }
    lock.unlock();
    report(false);
    lock.lock();
  }
  lock.unlock();
  report(true);
}

void Rejections::Impl::write(std::deque<Waiting> batch) {
  std::vector<store::Rejection> rejections;
  for (auto& waiting : batch) {
    if (!waiting.raw.empty()) {
      auto compressed = archive::compress(waiting.raw, kCompressionLevel);
      if (compressed) waiting.rejection.raw_zstd = *std::move(compressed);
    }
    rejections.push_back(std::move(waiting.rejection));
  }
  const auto now = rejections.back().last_at;
  const auto added = store->add(rejections, bounds, now);
  if (added) return;
  const std::lock_guard lock(mutex);
  not_kept += rejections.size();
  observe::emit(observe::Level::error, "rejections_not_written",
                {{"count", rejections.size()}, {"detail", added.error().detail}});
}

// Nothing is dropped silently: the log has every rejection in a line of its own, and here how many
// of them districtctl will not find.
void Rejections::Impl::report(bool at_once) {
  std::uint64_t rows = 0, raw = 0;
  {
    const std::lock_guard lock(mutex);
    const auto now = SteadyClock::now();
    if (not_kept == 0 && raw_not_kept == 0) return;
    if (!at_once && now - reported_at < kReportedEvery) return;
    reported_at = now;
    rows = std::exchange(not_kept, 0);
    raw = std::exchange(raw_not_kept, 0);
  }
  observe::emit(observe::Level::warning, "rejections_not_kept",
                {{"count", rows},
                 {"only_raw", raw},
                 {"detail", "more requests were refused than is kept of them"}});
}

Rejections::Rejections(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Rejections::~Rejections() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->changed.notify_all();
  if (impl_->thread.joinable()) impl_->thread.join();
}

Result<std::unique_ptr<Rejections>> Rejections::open(const std::string& path,
                                                     const store::RejectionBounds& bounds) {
  DISTRICT_TRY(auto store, store::RejectionStore::open(path, store::OpenMode::create));
  auto impl = std::make_unique<Impl>(std::move(store), bounds);
  auto& its = *impl;
  std::unique_ptr<Rejections> rejections(new Rejections(std::move(impl)));
  its.thread = std::thread([&its] { its.run(); });
  ::pthread_setname_np(its.thread.native_handle(), "rejections");  // for top and perf
  return rejections;
}

void Rejections::keep(const std::string& rejection_id, Instant now, const Error& error,
                      const RefusedRequest& request, const verify::Sender* sender) {
  auto& its = *impl_;
  const bool authenticated = sender != nullptr;
  const bool cut = request.octets.size() < request.size || !request.size_is_whole;
  const auto octets = request.octets.first(
      std::min(request.octets.size(), cut ? kRawOctetsOfLarge : kRawOctetsMax));
  bool with_raw = !octets.empty();
  {
    const std::lock_guard lock(its.mutex);
    if (its.queue.size() >= (authenticated ? kQueueMax : kQueueMax / 2)) {
      ++its.not_kept;
      return;
    }
    if (with_raw && !its.has_room_for_raw(authenticated, octets.size())) {
      ++its.raw_not_kept;
      with_raw = false;
    } else {
      its.raw_octets += octets.size();
    }
  }
  // Copied without the lock. Meanwhile others may come: the bounds are a little soft.
  Impl::Waiting waiting;
  auto& rejection = waiting.rejection;
  rejection.rejection_id = rejection_id;
  rejection.rejected_at = rejection.last_at = now;
  rejection.code = error.code;
  rejection.detail = error.detail;
  rejection.hint = error.hint;
  rejection.violations = error.violations;
  if (error.first_copy) rejection.first_receipt_id = error.first_copy->receipt_id;
  rejection.diagnosis = facts_of(error, sender);
  rejection.authenticated = authenticated;
  rejection.tenant = tenant_of(sender);
  rejection.peer = request.peer;
  rejection.content_type = request.content_type;
  rejection.content_encoding = request.content_encoding;
  rejection.soap_action = request.soap_action;
  rejection.size = request.size;
  rejection.size_is_whole = request.size_is_whole;
  if (with_raw) {
    waiting.raw = to_bytes(octets);
    rejection.raw_kept = octets.size();
  } else {
    rejection.raw_absent = !request.octets.empty() ? "too many were refused at a time"
                           : request.size == 0     ? "nothing of it was read"
                                                   : "it was refused before it was decoded";
  }
  {
    const std::lock_guard lock(its.mutex);
    its.queue.push_back(std::move(waiting));
  }
  its.changed.notify_all();
}

}  // namespace district::acknowledge
