// Writes measurements, master data, KPI values, and what is noted of the quantifier's work. What
// supersedes what is decided in series/, how a KPI is computed in kpi/.
// Each function is part of the transaction that the writer was made from. A writer must not be used
// after a rollback: it may remember ids that were never stored.
// Errors of every function: archive_unavailable, archive_corrupt, internal.
// Threads: one SeriesWriter per thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "model/batch.h"
#include "store/database.h"
#include "store/series_reader.h"
#include "store/transaction.h"

namespace district::store {

class SeriesWriter : public SeriesReader {
 public:
  explicit SeriesWriter(SeriesTransaction& transaction) : SeriesReader(transaction.database()) {}

  // The id; a new one where there is none yet. Ids never change.
  Result<std::int64_t> meter_id(const MeterKey& key);
  struct MadeSeries {
    Series series;
    bool is_new = false;
  };
  Result<MadeSeries> series(std::int64_t meter_id, const Observation& like);
  Result<std::int64_t> kpi_id(const std::string& name, const std::string& unit);

  // Writes back the rows that [from, to] touches, and `series` where it changed. All values must
  // lie within 1970 to 2310.
  Result<Ok> put_page(Series& series, Page& page, Instant from, Instant to);
  // false: it was stored before.
  Result<bool> put_unusable(std::int64_t series_id, const ValueVersion& version);
  // Adds to the counts of states and rules, e.g. {"state current", 24}.
  Result<Ok> add_counts(const std::map<std::string, std::int64_t>& changes);
  // Once for each batch of an envelope. The span of starts grows to cover all of its batches.
  Result<Ok> put_origin(const Origin& origin, const std::string& tenant,
                        std::optional<Instant> first_start, std::optional<Instant> last_start);
  Result<Ok> put_fact(std::int64_t meter_id, const MasterFact& fact, const Origin& origin);
  // To be called after the last put_fact() of an attribute of kReferences.
  Result<Ok> put_link(std::int64_t meter_id, std::string_view attribute);
  // A chunk without windows is removed.
  Result<Ok> put_kpi_chunk(std::int64_t meter_id, const KpiChunk& chunk);
  Result<Ok> put_failure(const QuantifyFailure& failure);

  // Its KPIs must be computed anew. Counts how often that was said since they were.
  Result<Ok> put_stale(std::int64_t meter_id);
  // Its KPIs are computed anew. Does nothing if the meter has got further marks meanwhile.
  Result<Ok> remove_stale(std::int64_t meter_id, std::uint64_t marks);

  // Each work item takes effect once. begin_work() comes before the first values, which may need
  // several transactions; end_work() after the last, with a head of the log that has their leaves.
  // The archive is then told that these items are finished, with the mark that end_work() gives.
  // forget_work() follows when it has been told.
  Result<Ok> begin_work(std::uint64_t leaf_index);
  Result<SeriesMark> end_work(std::span<const std::uint64_t> leaf_indexes, const LogHead& head);
  Result<Ok> forget_work(std::span<const std::uint64_t> leaf_indexes);

 private:
  Result<Ok> put_row(const Series& series, bool month, std::int64_t number,
                     std::span<const ValueVersion> versions);
  Result<std::vector<ValueVersion>> with_other_days(const Series& series, std::int64_t month,
                                                    const Page& page,
                                                    std::span<const ValueVersion> ours);
  Result<Ok> pack_until(Series& series, Instant month);
  Result<Ok> put_series(const Series& series);
};

}  // namespace district::store
