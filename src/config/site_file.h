// Master data as a TOML file: tables [[site]], [[building]] and [[meter]], whose keys are the
// elements of the content schema of master data (xsd/content/002-001.xsd). `tenant`, `source` and
// `valid_from` at the top hold for all of them that do not say otherwise.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace district::config {

struct SiteRecord {
  std::string kind;    // site, building, meter
  std::string source;  // messageSourceElement
  long line = 0;
  std::vector<std::pair<std::string, std::string>> fields;  // as the schema spells them
};

struct SiteFile {
  std::string tenant;
  std::vector<SiteRecord> records;
};

// Errors: file_unreadable; config_invalid, naming the line: not TOML, no tenant, a record without a
// source, a value that is a table or a list.
Result<SiteFile> load_site_file(const std::string& path);

}  // namespace district::config
