#include "base/csv.h"

#include <algorithm>
#include <array>

#include "base/characters.h"
#include "base/utf8.h"

namespace district {
namespace {

using namespace std::string_view_literals;

constexpr auto kByteOrderMark = "\xEF\xBB\xBF"sv;

constexpr const char* kSaveAsUtf8 =
    "save the file as CSV in UTF-8; a spreadsheet calls it \"CSV UTF-8 (comma delimited)\"";

tl::unexpected<Error> wrong(const CsvOrigin& origin, std::size_t line, const std::string& reason,
                            std::string hint = {}) {
  return fail(origin.code, origin.before_line + std::to_string(line) + ": " + reason,
              std::move(hint));
}

// What the octets are, where they are no text with one octet for each ASCII character.
std::string other_kind(std::string_view octets) {
  constexpr std::array kSignatures = {std::pair{"\xFF\xFE\x00\x00"sv, "UTF-32"},
                                      std::pair{"\x00\x00\xFE\xFF"sv, "UTF-32"},
                                      std::pair{"\xFF\xFE"sv, "UTF-16"},
                                      std::pair{"\xFE\xFF"sv, "UTF-16"},
                                      std::pair{"PK\x03\x04"sv, "a workbook or another ZIP file"},
                                      std::pair{"\xD0\xCF\x11\xE0"sv, "an old workbook (.xls)"},
                                      std::pair{"\x1F\x8B"sv, "a gzip file"}};
  for (const auto& [signature, kind] : kSignatures) {
    if (octets.starts_with(signature)) return kind;
  }
  // Without a byte order mark every other octet of a header line is NUL.
  if (octets.size() < 4) return {};
  const bool first = octets[0] == '\0' && octets[2] == '\0' && octets[1] != '\0';
  const bool second = octets[1] == '\0' && octets[3] == '\0' && octets[0] != '\0';
  return first || second ? "UTF-16" : std::string();
}

Result<Ok> check_controls(std::string_view line, const CsvOrigin& origin, std::size_t number) {
  const auto is_forbidden = [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return (octet < 0x20 && c != '\t') || octet == 0x7F;
  };
  const auto found = std::ranges::find_if(line, is_forbidden);
  if (found == line.end()) return Ok{};
  if (*found == '\r') {
    return wrong(origin, number, "a carriage return without a line feed after it",
                 "lines end with CRLF or LF: save the file with one of them");
  }
  return wrong(origin, number,
               "a control character (" + describe(static_cast<unsigned char>(*found)) +
                   ") at octet " + std::to_string(found - line.begin() + 1),
               "nothing of the file is taken: write it anew without such characters");
}

// Controls of C1 take two octets in UTF-8.
Result<Ok> check_c1(std::string_view line, const CsvOrigin& origin, std::size_t number) {
  while (!line.empty()) {
    const auto c = take_character(line);
    if (c && is_control(*c) && *c >= 0x80)
      return wrong(origin, number, "a control character (" + describe(*c) + ")", kSaveAsUtf8);
  }
  return Ok{};
}

Result<std::string> from_latin1(std::string_view line, const CsvOrigin& origin,
                                std::size_t number) {
  std::string out;
  for (const char c : line) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet >= 0x80 && octet < 0xA0) {
      return wrong(origin, number, "neither UTF-8 nor ISO-8859-1: " + visible(line.substr(0, 80)),
                   kSaveAsUtf8);
    }
    if (octet < 0x80) {
      out.push_back(c);
      continue;
    }
    out.push_back(static_cast<char>(0xC0U | (octet >> 6U)));
    out.push_back(static_cast<char>(0x80U | (octet & 0x3FU)));
  }
  return out;
}

}  // namespace

Result<CsvText> read_csv_text(std::string_view octets, const CsvOrigin& origin) {
  if (const auto kind = other_kind(octets); !kind.empty())
    return wrong(origin, 1, "the file is " + kind + ", not UTF-8", kSaveAsUtf8);
  std::string_view rest = octets;
  if (rest.starts_with(kByteOrderMark)) rest.remove_prefix(kByteOrderMark.size());
  CsvText text;
  text.utf8.reserve(rest.size());
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    // A text written twice through a translation of line ends has CR CR LF.
    while (line.ends_with('\r')) line.remove_suffix(1);
    DISTRICT_CHECK(check_controls(line, origin, number));
    if (is_utf8(line)) {
      DISTRICT_CHECK(check_c1(line, origin, number));
      text.utf8.append(line);
    } else {
      DISTRICT_TRY(const auto converted, from_latin1(line, origin, number));
      text.utf8.append(converted);
      if (text.latin1_lines++ == 0) text.first_latin1_line = number;
    }
    if (end < rest.size()) text.utf8.append(line.size() < end ? "\r\n" : "\n");
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return text;
}

