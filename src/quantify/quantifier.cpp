#include "quantify/quantifier.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/limits.h"
#include "observe/events.h"
#include "quantify/engine.h"
#include "quantify/raw_values.h"
#include "store/series_store.h"

namespace district::quantify {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLease = 5s;   // after a crash its items wait this long at most
constexpr auto kLookAround = 1s;  // also without a wake(): another process may have added work
// A transaction that takes longer makes way for the archive, which waits for it: senders wait, too.
// The pause is for other processes, which look for the lock now and then.
constexpr auto kTurnMax = 100ms;
constexpr auto kLetOthersWrite = 20ms;
constexpr auto kRetryMin = 200ms;
constexpr auto kRetryMax = 10s;
// A stale meter that cannot be computed is damaged: what may help is a repair, which takes longer.
constexpr std::chrono::seconds kRestMin = 10s;
constexpr std::chrono::seconds kRestMax = 1h;

// Envelopes of up to so many octets are prepared whole, and share transactions.
constexpr std::size_t kSmallOctetsMax = limits::kWholeOctetsMax;
// Bounds what is prepared at a time: as values, octets take a few times their room.
constexpr std::uint64_t kGroupOctetsMax = 4 * kSmallOctetsMax;
// Meters whose ids are remembered.
constexpr std::size_t kIdsMax = 100'000;
// An envelope of more meters is computed several times on its way.
constexpr std::size_t kMetersAtOnce = 10'000;
// The server's workers are at +5: a KPI that comes later costs nobody anything, a sender who waits
// for a receipt it does. Where there is a core to spare this changes nothing.
constexpr int kNicerThanWorkers = 10;

// The item stays and is tried again; any other error is the item's own.
bool cured_by_waiting(const Error& error) { return error.code == ErrorCode::archive_unavailable; }

struct Item {
  store::WorkItem work;
  store::StoredEnvelope stored;
  Origin origin() const { return {work.leaf_index, work.receipt_id, work.received_at}; }
};

struct Prepared {
  Item item;
  Result<Batch> batch;
};

// A transaction of which the writers of the archive never wait for long.
class Turns {
 public:
  explicit Turns(store::Database& database) : database_(database) {}

  Result<Ok> begin() {
    DISTRICT_TRY(auto transaction, store::Transaction::begin(database_));
    transaction_.emplace(std::move(transaction));
    began_ = std::chrono::steady_clock::now();
    return Ok{};
  }
  Result<Ok> commit() {
    auto done = transaction_->commit();
    transaction_.reset();
    return done;
  }
  // Between two steps: makes way when it has taken its time.
  Result<Ok> pause() {
    if (std::chrono::steady_clock::now() - began_ < kTurnMax) return Ok{};
    DISTRICT_CHECK(commit());
    std::this_thread::sleep_for(kLetOthersWrite);
    return begin();
  }

 private:
  store::Database& database_;
  std::optional<store::Transaction> transaction_;
  std::chrono::steady_clock::time_point began_;
};

Engine::ZoneLookup zones_of(std::shared_ptr<const trust::TrustSnapshot> snapshot, Instant now) {
  return [snapshot = std::move(snapshot), now](std::string_view tenant) {
    const auto* found = snapshot->tenant(tenant, now);
    return found == nullptr ? std::nullopt : std::optional(found->zone);
  };
}

}  // namespace

struct Quantifier::Impl {
  Impl(QuantifierSettings s, const validate::Validator& v, trust::Trust& t, const Clock& c)
      : settings(std::move(s)), validator(v), trust(t), clock(c), group_size(settings.group_max) {}

  QuantifierSettings settings;
  const validate::Validator& validator;
  trust::Trust& trust;
  const Clock& clock;
  std::unique_ptr<store::Database> database;  // of the working thread
  std::size_t group_size;                     // of the next transaction
  std::shared_ptr<series::KnownIds> known =
      std::make_shared<series::KnownIds>();  // to the working thread
  // Of stale meters; those that could not be computed rest for a time.
  struct Rest {
    std::chrono::steady_clock::time_point until;
    std::chrono::seconds time{};
  };
  std::map<std::int64_t, Rest> resting;
  std::int64_t last_stale = 0;

  std::mutex monitor_mutex;
  std::unique_ptr<store::Database> monitor;  // for waiting()

  std::thread thread;
  std::mutex mutex;
  std::condition_variable condition;
  bool woken = false;
  std::atomic<bool> stopping = false;

