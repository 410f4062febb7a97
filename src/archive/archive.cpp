#include "archive/archive.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "archive/compression.h"
#include "base/ulid.h"
#include "crypto/digest.h"
#include "log/log.h"
#include "observe/events.h"
#include "store/archive_reader.h"
#include "store/database.h"
#include "store/ledger.h"

namespace district::archive {
namespace {

// Replay keys are kept a little longer than the window accepts, for requests on their way from
// verify to the commit.
constexpr Duration kReplayMargin = std::chrono::minutes(1);
// How long a commit waits at most for envelopes that are being verified.
constexpr auto kGatherTime = std::chrono::milliseconds(2);

// Another node takes an upload for abandoned that has stored nothing for so long.
constexpr Duration kStagingLease = std::chrono::hours(1);
// After an error, discarding waits that long: a full disk is not pressed.
constexpr auto kDiscardRetry = std::chrono::seconds(1);

using Outcome = Result<store::AppendOutcome>;

struct Waiting {
  store::NewEnvelope envelope;
  Evidence evidence;
  Archive::Durable durable;
};

struct Chunks {
  store::StagedRaw staged;
  std::vector<Bytes> chunks;
  std::promise<Result<store::StagedRaw>> outcome;
};

// Everything of the envelope but its octets.
store::NewEnvelope describe(const Evidence& evidence, const verify::VerifiedEnvelope& verified,
                            const Content& content) {
  const auto& raw = evidence.raw();
  std::array<std::byte, 10> random;
  crypto::fill_random(random);
  store::NewEnvelope envelope;
  envelope.received_at = verified.verified_at();
  envelope.receipt_id = make_ulid(envelope.received_at, random);
  envelope.tenant = content.tenant;
  envelope.certificate_sha256 = verified.sender().certificate_sha256;
  envelope.signature_method = verified.sender().signature_method;
  envelope.replay_key = verified.replay_key();
  envelope.created = verified.created();
  envelope.replay_until = verified.acceptable_until() + kReplayMargin;
  envelope.trust_epoch = verified.trust().epoch();
  envelope.message_count = content.message_count;
  envelope.source = content.first_source;
  envelope.content_type = raw.content_type;
  envelope.content_encoding = raw.content_encoding;
  envelope.soap_action = raw.soap_action;
  envelope.raw_size = evidence.size();
  envelope.payload_digest = verified.payload_digest();
  envelope.log_entry = log::envelope_entry(envelope);
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
  if (const auto until = std::get<store::TrustChanged>(outcome).forgotten_until) {
    return fail(ErrorCode::trust_changed,
                "its replay key may have been forgotten: the clock was set back, or the window "
                "widened, and messages are accepted again when they would have ended after " +
                    format_instant(*until),
                "check the server's clock (NTP); the sender tries again");
  }
  return fail(ErrorCode::trust_changed, "trust changed between verification and commit");
}

}  // namespace

struct Archive::Impl final : Staging {
  Impl(Settings chosen, const Clock& the_clock, std::unique_ptr<store::ArchiveDatabase> opened)
      : settings(std::move(chosen)),
        clock(the_clock),
        database(std::move(opened)),
        ledger(*database) {}

  std::future<Result<store::StagedRaw>> stage(store::StagedRaw staged,
                                              std::vector<Bytes> chunks) override;
  void discard(std::uint64_t raw_id) override;
  void announce() override;
  void withdraw() override;
  Result<std::unique_ptr<store::ArchiveDatabase>> open_to_read() override;
  int compression_level() const override { return settings.compression_level; }

  // What the committing thread does before it looks again.
  struct Turn {
    std::optional<Chunks> chunks;
    std::vector<Waiting> group;
    std::optional<std::uint64_t> discarded;
    bool empty() const { return !chunks && group.empty() && !discarded; }
  };
  void run();
  Turn next_turn();
  bool group_is_complete() const;
  bool discard_is_due() const;
  void store_chunks(Chunks chunks);
  void discard_some(std::uint64_t raw_id);
  void commit(std::vector<Waiting> group);
  Result<std::vector<store::AppendOutcome>> store_group(
      std::span<const store::NewEnvelope> envelopes);
  Outcome settle(const store::NewEnvelope& envelope, const Error& error, bool alone);
  Result<store::NewEnvelope> prepare(Evidence& evidence, const verify::VerifiedEnvelope& verified,
                                     const Content& content) const;
  Result<Ok> take(Waiting& waiting);
  static void tell(Waiting waiting, Outcome outcome);

  const Settings settings;
  const Clock& clock;
  const std::unique_ptr<store::ArchiveDatabase> database;  // of the committing thread only
  store::Ledger ledger;

