// One meter with everything that its KPIs are computed from: its master data and calendar, its
// series, and those of other meters that it refers to (an outdoor sensor, meters that it replaced).
// Reads only. Threads: one at a time.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kpi/catalogue.h"
#include "kpi/master_data.h"
#include "series/shelf.h"
#include "store/series_reader.h"

namespace district::series {

// What master data state of each meter itself. It is read once, however many meters of a site are
// loaded one after the other.
class StatedData {
 public:
  explicit StatedData(store::SeriesReader& store) : store_(store) {}
  Result<std::shared_ptr<const kpi::MasterData>> of(std::int64_t meter_id);

 private:
  store::SeriesReader& store_;
  std::map<std::int64_t, std::shared_ptr<const kpi::MasterData>> known_;
  std::size_t statements_ = 0;  // of all that are known
};

// A meter that was replaced, and what was read when that happened.
struct Predecessor {
  Series registers;
  kpi::MasterData master;
  Instant exchanged_at{};
  std::optional<double> final_register, initial_register;
};

// A family that the meter has, with its series; nullptr where it has none.
struct FamilyInputs {
  const kpi::FamilyDefinition* family = nullptr;
  std::vector<const Series*> inputs;
};

class MeterData {
 public:
  static Result<MeterData> load(store::SeriesReader& store, StatedData& stated,
                                std::int64_t meter_id);

  std::int64_t meter_id = 0;
  MeterKey key;
  kpi::MasterData master;
  std::vector<Series> own, sensor;  // sensor: series of the meter that outdoor_sensor names
  // From the latest exchange to the earliest. A statement that does not fit this order ends the
  // chain.
  std::vector<Predecessor> predecessors;
  std::optional<kpi::Successor> successor;

  // In the order of precedence. The pointers are into this object.
  std::vector<FamilyInputs> families() const;
  // When the meter was installed: rows of its register begin with that window.
  std::optional<Instant> registers_from() const;
  // When the meter was taken away, if its final register is stated.
  std::optional<Instant> registers_to() const;
  // The instants at which an exchange ends or begins a gap between readings: the meter's own
  // installation, and the last instant before it was taken away. There are at most two.
  std::vector<Instant> exchanges() const;

 private:
  Result<Ok> load_sensor(store::SeriesReader& store);
  Result<Ok> load_predecessors(store::SeriesReader& store, StatedData& stated);
  Result<Ok> load_successor(store::SeriesReader& store, StatedData& stated);
  const Series* find(const kpi::Input& input, bool first) const;
};

// The master data of a meter. An attribute that is not stated of the meter is taken from the
// building or site in which it stands. A site is known by the source and its site_id.
Result<kpi::MasterData> master_data_of(store::SeriesReader& store, StatedData& stated,
                                       const MeterKey& key);

// Meters whose KPIs depend on values or master data of this one.
Result<std::vector<std::int64_t>> dependents_of(store::SeriesReader& store, const MeterKey& key);

// How outdoor_sensor names a meter: "BCN-SCHOOL", or "House12/4711" for a meter of a source.
std::string reference_to(const MeterKey& key);
MeterKey meter_referred_to(const std::string& tenant, const std::string& reference);

// The readings from which consumption in [from, to) is computed, across exchanges of the meter.
// With them come one before and one after that count, if there are such.
Result<std::vector<kpi::Reading>> readings_of(Shelf& shelf, const MeterData& meter,
                                              const Series& registers, Instant from, Instant to);

}  // namespace district::series
