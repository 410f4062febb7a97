// Comma-separated values. Source: RFC 4180.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace district {

struct CsvRecord {
  std::size_t line = 0;  // of its first octet, from 1
  std::vector<std::string> fields;
};

// Records of a text with CRLF or LF line ends; a UTF-8 byte order mark and empty lines are skipped.
// Errors: admin_invalid, naming the line: a quote inside an unquoted field, text after a closing
// quote, a quote that never closes.
Result<std::vector<CsvRecord>> read_csv(std::string_view text);

// One record with its CRLF; fields are quoted only where they must be.
void write_csv_record(std::ostream& out, const std::vector<std::string>& fields);

}  // namespace district
