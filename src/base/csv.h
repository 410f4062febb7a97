// Comma-separated values. Source: RFC 4180.
#pragma once

#include <optional>
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

// How the errors of a file begin: "x.csv:" and the line's number.
struct CsvOrigin {
  ErrorCode code = ErrorCode::admin_invalid;
  std::string before_line = "CSV line ";
};

struct CsvText {
  std::string utf8;  // without a byte order mark
  // Lines that are not UTF-8 were taken as ISO-8859-1: how many, and the first; 0: none.
  std::size_t latin1_lines = 0;
  std::size_t first_latin1_line = 0;
};

// Octets of a CSV file to text in which nothing can hide. Errors: UTF-16 and UTF-32, workbooks,
// controls (NUL among them; CR counts only before LF or at the end), octets 0x80 to 0x9F in a line
// that is not UTF-8.
Result<CsvText> read_csv_text(std::string_view octets, const CsvOrigin& origin);

// Reads one record after another. Line ends are CRLF and LF, empty lines are skipped, and blanks
// around the quotes of a field are dropped. `text` comes from read_csv_text() and must outlive the
// reader.
// Threads: one reader, one thread.
class CsvReader {
 public:
  CsvReader(std::string_view text, CsvOrigin origin) : text_(text), origin_(std::move(origin)) {}

  // The next record, or nothing at the end. Errors: naming the line: a quote inside an unquoted
  // field, text after a closing quote, a quote that never closes, a record of more than
  // kCsvRecordOctetsMax.
  Result<std::optional<CsvRecord>> next();
  void rewind();

 private:
  tl::unexpected<Error> malformed(std::size_t line, const std::string& reason,
                                  std::string hint) const;
  Result<CsvRecord> record();
  Result<std::string> field();
  Result<std::string> quoted();
  Result<std::string> plain();
  Result<Ok> check_length() const;
  bool at_end() const { return position_ == text_.size(); }
  bool at(char c) const { return position_ < text_.size() && text_[position_] == c; }
  bool at_line_end() const;
  void skip_blanks();

  std::string_view text_;
  CsvOrigin origin_;
  std::size_t position_ = 0;
  std::size_t line_ = 1;
  std::size_t record_start_ = 0;
};

// No row of a site's export comes near it; a missing quote must not swallow a whole file.
inline constexpr std::size_t kCsvRecordOctetsMax = 4096;

// All records of a file's octets. Errors: those of read_csv_text() and of CsvReader.
Result<std::vector<CsvRecord>> read_csv(std::string_view octets, const CsvOrigin& origin = {});

// The separator that a header line seems to have instead of commas, in words; empty: none.
std::string other_separator(std::string_view header_line);

// One record with its CRLF; fields are quoted only where they must be.
void write_csv_record(std::ostream& out, const std::vector<std::string>& fields);

}  // namespace district
