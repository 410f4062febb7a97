// Where an installation keeps its data. Two databases, so that whoever computes KPIs never holds
// the lock that a receipt needs (docs/adr/0022-derived-data-apart.md):
//  - the archive: evidence, the log, who may send, and what is still to be quantified;
//  - the series: measurements, master data and KPI values, all of which can be made anew from it.
// Threads: values, any.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace district::store {

class Location {
 public:
  // The archive in this file; the series in a file beside it: district.db, district-series.db.
  static Location of(const std::filesystem::path& archive_file);
  // Databases in memory: each opening makes a new one, which is gone when it is closed.
  static Location scratch() { return {std::string(kScratch), std::string(kScratch)}; }

  // The name of this node among those that share the databases. Files belong to one node.
  std::string node() const { return "local"; }

  const std::string& archive() const { return archive_; }
  const std::string& series() const { return series_; }

  static constexpr std::string_view kScratch = ":memory:";

 private:
  Location(std::string archive, std::string series)
      : archive_(std::move(archive)), series_(std::move(series)) {}
  std::string archive_, series_;
};

}  // namespace district::store
