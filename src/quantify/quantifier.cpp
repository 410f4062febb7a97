#include "quantify/quantifier.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "base/limits.h"
#include "observe/events.h"
#include "quantify/engine.h"
#include "quantify/raw_values.h"
#include "quantify/site_import.h"
#include "quantify/stale_meters.h"
#include "quantify/turns.h"
#include "quantify/work_in_hand.h"
#include "store/archive_reader.h"
#include "store/inventory.h"
#include "store/log_reader.h"
#include "store/series_writer.h"
#include "store/work_queue.h"

namespace district::quantify {
namespace {

using namespace std::chrono_literals;

constexpr auto kLookAround = 1s;  // also without a wake(): another process may have added work
constexpr auto kRetryMin = 200ms;
constexpr auto kRetryMax = 10s;

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

// An envelope to be quantified. Where nothing is recorded of its leaf, only that is set.
struct Item {
  StoredEnvelope stored;
  std::uint64_t leaf_index() const { return stored.leaf_index; }
  Origin origin() const { return {stored.leaf_index, stored.receipt_id, stored.received_at}; }
};

struct Prepared {
  Item item;
  Result<Batch> batch;
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
  std::unique_ptr<store::ArchiveDatabase> archive;  // of the working thread
  std::unique_ptr<store::SeriesDatabase> series;    // likewise
  std::unique_ptr<WorkInHand> work;                 // likewise
  StaleMeters stale;
  std::size_t group_size;  // of the next transaction
  std::shared_ptr<series::KnownIds> known = std::make_shared<series::KnownIds>();

  std::mutex monitor_mutex;
  std::unique_ptr<store::ArchiveDatabase> archive_monitor;  // for waiting()
  std::unique_ptr<store::SeriesDatabase> series_monitor;    // likewise

  std::thread thread;
  std::mutex mutex;
  std::condition_variable condition;
  bool woken = false;
  std::atomic<bool> stopping = false;

