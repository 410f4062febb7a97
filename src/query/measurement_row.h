// A measured value as a row. Private to query/.
#pragma once

#include "query/resource.h"
#include "store/series_reader.h"

namespace district::query {

// The columns, in the order of row_of().
std::vector<Column> measurement_columns();
Row row_of(const Question& question, const Measurement& measurement);

}  // namespace district::query