tl::unexpected<Error> CsvReader::malformed(std::size_t line, const std::string& reason,
                                           std::string hint) const {
  return wrong(origin_, line, reason, std::move(hint));
}

bool CsvReader::at_line_end() const {
  return at_end() || at('\n') || (at('\r') && text_.substr(position_ + 1, 1) == "\n");
}

void CsvReader::skip_blanks() {
  while (at(' ') || at('\t')) ++position_;
}

Result<Ok> CsvReader::check_length() const {
  if (position_ - record_start_ <= kCsvRecordOctetsMax) return Ok{};
  return malformed(line_, "a line of more than " + std::to_string(kCsvRecordOctetsMax) + " octets",
                   "no file of meter data has such lines");
}

Result<std::string> CsvReader::plain() {
  const auto start = position_;
  for (; !at_line_end() && !at(','); ++position_) {
    DISTRICT_CHECK(check_length());
    if (at('"')) {
      return malformed(line_, "a quote inside a field that does not begin with one",
                       "put the field in quotes and double each quote in it: \"5\"\" pipe\"");
    }
  }
  return std::string(text_.substr(start, position_ - start));
}

Result<std::string> CsvReader::quoted() {
  const auto opened_at = line_;
  std::string field;
  for (++position_; !at_end(); ++position_) {
    if (position_ - record_start_ > kCsvRecordOctetsMax) break;
    if (at('\n')) ++line_;
    if (!at('"')) {
      field += text_[position_];
      continue;
    }
    ++position_;
    if (at('"')) {
      field += '"';
      continue;
    }
    skip_blanks();
    if (at(',') || at_line_end()) return field;
    return malformed(line_, "text after a closing quote",
                     "double each quote within a field in quotes: \"5\"\" pipe\"");
  }
  return malformed(opened_at, "a quoted field is never closed",
                   at_end() ? "write its closing quote"
                            : "write its closing quote; a record has at most " +
                                  std::to_string(kCsvRecordOctetsMax) + " octets");
}

Result<std::string> CsvReader::field() {
  const auto start = position_;
  skip_blanks();
  if (at('"')) return quoted();
  position_ = start;
  return plain();
}

Result<CsvRecord> CsvReader::record() {
  record_start_ = position_;
  CsvRecord record{line_, {}};
  while (true) {
    DISTRICT_TRY(auto text, field());
    record.fields.push_back(std::move(text));
    if (!at(',')) break;
    ++position_;
  }
  if (at('\r')) ++position_;
  if (at('\n')) {
    ++position_;
    ++line_;
  }
  return record;
}

Result<std::optional<CsvRecord>> CsvReader::next() {
  while (!at_end()) {
    DISTRICT_TRY(auto found, record());
    const bool empty = found.fields.size() == 1 && found.fields.front().empty();
    if (!empty) return std::optional<CsvRecord>{std::move(found)};
  }
  return std::optional<CsvRecord>{};
}

void CsvReader::rewind() {
  position_ = 0;
  line_ = 1;
}

Result<std::vector<CsvRecord>> read_csv(std::string_view octets, const CsvOrigin& origin) {
  DISTRICT_TRY(const auto text, read_csv_text(octets, origin));
  CsvReader reader(text.utf8, origin);
  std::vector<CsvRecord> records;
  while (true) {
    DISTRICT_TRY(auto record, reader.next());
    if (!record) return records;
    records.push_back(std::move(*record));
  }
}

std::string other_separator(std::string_view header_line) {
  constexpr std::array kSeparators = {std::pair{';', "';'"}, std::pair{'\t', "tabs"},
                                      std::pair{'|', "'|'"}};
  for (const auto& [separator, name] : kSeparators) {
    if (header_line.find(separator) != std::string_view::npos) return name;
  }
  return {};
}

void write_csv_record(std::ostream& out, const std::vector<std::string>& fields) {
  bool first = true;
  for (const auto& field : fields) {
    if (!first) out << ',';
    first = false;
    // A mark at the very beginning would be taken for the file's own.
    if (field.find_first_of(",\"\r\n") == std::string::npos && !field.starts_with(kByteOrderMark)) {
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
