#include "quantify/quantifier.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "archive/stored_octets.h"
#include "observe/events.h"
#include "quantify/engine.h"
#include "receive/media_type.h"
#include "store/series_store.h"

namespace district::quantify {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLease = 5s;   // after a crash its items wait this long at most
constexpr auto kLookAround = 1s;  // also without a wake(): another process may have added work
// A transaction that takes longer makes way for the archive, which waits for it: senders wait, too.
constexpr auto kTurnMax = 2s;
constexpr auto kLetOthersWrite = 250ms;  // SQLite looks for a lock every 100 ms
constexpr auto kRetryMin = 200ms;
constexpr auto kRetryMax = 10s;

// The item stays and is tried again; any other error is the item's own.
bool cured_by_waiting(const Error& error) { return error.code == ErrorCode::archive_unavailable; }

struct Prepared {
  store::WorkItem item;
  Result<Batch> batch;
};

store::Origin origin_of(const store::WorkItem& item) {
  return {item.leaf_index, item.receipt_id, item.received_at};
}

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
  Result<Ok> commit() { return transaction_->commit(); }
  // Between two steps: makes way when it has taken its time.
  Result<Ok> pause() {
    if (std::chrono::steady_clock::now() - began_ < kTurnMax) return Ok{};
    DISTRICT_CHECK(commit());
    transaction_.reset();
    std::this_thread::sleep_for(kLetOthersWrite);
    return begin();
  }

 private:
  store::Database& database_;
  std::optional<store::Transaction> transaction_;
  std::chrono::steady_clock::time_point began_;
};

}  // namespace

Result<Batch> read_batch(store::ArchiveStore& archive, const validate::Validator& validator,
                         const std::string& receipt_id) {
  DISTRICT_TRY(const auto stored, archive.find(receipt_id));
  DISTRICT_TRY(const auto raw, archive::read_octets(archive, stored));
  std::string charset;
  if (const auto type = receive::parse_media_type(stored.content_type)) {
    if (const auto* parameter = type->find("charset")) charset = receive::to_lower(*parameter);
  }
  Batch batch;
  MemorySource octets(raw);
  DISTRICT_CHECK(
      validator.extract(octets, charset, stored.received_at, [&](const Batch& part) -> Result<Ok> {
        batch.append(part);
        return Ok{};
      }));
  batch.tenant = stored.tenant;
  return batch;
}

struct Quantifier::Impl {
  Impl(QuantifierSettings s, const validate::Validator& v, trust::Trust& t, const Clock& c)
      : settings(std::move(s)), validator(v), trust(t), clock(c), group_size(settings.group_max) {}

  QuantifierSettings settings;
  const validate::Validator& validator;
  trust::Trust& trust;
  const Clock& clock;
  std::unique_ptr<store::Database> database;  // of the working thread
  std::size_t group_size;                     // of the next transaction

  std::mutex monitor_mutex;
  std::unique_ptr<store::Database> monitor;  // for waiting()

  std::thread thread;
  std::mutex mutex;
  std::condition_variable condition;
  bool woken = false;
  std::atomic<bool> stopping = false;

  Prepared prepare(const store::WorkItem& item);
  Result<Ok> commit(const std::vector<Prepared>& group);
  Result<Ok> commit_one_by_one(const std::vector<Prepared>& group);
  Result<std::size_t> step();
  Result<std::size_t> guarded_step();
  void run();
  void rest(std::chrono::milliseconds time);
};

// Everything that needs no write lock. An error is kept with the item.
Prepared Quantifier::Impl::prepare(const store::WorkItem& item) {
  try {
    store::ArchiveStore archive(*database);
    return {item, read_batch(archive, validator, item.receipt_id)};
  } catch (const std::exception& problem) {
    return {item, fail(ErrorCode::internal, problem.what())};
  }
}

