#include "quantify/processor.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/limits.h"
#include "observe/events.h"
#include "quantify/raw_values.h"
#include "quantify/site_import.h"
#include "quantify/turns.h"
#include "store/archive_reader.h"
#include "store/log_reader.h"
#include "store/series_writer.h"

namespace district::quantify {
namespace {

// Envelopes up to this size are prepared whole, and share transactions.
constexpr std::size_t kSmallOctetsMax = limits::kWholeOctetsMax;
// Bounds the memory of a group. The values of an envelope take a few times the room of its octets.
constexpr std::uint64_t kGroupOctetsMax = 16 * kSmallOctetsMax;
// How many meters have their ids remembered.
constexpr std::size_t kIdsMax = 100'000;
// When an envelope has touched so many meters, they are computed before more of it is read.
constexpr std::size_t kMetersAtOnce = 10'000;

// After this error the item is tried again later. Any other error is the fault of the item itself.
bool cured_by_waiting(const Error& error) { return error.code == ErrorCode::archive_unavailable; }

Engine::ZoneLookup zones_of(std::shared_ptr<const trust::TrustSnapshot> snapshot) {
  return [snapshot = std::move(snapshot)](std::string_view tenant) {
    const auto* found = snapshot->tenant(tenant);
    return found == nullptr ? std::nullopt : std::optional(found->zone);
  };
}

}  // namespace

// An envelope to be quantified. When nothing is recorded of its leaf, only leaf_index is set.
struct Processor::Item {
  StoredEnvelope stored;
  std::uint64_t leaf_index() const { return stored.leaf_index; }
  Origin origin() const { return {stored.leaf_index, stored.receipt_id, stored.received_at}; }
};

struct Processor::Prepared {
  Item item;
  Result<Batch> batch;
};

Processor::Processor(store::ArchiveDatabase& archive, store::SeriesDatabase& series,
                     const QuantifierSettings& settings, const validate::Validator& validator,
                     trust::Trust& trust, const Clock& clock, const std::atomic<bool>& stopping)
    : archive_(archive),
      series_(series),
      settings_(settings),
      validator_(validator),
      trust_(trust),
      clock_(clock),
      stopping_(stopping),
      work_(archive, series, settings.location.node(), clock),
      group_size_(settings.group_max) {}

// Long work asks this now and then, so that stop() need not wait for its end.
Result<Ok> Processor::check_stop() const {
  if (!stopping_) return Ok{};
  return fail(ErrorCode::archive_unavailable, "the quantifier is being stopped");
}

// Does everything that needs no write lock. An error is kept with the item.
Processor::Prepared Processor::prepare(const Item& item) {
  try {
    store::ArchiveReader envelopes(archive_);
    Batch batch;
    auto read =
        read_values(envelopes, validator_, item.stored, [&](const Batch& part) -> Result<Ok> {
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

Engine Processor::engine(std::shared_ptr<const trust::TrustSnapshot> snapshot,
                         Engine::Pause pause) {
  Engine engine(series_, zones_of(std::move(snapshot)), std::move(pause), settings_.standards);
  if (known_->meters.size() > kIdsMax) forget_ids();
  engine.remember(known_);
  return engine;
}

// Computes the next stale meter, and only one, so that new work does not wait for more. false:
// there is none, or all that are left rest.
Result<bool> Processor::recompute_stale() {
  DISTRICT_TRY(const auto next, stale_.next(series_));
  if (!next) return false;
  auto done = recompute_stale(*next);
  if (!done && stopping_) return fail(std::move(done.error()));
  if (done) {
    stale_.computed(*next);
  } else {
    forget_ids();
    stale_.let_rest(series_, *next, done.error());
  }
  return true;
}

Result<Ok> Processor::recompute_stale(std::int64_t meter_id) {
  try {
    const auto now = clock_.now();
    DISTRICT_TRY(auto snapshot, trust_.refresh());
    DISTRICT_TRY(auto turns, Turns::begin(series_));
    auto engine = this->engine(std::move(snapshot), [&]() -> Result<Ok> {
      DISTRICT_CHECK(check_stop());
      return turns.pause([] { return Result<Ok>(Ok{}); });
    });
    DISTRICT_CHECK(engine.recompute_stale(turns.transaction(), meter_id, now));
    return turns.commit();
  } catch (const std::exception& problem) {
    return fail(ErrorCode::internal, problem.what());
  }
}

// Writes the whole group in one transaction, or in several when the recomputation takes long. The
// items are done with the last one; after a crash or an error before it, all of them are done
// again. Then the archive is told; after a crash before that, it is told at the next start.
Result<Ok> Processor::commit(const std::vector<Prepared>& group) {
  const auto now = clock_.now();
  DISTRICT_TRY(auto snapshot, trust_.refresh());
  DISTRICT_TRY(auto turns, Turns::begin(series_));
  store::SeriesWriter stored(turns.transaction());
  auto engine = this->engine(std::move(snapshot), [&]() -> Result<Ok> {
    DISTRICT_CHECK(check_stop());
    return turns.pause([this] { return work_.keep_lease(); });
  });
  series::Touched touched;
  std::vector<std::uint64_t> leaf_indexes;
  std::vector<Arrival> arrivals;
  std::vector<std::pair<const Item*, Error>> failed;
  for (const auto& [item, batch] : group) {
    leaf_indexes.push_back(item.leaf_index());
    DISTRICT_CHECK(stored.begin_work(item.leaf_index()));
    // What is wrong with one item alone must not make the others wait.
    const auto good = batch ? engine.check(*batch) : Result<Ok>(fail(batch.error()));
    if (good) {
      arrivals.push_back({*batch, item.origin()});
      continue;
    }
    const auto& error = good.error();
    failed.emplace_back(&item, error);
    DISTRICT_CHECK(
        stored.put_failure({item.origin(), item.stored.tenant, error.code, error.detail, now}));
  }
  DISTRICT_CHECK(engine.ingest(turns.transaction(), arrivals, touched));
  DISTRICT_CHECK(engine.recompute(turns.transaction(), touched, now));
  DISTRICT_TRY(const auto head, store::LogReader(archive_).head());
  DISTRICT_TRY(const auto mark, stored.end_work(leaf_indexes, head));
  DISTRICT_CHECK(work_.forget_told(stored));
  DISTRICT_CHECK(turns.commit());
  DISTRICT_CHECK(work_.finish(leaf_indexes, mark));
  for (const auto& [item, error] : failed) {
    observe::emit(observe::Level::error, "quantify_failed",
                  {{"receipt_id", item->stored.receipt_id},
                   {"tenant", item->stored.tenant},
                   {"code", static_cast<int>(error.code)},
                   {"detail", error.detail}});
  }
  return Ok{};
}

// One of the items makes the group fail. It is found and recorded as failed, and the others are
// done.
Result<Ok> Processor::commit_one_by_one(const std::vector<Prepared>& group) {
  for (const auto& prepared : group) {
    auto done = commit({prepared});
    if (!done) forget_ids();
    if (!done && !cured_by_waiting(done.error()) && prepared.batch) {
      done = commit({{prepared.item, fail(std::move(done.error()))}});
    }
    if (!done) return done;
  }
  return Ok{};
}

// Leaves the group empty.
Result<Ok> Processor::commit_group(std::vector<Prepared>& group) {
  if (group.empty()) return Ok{};
  const auto began = std::chrono::steady_clock::now();
  auto done = commit(group);
  if (!done) forget_ids();
  if (!done && !cured_by_waiting(done.error())) done = commit_one_by_one(group);
  if (!done) return done;
  const auto took = std::chrono::steady_clock::now() - began;
  group_size_ = took > settings_.group_time ? std::max<std::size_t>(1, group_size_ / 2)
                                            : std::min(settings_.group_max, group_size_ * 2);
  group.clear();
  return Ok{};
}

// Like commit_group(), for one envelope, in memory that does not grow with it.
Result<Ok> Processor::commit_large(const Item& item) {
  auto done = quantify_large(item);
  if (!done) forget_ids();
  if (!done && !cured_by_waiting(done.error())) {
    return commit({{item, fail(std::move(done.error()))}});
  }
  return done;
}

Result<Ok> Processor::quantify_large(const Item& item) {
  const auto now = clock_.now();
  DISTRICT_TRY(auto snapshot, trust_.refresh());
  store::ArchiveReader envelopes(archive_);
  std::optional<Turns> turns;
  auto engine = this->engine(std::move(snapshot), [&]() -> Result<Ok> {
    DISTRICT_CHECK(check_stop());
    return turns->pause([this] { return work_.keep_lease(); });
  });
  const auto check = [&](const Batch& part) -> Result<Ok> {
    DISTRICT_CHECK(check_stop());
    DISTRICT_CHECK(work_.keep_lease());
    return engine.check(part);
  };
  // All values must be known to be good before the first is written.
  DISTRICT_CHECK(read_values(envelopes, validator_, item.stored, check));
  const auto begin = [&]() -> Result<Ok> {
    if (turns) return turns->begin_again();
    DISTRICT_TRY(auto begun, Turns::begin(series_));
    turns.emplace(std::move(begun));
    return Ok{};
  };
  series::Touched touched;
  // Each part has a transaction of its own, so that others can write while the next part is read.
  const auto ingest = [&](const Batch& part) -> Result<Ok> {
    DISTRICT_CHECK(check_stop());
    DISTRICT_CHECK(work_.keep_lease());
    DISTRICT_CHECK(begin());
    auto& transaction = turns->transaction();
    DISTRICT_CHECK(store::SeriesWriter(transaction).begin_work(item.leaf_index()));
    DISTRICT_CHECK(engine.ingest(transaction, part, item.origin(), touched));
    if (touched.meters.size() >= kMetersAtOnce)
      DISTRICT_CHECK(engine.recompute(transaction, touched, now));
    return turns->commit();
  };
  DISTRICT_CHECK(read_values(envelopes, validator_, item.stored, ingest));
  DISTRICT_CHECK(begin());
  DISTRICT_CHECK(engine.recompute(turns->transaction(), touched, now));
  const std::vector leaf_indexes{item.leaf_index()};
  DISTRICT_TRY(const auto head, store::LogReader(archive_).head());
  DISTRICT_TRY(const auto mark,
               store::SeriesWriter(turns->transaction()).end_work(leaf_indexes, head));
  DISTRICT_CHECK(turns->commit());
  return work_.finish(leaf_indexes, mark);
}

Result<Ok> Processor::commit_import(const SiteImport& import) {
  auto done = quantify_import(archive_, series_, import);
  if (!done && cured_by_waiting(done.error())) return fail(std::move(done.error()));
  if (!done) {
    // Its statements are damaged; 'log verify' says so.
    StoredEnvelope nameless;
    nameless.leaf_index = import.leaf_index;
    nameless.receipt_id = receipt_id_of_import(import.leaf_index);
    nameless.tenant = import.tenant;
    return commit({Prepared{Item{std::move(nameless)}, fail(std::move(done.error()))}});
  }
  return work_.finish(std::span(&import.leaf_index, 1), done->mark);
}

// Does the items that are waiting, up to group_size_. If there are none, computes a stale meter.
Result<Processor::Step> Processor::take_step() {
  store::ArchiveReader envelopes(archive_);
  DISTRICT_TRY(const auto taken, work_.take(group_size_));
  std::vector<Prepared> group;
  std::uint64_t octets = 0;  // of the group
  for (const auto leaf_index : taken) {
    DISTRICT_CHECK(check_stop());
    DISTRICT_TRY(const bool done, work_.was_done(leaf_index));
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
  DISTRICT_CHECK(work_.forget_told());
  DISTRICT_TRY(const bool busy, recompute_stale());
  return Step{0, !busy};
}

Result<Processor::Step> Processor::step() {
  try {
    auto done = take_step();
    // The transaction that failed may have added ids that were never stored.
    if (!done) forget_ids();
    return done;
  } catch (const std::exception& problem) {
    // For example, memory is short. The transaction has rolled back, and with it ids that were
    // given in it. The items are taken again when their lease ends.
    forget_ids();
    return fail(ErrorCode::archive_unavailable, std::string("quantifier: ") + problem.what());
  }
}

}  // namespace district::quantify