  std::mutex mutex;  // of the members that follow
  std::condition_variable changed;
  std::deque<Waiting> queue;
  std::size_t announced = 0;  // envelopes that may soon be in the queue
  std::deque<Chunks> chunks_waiting;
  std::deque<std::uint64_t> to_discard;
  std::chrono::steady_clock::time_point discard_from{};
  bool stopping = false;

  std::mutex wake_mutex;  // held while it is called
  std::function<void()> wake;

  std::thread committer;
};

// The committing thread. While it writes one group to the disk, the next one gathers. It alone
// writes, so that large envelopes and small ones take turns instead of waiting for SQLite's lock.
void Archive::Impl::run() {
  for (auto turn = next_turn(); !turn.empty(); turn = next_turn()) {
    if (turn.chunks) store_chunks(*std::move(turn.chunks));
    if (!turn.group.empty()) commit(std::move(turn.group));
    if (turn.discarded) discard_some(*turn.discarded);
  }
}

bool Archive::Impl::discard_is_due() const {
  return !to_discard.empty() && std::chrono::steady_clock::now() >= discard_from;
}

// Waits for something to do; nothing when it is time to stop and all is done.
Archive::Impl::Turn Archive::Impl::next_turn() {
  std::unique_lock lock(mutex);
  const auto ready = [&] {
    return stopping || !queue.empty() || !chunks_waiting.empty() || discard_is_due();
  };
  while (!ready()) {
    if (to_discard.empty()) {
      changed.wait(lock);
    } else {
      changed.wait_until(lock, discard_from);
    }
  }
  // Who is being verified now shares this commit instead of waiting for the next: a commit costs
  // about as much for sixteen as for one.
  if (!queue.empty()) changed.wait_for(lock, kGatherTime, [&] { return group_is_complete(); });
  Turn turn;
  while (!queue.empty() && turn.group.size() < std::max<std::size_t>(1, settings.group_max)) {
    turn.group.push_back(std::move(queue.front()));
    queue.pop_front();
  }
  if (!chunks_waiting.empty()) {
    turn.chunks = std::move(chunks_waiting.front());
    chunks_waiting.pop_front();
  } else if (discard_is_due()) {
    turn.discarded = to_discard.front();
  }
  return turn;
}

bool Archive::Impl::group_is_complete() const {
  return announced == 0 || queue.size() >= settings.group_max || stopping ||
         !chunks_waiting.empty();
}

void Archive::Impl::announce() {
  const std::lock_guard lock(mutex);
  ++announced;
}

void Archive::Impl::withdraw() {
  const std::lock_guard lock(mutex);
  if (--announced == 0) changed.notify_one();
}

std::future<Result<store::StagedRaw>> Archive::Impl::stage(store::StagedRaw staged,
                                                           std::vector<Bytes> chunks) {
  Chunks waiting{staged, std::move(chunks), {}};
  auto outcome = waiting.outcome.get_future();
  const std::lock_guard lock(mutex);
  if (stopping) {
    waiting.outcome.set_value(fail(ErrorCode::archive_unavailable, "the archive is closing"));
    return outcome;
  }
  chunks_waiting.push_back(std::move(waiting));
  changed.notify_one();
  return outcome;
}

void Archive::Impl::store_chunks(Chunks waiting) {
  auto staged = waiting.staged;
  const auto stored =
      ledger.stage(staged, waiting.chunks, {settings.location.node(), clock.now() + kStagingLease});
  if (!stored) {
    observe::emit(observe::Level::error, "staging_failed",
                  {{"detail", stored.error().detail}, {"hint", stored.error().hint}});
    waiting.outcome.set_value(fail(stored.error()));
    return;
  }
  waiting.outcome.set_value(staged);
}

void Archive::Impl::discard(std::uint64_t raw_id) {
  const std::lock_guard lock(mutex);
  to_discard.push_back(raw_id);
  changed.notify_one();
}

void Archive::Impl::discard_some(std::uint64_t raw_id) {
  const auto more = ledger.discard(raw_id);
  if (!more) {
    observe::emit(observe::Level::error, "discard_failed",
                  {{"detail", more.error().detail}, {"hint", more.error().hint}});
  }
  const std::lock_guard lock(mutex);
  if (!more && stopping) to_discard.clear();  // the next start finds them
  if (!more) discard_from = std::chrono::steady_clock::now() + kDiscardRetry;
  if (more && !*more) to_discard.pop_front();
}

Result<std::unique_ptr<store::ArchiveDatabase>> Archive::Impl::open_to_read() {
  return store::ArchiveDatabase::open(settings.location, store::OpenMode::read_only);
}

Result<std::vector<store::AppendOutcome>> Archive::Impl::store_group(
    std::span<const store::NewEnvelope> envelopes) {
  const auto begin = std::chrono::steady_clock::now();
  auto outcomes = ledger.append(envelopes, clock.now());
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

// What became of an envelope whose group failed. It may be stored all the same, when the failure
// came in the commit itself: then it has its receipt.
Outcome Archive::Impl::settle(const store::NewEnvelope& envelope, const Error& error, bool alone) {
  auto stored = ledger.resolve(envelope.replay_key, envelope.created);
  if (stored && *stored && (*stored)->receipt_id == envelope.receipt_id) {
    return store::AppendOutcome(**std::move(stored));
  }
  if (!alone) return fail(error);
  auto outcome = store_group({&envelope, 1});
  return outcome ? Outcome(std::move(outcome->front())) : fail(outcome.error());
}

void Archive::Impl::commit(std::vector<Waiting> group) {
  std::vector<store::NewEnvelope> envelopes;
  for (auto& waiting : group) envelopes.push_back(std::move(waiting.envelope));
  std::vector<Outcome> results;
  if (auto outcomes = store_group(envelopes)) {
    results.assign(std::move_iterator(outcomes->begin()), std::move_iterator(outcomes->end()));
  } else {
    // Where it is not the disk's fault, one envelope that cannot be stored must not take the others
    // with it.
    const bool alone = outcomes.error().code == ErrorCode::internal && group.size() > 1;
    for (const auto& envelope : envelopes) {
      results.push_back(settle(envelope, outcomes.error(), alone));
    }
  }
  const bool any = std::ranges::any_of(results, [](const Outcome& result) {
    return result && std::holds_alternative<Receipt>(*result);
  });
  for (std::size_t i = 0; i < group.size(); ++i) tell(std::move(group[i]), std::move(results[i]));
  if (!any) return;
  const std::lock_guard lock(wake_mutex);
  if (wake) wake();
}

Result<store::NewEnvelope> Archive::Impl::prepare(Evidence& evidence,
                                                  const verify::VerifiedEnvelope& verified,
                                                  const Content& content) const {
  DISTRICT_TRY(const auto* staged, evidence.staged());
  auto envelope = describe(evidence, verified, content);
  if (staged != nullptr) {
    envelope.staged = *staged;
  } else {
    DISTRICT_TRY(envelope.raw_zstd, compress(evidence.raw().octets, settings.compression_level));
  }
  return envelope;
}

// Where it fails, `waiting` stays as it was.
Result<Ok> Archive::Impl::take(Waiting& waiting) {
  const std::lock_guard lock(mutex);
  if (stopping) return fail(ErrorCode::archive_unavailable, "the archive is closing");
  if (queue.size() >= settings.queue_max) {
    return fail(ErrorCode::overloaded, "the archive's queue is full",
                "the disk does not keep up with what arrives");
  }
  if (std::exchange(waiting.evidence.announced_, false)) --announced;
  queue.push_back(std::move(waiting));
  // Under the lock: once it is released, the archive may close, and be gone when this one wakes.
  if (queue.size() == 1 || group_is_complete()) changed.notify_one();
  return Ok{};
}

void Archive::Impl::tell(Waiting waiting, Outcome outcome) {
  auto receipt = outcome ? receipt_of(*std::move(outcome)) : fail(std::move(outcome).error());
  if (receipt) waiting.evidence.set_appended();
  waiting.durable(std::move(waiting.evidence), std::move(receipt));
}

Result<std::unique_ptr<Archive>> Archive::open(Settings settings, const Clock& clock) {
  DISTRICT_TRY(auto database,
               store::ArchiveDatabase::open(settings.location, store::OpenMode::create));
  auto impl = std::make_unique<Impl>(std::move(settings), clock, std::move(database));
  DISTRICT_TRY(const auto left_over,
               impl->ledger.orphans(impl->settings.location.node(), clock.now()));
  DISTRICT_TRY(const auto horizon, impl->ledger.replay_horizon());
  if (horizon > clock.now()) {
    observe::emit(observe::Level::warning, "clock_was_set_back",
                  {{"until", format_instant(horizon)},
                   {"detail",
                    "replay keys that end before then are forgotten: older messages get "
                    "HTTP 503, so that none is accepted twice"},
                   {"hint", "check the server's clock (NTP)"}});
  }
  impl->to_discard.assign(left_over.begin(), left_over.end());
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

Evidence Archive::keep(RawEnvelope raw) { return {std::move(raw), *impl_}; }

void Archive::append(Evidence evidence, const verify::VerifiedEnvelope& verified,
                     const Content& content, Durable durable) {
  auto envelope = impl_->prepare(evidence, verified, content);
  if (!envelope) return durable(std::move(evidence), fail(std::move(envelope).error()));
  Waiting waiting{*std::move(envelope), std::move(evidence), std::move(durable)};
  auto taken = impl_->take(waiting);
  if (!taken) waiting.durable(std::move(waiting.evidence), fail(std::move(taken).error()));
}

void Archive::on_commit(std::function<void()> wake) {
  const std::lock_guard lock(impl_->wake_mutex);
  impl_->wake = std::move(wake);
}

}  // namespace district::archive