// All of the group in one transaction, or in several when the recomputation takes long. The items
// are finished in the last one: after a crash or an error before it, all of it is done again.
Result<Ok> Quantifier::Impl::commit(const std::vector<Prepared>& group) {
  const auto now = clock.now();
  DISTRICT_TRY(const auto snapshot, trust.snapshot());
  Turns turns(*database);
  DISTRICT_CHECK(turns.begin());
  store::ArchiveStore archive(*database);
  store::SeriesStore series(*database);
  const auto zone_of = [&](std::string_view tenant) -> std::optional<std::string> {
    const auto* found = snapshot->tenant(tenant, now);
    return found == nullptr ? std::nullopt : std::optional(found->zone);
  };
  Engine engine(*database, zone_of, [&] { return turns.pause(); });
  Touched touched;
  for (const auto& [item, batch] : group) {
    if (batch) {
      DISTRICT_CHECK(engine.ingest(*batch, origin_of(item), touched));
    } else {
      const auto& error = batch.error();
      DISTRICT_CHECK(
          series.put_failure({origin_of(item), item.tenant, error.code, error.detail, now}));
    }
  }
  DISTRICT_CHECK(engine.recompute(touched, now));
  for (const auto& prepared : group) DISTRICT_CHECK(archive.finish_work(prepared.item.leaf_index));
  DISTRICT_CHECK(turns.commit());
  for (const auto& [item, batch] : group) {
    if (batch) continue;
    observe::emit(observe::Level::error, "quantify_failed",
                  {{"receipt_id", item.receipt_id},
                   {"tenant", item.tenant},
                   {"code", static_cast<int>(batch.error().code)},
                   {"detail", batch.error().detail}});
  }
  return Ok{};
}

// Finds the item that spoils its group: it is recorded as failed, the others are done.
Result<Ok> Quantifier::Impl::commit_one_by_one(const std::vector<Prepared>& group) {
  for (const auto& prepared : group) {
    auto done = commit({prepared});
    if (!done && !cured_by_waiting(done.error()) && prepared.batch) {
      done = commit({{prepared.item, fail(std::move(done.error()))}});
    }
    if (!done) return done;
  }
  return Ok{};
}

// One transaction. Gives the number of items done.
Result<std::size_t> Quantifier::Impl::step() {
  store::ArchiveStore archive(*database);
  DISTRICT_TRY(const auto items, archive.take_work(group_size, SystemClock().now(), kLease));
  if (items.empty()) return 0U;
  std::vector<Prepared> group;
  for (const auto& item : items) {
    group.push_back(prepare(item));
    const auto& batch = group.back().batch;
    if (!batch && cured_by_waiting(batch.error())) return fail(batch.error());
  }
  const auto began = std::chrono::steady_clock::now();
  auto done = commit(group);
  if (!done && !cured_by_waiting(done.error())) done = commit_one_by_one(group);
  if (!done) return fail(std::move(done.error()));
  const auto took = std::chrono::steady_clock::now() - began;
  group_size = took > settings.group_time ? std::max<std::size_t>(1, group_size / 2)
                                          : std::min(settings.group_max, group_size * 2);
  return items.size();
}

Result<std::size_t> Quantifier::Impl::guarded_step() {
  try {
    return step();
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
  std::chrono::milliseconds pause = kRetryMin;
  while (!stopping) {
    const auto done = guarded_step();
    if (!done) {
      observe::emit(observe::Level::error, "quantifier_waits",
                    {{"detail", done.error().detail}, {"retry_ms", pause.count()}});
      std::unique_lock lock(mutex);  // a wake() is no reason to try a broken disk sooner
      condition.wait_for(lock, pause, [this] { return stopping.load(); });
      pause = std::min<std::chrono::milliseconds>(pause * 2, kRetryMax);
      continue;
    }
    pause = kRetryMin;
    if (*done == 0) rest(kLookAround);
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
    if (done == 0) return total;
    total += done;
  }
}

Result<std::uint64_t> Quantifier::waiting() {
  const std::lock_guard lock(impl_->monitor_mutex);
  return store::ArchiveStore(*impl_->monitor).work_waiting();
}

}  // namespace district::quantify
