// The meters that a question is about, one after the other: by tenant, source and name.
// Private to query/.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "query/resource.h"
#include "store/inventory.h"

namespace district::query {

class MeterWalk {
 public:
  // Begins at this meter, or at the first of all if its key is empty.
  // Errors: those of Question::tenants(); not_found: the caller sees no source or meter of the name
  // asked for, so that a misspelt name is not taken for one without rows.
  static Result<MeterWalk> from(const Question& question, MeterKey begin);
  // nullopt: there are no more. Errors: archive_unavailable, archive_corrupt.
  Result<std::optional<store::StoredMeter>> next();

 private:
  MeterWalk(const Question& question, std::vector<std::string> tenants);
  Result<Ok> check_names() const;
  store::SeriesDatabase& series_;
  const std::vector<std::string> tenants_;
  const std::optional<std::string> source_, meter_;
  MeterKey begin_;          // where the next read begins
  std::size_t tenant_ = 0;  // index into tenants_; at its end all is read
  std::vector<store::StoredMeter> read_;
  std::size_t given_ = 0;  // how many of read_
};

// The last meter that a page has done, as a part of its `next`.
Json to_json(const MeterKey& meter);
std::optional<MeterKey> meter_from(const Json& json);

}  // namespace district::query
