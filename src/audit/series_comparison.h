// Compares the recorded series with the one that a replay has made: measurements, master data and
// KPI values, meter by meter. When everything was replayed, it also compares the registry of meters
// and the counts, and checks that the database has its rows in the right places. Recorded rows that
// cannot be read are differences, too.
// Private to audit/. Reads only. Threads: one at a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "audit/replay_report.h"
#include "audit/replayed_series.h"
#include "base/error.h"
#include "store/database.h"
#include "store/series_reader.h"

namespace district::audit {

class SeriesComparison {
 public:
  // Keeps references to all of them.
  SeriesComparison(store::SeriesDatabase& recorded, ReplayedSeries& replayed,
                   const ReplayProgress& progress, ReplayReport& report)
      : recorded_database_(recorded),
        recorded_(recorded),
        replayed_series_(replayed),
        replayed_(replayed.database()),
        progress_(progress),
        report_(report) {}

  // Adds to the report what differs, and how much was compared. Errors: archive_unavailable.
  Result<Ok> run();

 private:
  Result<Ok> compare_meter(const MeterKey& meter);
  Result<Ok> compare_kpis_of(const MeterKey& meter);
  Result<Ok> compare_registry(const std::vector<MeterKey>& meters);
  Result<Ok> compare_counts();
  Result<Ok> check_places();
  Result<std::vector<Measurement>> recorded_measurements(const MeterKey& meter,
                                                         std::vector<Measurement>& replayed);
  Result<std::vector<KpiValue>> recorded_kpis(const store::KpiFilter& of_meter,
                                              std::vector<KpiValue>& replayed);
  Result<std::optional<std::vector<std::string>>> contributors(const KpiValue& kpi);
  template <typename Value>
  void keep_selected(std::vector<Value>& values) const;
  void add(std::vector<Difference> differences);

  store::SeriesDatabase& recorded_database_;
  store::SeriesReader recorded_;
  ReplayedSeries& replayed_series_;
  store::SeriesReader replayed_;
  const ReplayProgress& progress_;
  ReplayReport& report_;
};

}  // namespace district::audit