  Result<Ok> go_on() const;
  Prepared prepare(const Item& item);
  Result<Ok> commit(const std::vector<Prepared>& group);
  Result<Ok> commit_one_by_one(const std::vector<Prepared>& group);
  Result<Ok> commit_group(std::vector<Prepared>& group);
  Result<Ok> commit_large(const Item& item);
  Result<Ok> quantify_large(const Item& item);
  Result<bool> recompute_stale();
  Result<Ok> recompute_stale(std::int64_t meter_id);
  void let_rest(std::int64_t meter_id, const Error& error);
  Engine engine(std::shared_ptr<const trust::TrustSnapshot> snapshot, Instant now,
                Engine::Pause pause);
  struct Step {
    std::size_t items = 0;  // that are done
    bool idle = true;       // there was nothing to do
  };
  Result<Step> step();
  Result<Step> guarded_step();
  void run();
  void rest(std::chrono::milliseconds time);
};

// To be asked on the way through what would take too long to wait for.
Result<Ok> Quantifier::Impl::go_on() const {
  if (!stopping) return Ok{};
  return fail(ErrorCode::archive_unavailable, "the quantifier is being stopped");
}

// Everything that needs no write lock. An error is kept with the item.
Prepared Quantifier::Impl::prepare(const Item& item) {
  try {
    store::ArchiveStore archive(*database);
    Batch batch;
    auto read = read_values(archive, validator, item.stored, [&](const Batch& part) -> Result<Ok> {
      batch.append(part);
      return Ok{};
    });
    if (!read) return {item, fail(std::move(read.error()))};
    batch.tenant = item.stored.tenant;
    return {item, std::move(batch)};
  } catch (const std::exception& problem) {
    return {item, fail(ErrorCode::internal, problem.what())};
  }
}

Engine Quantifier::Impl::engine(std::shared_ptr<const trust::TrustSnapshot> snapshot, Instant now,
                                Engine::Pause pause) {
  Engine engine(*database, zones_of(std::move(snapshot), now), std::move(pause),
                settings.standards);
  if (known->meters.size() > kIdsMax) known = std::make_shared<series::KnownIds>();
  engine.remember(known);
  return engine;
}

// The next of the meters whose master data an administrator has changed: one at a time, so that
// new work waits for no more than one. false: there is none, or those that are left rest.
Result<bool> Quantifier::Impl::recompute_stale() {
  DISTRICT_TRY(auto stale, store::SeriesStore(*database).stale());
  std::erase_if(resting, [&](const auto& one) {
    return !std::binary_search(stale.begin(), stale.end(), one.first);
  });
  // In turn: one that imports mark again and again comes last.
  std::rotate(stale.begin(), std::upper_bound(stale.begin(), stale.end(), last_stale), stale.end());
  const auto now = std::chrono::steady_clock::now();
  const auto next = std::find_if(stale.begin(), stale.end(), [&](std::int64_t meter_id) {
    const auto rest = resting.find(meter_id);
    return rest == resting.end() || rest->second.until <= now;
  });
  if (next == stale.end()) return false;
  last_stale = *next;
  auto done = recompute_stale(*next);
  if (!done && stopping) return fail(std::move(done.error()));
  if (done) {
    resting.erase(*next);
  } else {
    known = std::make_shared<series::KnownIds>();
    let_rest(*next, done.error());
  }
  return true;
}

Result<Ok> Quantifier::Impl::recompute_stale(std::int64_t meter_id) {
  try {
    const auto now = clock.now();
    DISTRICT_TRY(auto snapshot, trust.snapshot());
    Turns turns(*database);
    DISTRICT_CHECK(turns.begin());
    auto engine = this->engine(std::move(snapshot), now, [&]() -> Result<Ok> {
      DISTRICT_CHECK(go_on());
      return turns.pause();
    });
    DISTRICT_CHECK(engine.recompute_stale(meter_id, now));
    return turns.commit();
  } catch (const std::exception& problem) {
    return fail(ErrorCode::internal, problem.what());
  }
}

// Its mark stays, so that nobody takes its KPIs for up to date; it holds up neither other stale
// meters nor new work.
void Quantifier::Impl::let_rest(std::int64_t meter_id, const Error& error) {
  auto& rest = resting[meter_id];
  rest.time = std::clamp(2 * rest.time, kRestMin, kRestMax);
  rest.until = std::chrono::steady_clock::now() + rest.time;
  const auto key = store::SeriesStore(*database).meter_key(meter_id).value_or(MeterKey{});
  observe::emit(observe::Level::error, "recompute_failed",
                {{"tenant", key.tenant},
                 {"source", key.source},
                 {"meter", key.meter},
                 {"code", static_cast<int>(error.code)},
                 {"detail", error.detail},
                 {"retry_s", rest.time.count()}});
}

