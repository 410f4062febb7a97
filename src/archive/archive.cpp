#include "archive/archive.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "base/ulid.h"
#include "crypto/digest.h"
#include "log/log.h"
#include "observe/events.h"
#include "store/archive_store.h"
#include "store/database.h"

namespace district::archive {
namespace {

// Replay keys are kept a little longer than the window accepts, for requests on their way from
// verify to the commit.
constexpr Duration kReplayMargin = std::chrono::minutes(1);

using Outcome = Result<store::AppendOutcome>;

struct Waiting {
  store::NewEnvelope envelope;
  std::promise<Outcome> outcome;
};

Result<store::NewEnvelope> prepare(const RawEnvelope& raw, const verify::VerifiedEnvelope& verified,
                                   const Content& content, int compression_level) {
  std::array<std::byte, 10> random;
  crypto::fill_random(random);
  store::NewEnvelope envelope;
  envelope.received_at = verified.verified_at();
  envelope.receipt_id = make_ulid(envelope.received_at, random);
  envelope.tenant = content.tenant;
  envelope.certificate_sha256 = verified.sender().certificate_sha256;
  envelope.signature_method = verified.sender().signature_method;
  envelope.replay_key = verified.replay_key();
  envelope.replay_until = verified.acceptable_until() + kReplayMargin;
  envelope.trust_epoch = verified.trust().epoch();
  envelope.message_count = content.message_count;
  envelope.source = content.first_source;
  envelope.content_type = raw.content_type;
  envelope.content_encoding = raw.content_encoding;
  envelope.soap_action = raw.soap_action;
  envelope.raw_size = raw.octets.size();
  envelope.payload_digest = verified.payload_digest();
  const Receipt receipt{envelope.receipt_id,
                        envelope.received_at,
                        envelope.message_count,
                        envelope.payload_digest,
                        0,
                        0,
                        {}};
  envelope.log_entry =
      log::envelope_entry(receipt, envelope.tenant, envelope.certificate_sha256, envelope.raw_size);
  DISTRICT_TRY(envelope.raw_zstd, compress(raw.octets, compression_level));
  return envelope;
}

Result<Receipt> receipt_of(store::AppendOutcome outcome) {
  if (auto* receipt = std::get_if<Receipt>(&outcome)) return std::move(*receipt);
  if (auto* replayed = std::get_if<store::Replayed>(&outcome)) {
    Error error{ErrorCode::message_replayed,
                "the same signature was accepted before, receipt " + replayed->first.receipt_id,
                {},
                {},
                std::make_shared<const FirstCopy>(replayed->first)};
    return fail(std::move(error));
  }
  return fail(ErrorCode::trust_changed, "trust changed between verification and commit");
}

}  // namespace

struct Archive::Impl {
  Impl(Settings chosen, const Clock& the_clock, std::unique_ptr<store::Database> opened)
      : settings(std::move(chosen)),
        clock(the_clock),
        database(std::move(opened)),
        store(*database) {}

  void run();
  std::vector<Waiting> next_group();
  void commit(std::vector<Waiting> group);
  Result<std::vector<store::AppendOutcome>> store_group(
      std::span<const store::NewEnvelope> envelopes);

  const Settings settings;
  const Clock& clock;
  const std::unique_ptr<store::Database> database;  // of the committing thread only
  store::ArchiveStore store;

  std::mutex mutex;  // of the members that follow
  std::condition_variable changed;
  std::deque<Waiting> queue;
  bool stopping = false;

  std::mutex wake_mutex;  // held while it is called
  std::function<void()> wake;

  std::thread committer;
};

// The committing thread. While it writes one group to the disk, the next one gathers.
void Archive::Impl::run() {
  for (auto group = next_group(); !group.empty(); group = next_group()) commit(std::move(group));
}

// Waits for envelopes; none when it is time to stop and none are left.
std::vector<Waiting> Archive::Impl::next_group() {
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return stopping || !queue.empty(); });
  std::vector<Waiting> group;
  while (!queue.empty() && group.size() < std::max<std::size_t>(1, settings.group_max)) {
    group.push_back(std::move(queue.front()));
    queue.pop_front();
  }
  return group;
}

Result<std::vector<store::AppendOutcome>> Archive::Impl::store_group(
    std::span<const store::NewEnvelope> envelopes) {
  const auto begin = std::chrono::steady_clock::now();
  auto outcomes = store.append(envelopes, clock.now());
  const auto elapsed = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - begin);
  if (outcomes) {
    observe::emit(observe::Level::debug, "group_committed",
                  {{"envelopes", envelopes.size()}, {"elapsed_us", elapsed.count()}});
  } else {
    observe::emit(observe::Level::error, "commit_failed",
                  {{"envelopes", envelopes.size()},
                   {"detail", outcomes.error().detail},
                   {"hint", outcomes.error().hint}});
  }
  return outcomes;
}

void Archive::Impl::commit(std::vector<Waiting> group) {
  std::vector<store::NewEnvelope> envelopes;
  for (auto& waiting : group) envelopes.push_back(std::move(waiting.envelope));
  std::vector<Outcome> results;
  if (auto outcomes = store_group(envelopes)) {
    results.assign(std::move_iterator(outcomes->begin()), std::move_iterator(outcomes->end()));
  } else if (outcomes.error().code != ErrorCode::internal || group.size() == 1) {
    results.assign(group.size(), fail(outcomes.error()));
  } else {
    // Not the disk's fault: one envelope that cannot be stored must not take the others with it.
    for (const auto& envelope : envelopes) {
      auto alone = store_group({&envelope, 1});
      results.push_back(alone ? Outcome(std::move(alone->front())) : fail(alone.error()));
    }
  }
  const bool any = std::ranges::any_of(results, [](const Outcome& result) {
    return result && std::holds_alternative<Receipt>(*result);
  });
  for (std::size_t i = 0; i < group.size(); ++i) group[i].outcome.set_value(std::move(results[i]));
  if (!any) return;
  const std::lock_guard lock(wake_mutex);
  if (wake) wake();
}

Result<std::unique_ptr<Archive>> Archive::open(Settings settings, const Clock& clock) {
  DISTRICT_TRY(auto database,
               store::Database::open(settings.database_path, store::OpenMode::create));
  auto impl = std::make_unique<Impl>(std::move(settings), clock, std::move(database));
  auto* running = impl.get();
  impl->committer = std::thread([running] { running->run(); });
  return std::unique_ptr<Archive>(new Archive(std::move(impl)));
}

Archive::Archive(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Archive::~Archive() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->changed.notify_all();
  impl_->committer.join();
}

Result<Receipt> Archive::append(const RawEnvelope& raw, const verify::VerifiedEnvelope& verified,
                                const Content& content) {
  DISTRICT_TRY(auto envelope, prepare(raw, verified, content, impl_->settings.compression_level));
  std::future<Outcome> outcome;
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->stopping) return fail(ErrorCode::archive_unavailable, "the archive is closing");
    if (impl_->queue.size() >= impl_->settings.queue_max) {
      return fail(ErrorCode::overloaded, "the archive's queue is full",
                  "the disk does not keep up with what arrives");
    }
    impl_->queue.push_back({std::move(envelope), {}});
    outcome = impl_->queue.back().outcome.get_future();
    // Under the lock: once it is released, the archive may close, and be gone when this one wakes.
    impl_->changed.notify_one();
  }
  DISTRICT_TRY(auto appended, outcome.get());
  return receipt_of(std::move(appended));
}

void Archive::on_commit(std::function<void()> wake) {
  const std::lock_guard lock(impl_->wake_mutex);
  impl_->wake = std::move(wake);
}

}  // namespace district::archive
