// The engine that the contract of store/ is tested on. tests/store/*_test.cpp is that contract: it
// runs once for each engine that there is, with its name in DISTRICT_TEST_ENGINE. What only one
// engine has stands in a folder of its own, tests/store/sqlite/.
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "store/database.h"
#include "temporary_folder.h"

namespace district::test {

// A new, empty place for the databases, which is gone with the folder.
inline store::Location new_location(const TemporaryFolder& folder) {
  const char* engine = std::getenv("DISTRICT_TEST_ENGINE");
  if (engine == nullptr || std::string(engine) == "sqlite")
    return store::Location::of(folder.file("district.db"));
  throw std::runtime_error("DISTRICT_TEST_ENGINE: there is no engine " + std::string(engine));
}

inline std::unique_ptr<store::ArchiveDatabase> open_archive(const store::Location& location) {
  return store::ArchiveDatabase::open(location, store::OpenMode::create).value();
}
inline std::unique_ptr<store::SeriesDatabase> open_series(const store::Location& location) {
  return store::SeriesDatabase::open(location, store::OpenMode::create).value();
}

}  // namespace district::test