// All of the group in one transaction, or in several when the recomputation takes long. The items
// are finished in the last one: after a crash or an error before it, all of it is done again.
Result<Ok> Quantifier::Impl::commit(const std::vector<Prepared>& group) {
  const auto now = clock.now();
  DISTRICT_TRY(auto snapshot, trust.snapshot());
  Turns turns(*database);
  DISTRICT_CHECK(turns.begin());
  store::ArchiveStore archive(*database);
  store::SeriesStore series(*database);
  auto engine = this->engine(std::move(snapshot), now, [&] { return turns.pause(); });
  series::Touched touched;
  for (const auto& [item, batch] : group) {
    if (batch) {
      DISTRICT_CHECK(engine.ingest(*batch, item.origin(), touched));
    } else {
      const auto& error = batch.error();
      DISTRICT_CHECK(
          series.put_failure({item.origin(), item.work.tenant, error.code, error.detail, now}));
    }
  }
  DISTRICT_CHECK(engine.recompute(touched, now));
  for (const auto& prepared : group)
    DISTRICT_CHECK(archive.finish_work(prepared.item.work.leaf_index));
  DISTRICT_CHECK(turns.commit());
  for (const auto& [item, batch] : group) {
    if (batch) continue;
    observe::emit(observe::Level::error, "quantify_failed",
                  {{"receipt_id", item.work.receipt_id},
                   {"tenant", item.work.tenant},
                   {"code", static_cast<int>(batch.error().code)},
                   {"detail", batch.error().detail}});
  }
  return Ok{};
}

// Finds the item that spoils its group: it is recorded as failed, the others are done.
Result<Ok> Quantifier::Impl::commit_one_by_one(const std::vector<Prepared>& group) {
  for (const auto& prepared : group) {
    auto done = commit({prepared});
    if (!done) known = std::make_shared<series::KnownIds>();
    if (!done && !cured_by_waiting(done.error()) && prepared.batch) {
      done = commit({{prepared.item, fail(std::move(done.error()))}});
    }
    if (!done) return done;
  }
  return Ok{};
}

// Leaves the group empty.
Result<Ok> Quantifier::Impl::commit_group(std::vector<Prepared>& group) {
  if (group.empty()) return Ok{};
  const auto began = std::chrono::steady_clock::now();
  auto done = commit(group);
  if (!done) known = std::make_shared<series::KnownIds>();
  if (!done && !cured_by_waiting(done.error())) done = commit_one_by_one(group);
  if (!done) return done;
  const auto took = std::chrono::steady_clock::now() - began;
  group_size = took > settings.group_time ? std::max<std::size_t>(1, group_size / 2)
                                          : std::min(settings.group_max, group_size * 2);
  group.clear();
  return Ok{};
}

// As commit_group() does it, in memory that does not grow with the envelope.
Result<Ok> Quantifier::Impl::commit_large(const Item& item) {
  auto done = quantify_large(item);
  if (!done) known = std::make_shared<series::KnownIds>();
  if (!done && !cured_by_waiting(done.error())) {
    return commit({{item, fail(std::move(done.error()))}});
  }
  return done;
}

Result<Ok> Quantifier::Impl::quantify_large(const Item& item) {
  const auto now = clock.now();
  DISTRICT_TRY(auto snapshot, trust.snapshot());
  store::ArchiveStore archive(*database);
  Turns turns(*database);
  auto engine = this->engine(std::move(snapshot), now, [&]() -> Result<Ok> {
    DISTRICT_CHECK(go_on());
    return turns.pause();
  });
  const auto check = [&](const Batch& part) -> Result<Ok> {
    DISTRICT_CHECK(go_on());
    return engine.check(part);
  };
  series::Touched touched;
  // Each part in a transaction of its own: others write while the next one is read.
  const auto ingest = [&](const Batch& part) -> Result<Ok> {
    DISTRICT_CHECK(go_on());
    DISTRICT_CHECK(turns.begin());
    DISTRICT_CHECK(engine.ingest(part, item.origin(), touched));
    if (touched.meters.size() >= kMetersAtOnce) DISTRICT_CHECK(engine.recompute(touched, now));
    return turns.commit();
  };
  // All must be known to be good before the first is written.
  DISTRICT_CHECK(read_values(archive, validator, item.stored, check));
  DISTRICT_CHECK(read_values(archive, validator, item.stored, ingest));
  DISTRICT_CHECK(turns.begin());
  DISTRICT_CHECK(engine.recompute(touched, now));
  DISTRICT_CHECK(archive.finish_work(item.work.leaf_index));
  return turns.commit();
}

