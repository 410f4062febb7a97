#include "base/csv.h"

#include <string>

namespace district {
namespace {

tl::unexpected<Error> malformed(std::size_t line, const std::string& reason) {
  return fail(ErrorCode::admin_invalid, "CSV line " + std::to_string(line) + ": " + reason);
}

// Reads one record after another from a text; position and line move together.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool at_end() const { return position_ == text_.size(); }

  Result<CsvRecord> record() {
    CsvRecord record{line_, {}};
    while (true) {
      DISTRICT_TRY(auto field, at('"') ? quoted() : plain());
      record.fields.push_back(std::move(field));
      if (!at(',')) break;
      ++position_;
    }
    if (at('\r')) ++position_;
    if (at('\n')) {
      ++position_;
      ++line_;
      return record;
    }
    if (!at_end()) return malformed(line_, "unexpected text after a closing quote");
    return record;
  }

 private:
  bool at(char c) const { return position_ < text_.size() && text_[position_] == c; }

  Result<std::string> plain() {
    const auto start = position_;
    while (!at_end() && !at(',') && !at('\n') && !(at('\r') && next_is_line_end())) {
      if (at('"')) return malformed(line_, "a quote inside a field that does not begin with one");
      ++position_;
    }
    return std::string(text_.substr(start, position_ - start));
  }

  bool next_is_line_end() const {
    return position_ + 1 == text_.size() || text_[position_ + 1] == '\n';
  }

  Result<std::string> quoted() {
    const auto opened_at = line_;
    std::string field;
    for (++position_; !at_end(); ++position_) {
      if (at('\n')) ++line_;
      if (!at('"')) {
        field += text_[position_];
        continue;
      }
      ++position_;
      if (!at('"')) return field;
      field += '"';
    }
    return malformed(opened_at, "a quoted field is never closed");
  }

  std::string_view text_;
  std::size_t position_ = 0;
  std::size_t line_ = 1;
};

}  // namespace

Result<std::vector<CsvRecord>> read_csv(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<CsvRecord> records;
  Reader reader(text);
  while (!reader.at_end()) {
    DISTRICT_TRY(auto record, reader.record());
    const bool empty = record.fields.size() == 1 && record.fields.front().empty();
    if (!empty) records.push_back(std::move(record));
  }
  return records;
}

void write_csv_record(std::ostream& out, const std::vector<std::string>& fields) {
  bool first = true;
  for (const auto& field : fields) {
    if (!first) out << ',';
    first = false;
    if (field.find_first_of(",\"\r\n") == std::string::npos) {
      out << field;
      continue;
    }
    out << '"';
    for (const char c : field) {
      if (c == '"') out << '"';
      out << c;
    }
    out << '"';
  }
  out << "\r\n";
}

}  // namespace district
