// Stores the values and statements of batches. Each value is judged and merged with those of its
// series; then it is settled which of them count. The values of all batches are merged together, so
// that each row is read and written once for all of them.
// Inside the caller's transaction. Threads: one at a time.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "model/batch.h"
#include "series/touched.h"
#include "store/series_writer.h"

namespace district::series {

// Ids that were looked up before. An id never changes once its transaction is committed.
struct KnownIds {
  using SeriesKey = std::tuple<std::int64_t, std::string, ValueKind, std::string>;
  std::map<MeterKey, std::int64_t> meters;
  std::map<SeriesKey, std::int64_t> series;
};

class Ingestion {
 public:
  Ingestion(store::SeriesWriter& store, KnownIds& known, Touched& touched, bool restoring = false)
      : store_(store), known_(known), touched_(touched), restoring_(restoring) {}

  // Takes a batch that has been checked. finish() stores its values.
  // Errors of both: archive_unavailable, archive_corrupt.
  Result<Ok> add(const Batch& batch, const Origin& origin);
  Result<Ok> finish();
  std::uint64_t restored() const { return restored_; }
  // The values of the batches, by series_id, without those that are unusable.
  std::map<std::int64_t, std::vector<ValueVersion>> values() const;
  // Removes stored values.
  Result<Ok> remove(std::int64_t meter_id, const std::string& tenant, Series series,
                    std::vector<ValueVersion> gone);

 private:
  struct Incoming {
    Series series;
    std::int64_t meter_id = 0;
    std::vector<ValueVersion> versions;
  };
  // What a version was before settling.
  struct Before {
    MeasurementState state{};
    std::uint32_t flags = 0;
    bool is_new = false;
  };
  struct Merged {
    std::vector<ValueVersion> versions;
    std::vector<Before> was;  // of each
    bool differs = false;     // a stored number was not what was received
  };
  Result<std::int64_t> meter_of(const std::string& tenant, const std::string& source,
                                const std::string& meter);
  Result<Incoming*> incoming_of(std::int64_t meter_id, const Observation& like);
  Result<Ok> sort_in(const Batch& batch, const Origin& origin, Observation observation);
  Result<Ok> take_series(Incoming& incoming);
  Result<Ok> take_stretch(Incoming& incoming, const std::vector<ValueVersion>& versions);
  Result<store::Page> page_around(const Series& series, Instant first, Instant last);
  std::optional<Stretch> settle_anew(const Incoming& incoming, Merged& merged, Instant first,
                                     Instant last);
  Merged put_together(std::int64_t meter_id, std::vector<ValueVersion>& stored,
                      const std::vector<ValueVersion>& versions);
  std::optional<Stretch> note_changes(const Incoming& incoming, const Merged& merged,
                                      std::size_t begin, std::size_t end);
  void count_change(const ValueVersion& version, const Before& was);
  Result<Ok> remove_stretch(Incoming& incoming, std::span<const ValueVersion> gone);
  Result<Ok> take_facts(const Batch& batch, const Origin& origin);
  Result<Ok> take_facts(std::int64_t meter_id, const std::string& tenant, const Origin& origin,
                        const std::vector<const MasterFact*>& facts);
  Result<Ok> touch_replaced(const MeterKey& replaced);

  store::SeriesWriter& store_;
  KnownIds& known_;
  Touched& touched_;
  // Whether stored values are corrected to those of the batches, which are known to be right.
  const bool restoring_;
  std::uint64_t restored_ = 0;
  std::map<std::int64_t, Incoming> incoming_;  // by series_id
  std::map<std::string, std::int64_t> counts_;
};

}  // namespace district::series