// The items that are waiting, up to a number; where there are none, a stale meter.
Result<Quantifier::Impl::Step> Quantifier::Impl::step() {
  store::ArchiveStore archive(*database);
  DISTRICT_TRY(const auto waiting, archive.take_work(group_size, SystemClock().now(), kLease));
  std::vector<Prepared> group;
  std::uint64_t octets = 0;  // of the group
  for (const auto& work : waiting) {
    DISTRICT_CHECK(go_on());
    auto stored = archive.find(work.receipt_id);
    if (!stored && cured_by_waiting(stored.error())) return fail(std::move(stored.error()));
    if (!stored) {
      group.push_back({{work, {}}, fail(std::move(stored.error()))});
      continue;
    }
    const Item item{work, std::move(*stored)};
    const bool large = item.stored.raw_size > kSmallOctetsMax;
    if (large || octets + item.stored.raw_size > kGroupOctetsMax) {
      DISTRICT_CHECK(commit_group(group));
      octets = 0;
    }
    if (large) {
      DISTRICT_CHECK(commit_large(item));
      continue;
    }
    group.push_back(prepare(item));
    octets += item.stored.raw_size;
    const auto& batch = group.back().batch;
    if (!batch && cured_by_waiting(batch.error())) return fail(batch.error());
  }
  DISTRICT_CHECK(commit_group(group));
  if (!waiting.empty()) return Step{waiting.size(), false};
  DISTRICT_TRY(const bool busy, recompute_stale());
  return Step{0, !busy};
}

Result<Quantifier::Impl::Step> Quantifier::Impl::guarded_step() {
  try {
    auto done = step();
    // What a transaction that failed had looked up may never have been stored.
    if (!done) known = std::make_shared<series::KnownIds>();
    return done;
  } catch (const std::exception& problem) {
    // Out of memory, for one: the transaction has rolled back, the items wait for their lease.
    return fail(ErrorCode::archive_unavailable, std::string("quantifier: ") + problem.what());
  }
}

void Quantifier::Impl::rest(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex);
  condition.wait_for(lock, time, [this] { return woken || stopping; });
  woken = false;
}

void Quantifier::Impl::run() {
  // Of this thread only, on Linux. Where it fails nothing is lost but promptness of receipts.
  static_cast<void>(!::nice(kNicerThanWorkers));
  std::chrono::milliseconds pause = kRetryMin;
  while (!stopping) {
    const auto done = guarded_step();
    if (!done && stopping) return;
    if (!done) {
      observe::emit(observe::Level::error, "quantifier_waits",
                    {{"detail", done.error().detail}, {"retry_ms", pause.count()}});
      std::unique_lock lock(mutex);  // a wake() is no reason to try a broken disk sooner
      condition.wait_for(lock, pause, [this] { return stopping.load(); });
      pause = std::min<std::chrono::milliseconds>(pause * 2, kRetryMax);
      continue;
    }
    pause = kRetryMin;
    if (done->idle) rest(kLookAround);
  }
}

Quantifier::Quantifier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Quantifier::~Quantifier() { stop(); }

Result<std::unique_ptr<Quantifier>> Quantifier::open(QuantifierSettings settings,
                                                     const validate::Validator& validator,
                                                     trust::Trust& trust, const Clock& clock) {
  DISTRICT_TRY(auto database,
               store::Database::open(settings.database_path, store::OpenMode::create));
  DISTRICT_TRY(auto monitor,
               store::Database::open(settings.database_path, store::OpenMode::read_only));
  auto impl = std::make_unique<Impl>(std::move(settings), validator, trust, clock);
  impl->database = std::move(database);
  impl->monitor = std::move(monitor);
  return std::unique_ptr<Quantifier>(new Quantifier(std::move(impl)));
}

void Quantifier::start() {
  impl_->thread = std::thread([this] { impl_->run(); });
}

void Quantifier::wake() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->woken = true;
  }
  impl_->condition.notify_all();
}

void Quantifier::stop() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->condition.notify_all();
  if (impl_->thread.joinable()) impl_->thread.join();
}

Result<std::uint64_t> Quantifier::run_until_idle() {
  std::uint64_t total = 0;
  while (true) {
    DISTRICT_TRY(const auto done, impl_->guarded_step());
    if (done.idle) return total;
    total += done.items;
  }
}

Result<std::uint64_t> Quantifier::waiting() {
  const std::lock_guard lock(impl_->monitor_mutex);
  return store::ArchiveStore(*impl_->monitor).work_waiting();
}

}  // namespace district::quantify
