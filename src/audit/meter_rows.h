// What a series database has of one meter. Private to audit/.
#pragma once

#include <vector>

#include "base/error.h"
#include "store/series_reader.h"

namespace district::audit {

inline store::MeasurementFilter filter_of(const MeterKey& meter) {
  store::MeasurementFilter filter;
  filter.tenant = meter.tenant;
  filter.source = meter.source;
  filter.meter = meter.meter;
  return filter;
}

// None, when the database does not know the meter.
inline Result<std::vector<StoredFact>> facts_of(store::SeriesReader& series,
                                                const MeterKey& meter) {
  DISTRICT_TRY(const auto id, series.find_meter(meter));
  if (!id) return std::vector<StoredFact>{};
  return series.facts(*id);
}

}  // namespace district::audit