  Result<Ok> check_stop() const;
  Result<Ok> commit_import(const SiteImport& import);
  Prepared prepare(const Item& item);
  Result<Ok> commit(const std::vector<Prepared>& group);
  Result<Ok> commit_one_by_one(const std::vector<Prepared>& group);
  Result<Ok> commit_group(std::vector<Prepared>& group);
  Result<Ok> commit_large(const Item& item);
  Result<Ok> quantify_large(const Item& item);
  Result<bool> recompute_stale();
  Result<Ok> recompute_stale(std::int64_t meter_id);
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
Result<Ok> Quantifier::Impl::check_stop() const {
  if (!stopping) return Ok{};
  return fail(ErrorCode::archive_unavailable, "the quantifier is being stopped");
}

// Everything that needs no write lock. An error is kept with the item.
Prepared Quantifier::Impl::prepare(const Item& item) {
  try {
    store::ArchiveReader envelopes(*archive);
    Batch batch;
    auto read =
        read_values(envelopes, validator, item.stored, [&](const Batch& part) -> Result<Ok> {
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
  Engine engine(*series, zones_of(std::move(snapshot), now), std::move(pause), settings.standards);
  if (known->meters.size() > kIdsMax) known = std::make_shared<series::KnownIds>();
  engine.remember(known);
  return engine;
}

// The next of the meters whose master data an administrator has changed: one at a time, so that
// new work waits for no more than one. false: there is none, or those that are left rest.
Result<bool> Quantifier::Impl::recompute_stale() {
  DISTRICT_TRY(const auto next, stale.next(*series));
  if (!next) return false;
  auto done = recompute_stale(*next);
  if (!done && stopping) return fail(std::move(done.error()));
  if (done) {
    stale.computed(*next);
  } else {
    known = std::make_shared<series::KnownIds>();
    stale.let_rest(*series, *next, done.error());
  }
  return true;
}

Result<Ok> Quantifier::Impl::recompute_stale(std::int64_t meter_id) {
  try {
    const auto now = clock.now();
    DISTRICT_TRY(auto snapshot, trust.snapshot());
    DISTRICT_TRY(auto turns, Turns::begin(*series));
    auto engine = this->engine(std::move(snapshot), now, [&]() -> Result<Ok> {
      DISTRICT_CHECK(check_stop());
      return turns.pause([] { return Result<Ok>(Ok{}); });
    });
    DISTRICT_CHECK(engine.recompute_stale(turns.transaction(), meter_id, now));
    return turns.commit();
  } catch (const std::exception& problem) {
    return fail(ErrorCode::internal, problem.what());
  }
}

// All of the group in one transaction, or in several when the recomputation takes long. The work is
// done with the last one: after a crash or an error before it, all of it is done again. Then the
// archive is told; after a crash before that, it is told at the next start.
Result<Ok> Quantifier::Impl::commit(const std::vector<Prepared>& group) {
  const auto now = clock.now();
  DISTRICT_TRY(auto snapshot, trust.snapshot());
  DISTRICT_TRY(auto turns, Turns::begin(*series));
  store::SeriesWriter stored(turns.transaction());
  auto engine = this->engine(std::move(snapshot), now, [&]() -> Result<Ok> {
    return turns.pause([this] { return work->keep_lease(); });
  });
  series::Touched touched;
  std::vector<std::uint64_t> leaf_indexes;
  for (const auto& [item, batch] : group) {
    leaf_indexes.push_back(item.leaf_index());
    DISTRICT_CHECK(stored.begin_work(item.leaf_index()));
    if (batch) {
      DISTRICT_CHECK(engine.ingest(turns.transaction(), *batch, item.origin(), touched));
    } else {
      const auto& error = batch.error();
      DISTRICT_CHECK(
          stored.put_failure({item.origin(), item.stored.tenant, error.code, error.detail, now}));
    }
  }
  DISTRICT_CHECK(engine.recompute(turns.transaction(), touched, now));
  DISTRICT_TRY(const auto head, store::LogReader(*archive).head());
  DISTRICT_TRY(const auto mark, stored.end_work(leaf_indexes, head));
  DISTRICT_CHECK(work->forget_told(stored));
  DISTRICT_CHECK(turns.commit());
  DISTRICT_CHECK(work->finish(leaf_indexes, mark));
  for (const auto& [item, batch] : group) {
    if (batch) continue;
    observe::emit(observe::Level::error, "quantify_failed",
                  {{"receipt_id", item.stored.receipt_id},
                   {"tenant", item.stored.tenant},
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
  store::ArchiveReader envelopes(*archive);
  std::optional<Turns> turns;
  auto engine = this->engine(std::move(snapshot), now, [&]() -> Result<Ok> {
    DISTRICT_CHECK(check_stop());
    return turns->pause([this] { return work->keep_lease(); });
  });
  const auto check = [&](const Batch& part) -> Result<Ok> {
    DISTRICT_CHECK(check_stop());
    DISTRICT_CHECK(work->keep_lease());
    return engine.check(part);
  };
  // All must be known to be good before the first is written.
  DISTRICT_CHECK(read_values(envelopes, validator, item.stored, check));
  const auto begin = [&]() -> Result<Ok> {
    if (turns) return turns->begin_again();
    DISTRICT_TRY(auto begun, Turns::begin(*series));
    turns.emplace(std::move(begun));
    return Ok{};
  };
  series::Touched touched;
  // Each part in a transaction of its own: others write while the next one is read.
  const auto ingest = [&](const Batch& part) -> Result<Ok> {
    DISTRICT_CHECK(check_stop());
    DISTRICT_CHECK(work->keep_lease());
    DISTRICT_CHECK(begin());
    auto& transaction = turns->transaction();
    DISTRICT_CHECK(store::SeriesWriter(transaction).begin_work(item.leaf_index()));
    DISTRICT_CHECK(engine.ingest(transaction, part, item.origin(), touched));
    if (touched.meters.size() >= kMetersAtOnce)
      DISTRICT_CHECK(engine.recompute(transaction, touched, now));
    return turns->commit();
  };
  DISTRICT_CHECK(read_values(envelopes, validator, item.stored, ingest));
  DISTRICT_CHECK(begin());
  DISTRICT_CHECK(engine.recompute(turns->transaction(), touched, now));
  const std::vector leaf_indexes{item.leaf_index()};
  DISTRICT_TRY(const auto head, store::LogReader(*archive).head());
  DISTRICT_TRY(const auto mark,
               store::SeriesWriter(turns->transaction()).end_work(leaf_indexes, head));
  DISTRICT_CHECK(turns->commit());
  return work->finish(leaf_indexes, mark);
}

Result<Ok> Quantifier::Impl::commit_import(const SiteImport& import) {
  auto done = quantify_import(*archive, *series, import);
  if (!done && cured_by_waiting(done.error())) return fail(std::move(done.error()));
  if (!done) {
    // Its statements are damaged; 'log verify' says so.
    StoredEnvelope nameless;
    nameless.leaf_index = import.leaf_index;
    nameless.receipt_id = receipt_id_of_import(import.leaf_index);
    nameless.tenant = import.tenant;
    return commit({Prepared{Item{std::move(nameless)}, fail(std::move(done.error()))}});
  }
  return work->finish(std::span(&import.leaf_index, 1), done->mark);
}

// The items that are waiting, up to a number; where there are none, a stale meter.
Result<Quantifier::Impl::Step> Quantifier::Impl::step() {
  store::ArchiveReader envelopes(*archive);
  DISTRICT_TRY(const auto taken, work->take(group_size));
  std::vector<Prepared> group;
  std::uint64_t octets = 0;  // of the group
  for (const auto leaf_index : taken) {
    DISTRICT_CHECK(check_stop());
    DISTRICT_TRY(const bool done, work->was_done(leaf_index));
    if (done) continue;
    DISTRICT_TRY(const auto import, envelopes.site_import(leaf_index));
    if (import) {
      DISTRICT_CHECK(commit_import(*import));
      continue;
    }
    auto stored = envelopes.of_leaf(leaf_index);
    if (!stored && cured_by_waiting(stored.error())) return fail(std::move(stored.error()));
    if (!stored || !*stored) {
      Item nameless;
      nameless.stored.leaf_index = leaf_index;
      auto error = stored ? Error{ErrorCode::archive_corrupt,
                                  "nothing is recorded of leaf " + std::to_string(leaf_index),
                                  {},
                                  {},
                                  {}}
                          : std::move(stored.error());
      group.push_back({std::move(nameless), fail(std::move(error))});
      continue;
    }
    const Item item{**std::move(stored)};
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
  if (!taken.empty()) return Step{taken.size(), false};
  DISTRICT_CHECK(work->forget_told());
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
  using store::OpenMode;
  const auto& location = settings.location;
  DISTRICT_TRY(auto archive, store::ArchiveDatabase::open(location, OpenMode::create));
  DISTRICT_TRY(auto series, store::SeriesDatabase::open(location, OpenMode::create));
  DISTRICT_TRY(auto archive_monitor, store::ArchiveDatabase::open(location, OpenMode::read_only));
  DISTRICT_TRY(auto series_monitor, store::SeriesDatabase::open(location, OpenMode::read_only));
  DISTRICT_TRY(const auto again, store::match_series(*archive, *series));
  if (again > 0) {
    observe::emit(observe::Level::warning, "series_made_anew",
                  {{"database", series->path()},
                   {"items", again},
                   {"detail", "measurements and KPI values are computed again from the archive"}});
  }
  auto impl = std::make_unique<Impl>(std::move(settings), validator, trust, clock);
  impl->archive = std::move(archive);
  impl->series = std::move(series);
  impl->work = std::make_unique<WorkInHand>(*impl->archive, *impl->series,
                                            impl->settings.location.node(), clock);
  DISTRICT_CHECK(impl->work->remember_told());
  impl->archive_monitor = std::move(archive_monitor);
  impl->series_monitor = std::move(series_monitor);
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
  DISTRICT_TRY(const auto inventory,
               store::take_inventory(*impl_->archive_monitor, *impl_->series_monitor));
  return inventory.work_waiting;
}

}  // namespace district::quantify
