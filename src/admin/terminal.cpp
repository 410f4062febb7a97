#include "admin/terminal.h"

#include <locale.h>
#include <wchar.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <sstream>

#include "base/csv.h"

namespace district::admin {
namespace {

using namespace std::chrono_literals;

// While it lives, this thread reads multibyte text as UTF-8, whatever the locale of the user is.
class Utf8Locale {
 public:
  Utf8Locale() {
    static const ::locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    if (utf8 != nullptr) before_ = ::uselocale(utf8);
  }
  ~Utf8Locale() {
    if (before_ != nullptr) ::uselocale(before_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  ::locale_t before_ = nullptr;
};

// Calls `each(octets, width)` for every character; width is -1 for controls and broken octets.
template <typename Each>
void for_each_character(std::string_view text, Each each) {
  const Utf8Locale locale;
  ::mbstate_t state{};
  while (!text.empty()) {
    wchar_t character = 0;
    const std::size_t length = ::mbrtowc(&character, text.data(), text.size(), &state);
    // 0: NUL; the two largest values: broken or cut off.
    if (length == 0 || length > text.size()) {
      state = {};
      each(text.substr(0, 1), -1);
      text.remove_prefix(1);
      continue;
    }
    each(text.substr(0, length), ::wcwidth(character));
    text.remove_prefix(length);
  }
}

std::string csv_field(const Json& value) {
  if (value.is_null()) return {};
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return dump(value);
  std::string joined;
  for (const auto& item : value) {
    if (!joined.empty()) joined += ' ';
    joined += csv_field(item);
  }
  return joined;
}

// Rounds to `decimals` digits after the point. A number so small that fewer than four of its digits
// would show gets more of them, without zeros at the end.
std::string rounded(double value, int decimals) {
  constexpr int kDigits = 4, kMostDecimals = 12;
  const double size = std::abs(value);
  if (size == 0 || !std::isfinite(size)) return fixed(value, decimals);
  const int before_point = static_cast<int>(std::floor(std::log10(size))) + 1;
  // A number with more digits is written with an exponent, since a row of zeros would hide its
  // size.
  constexpr int kLongest = 15;
  if (before_point < kDigits - kMostDecimals || before_point > kLongest) {
    std::array<char, 32> text{};
    const auto [end, problem] = before_point > 0
                                    ? std::to_chars(text.data(), text.data() + text.size(), value)
                                    : std::to_chars(text.data(), text.data() + text.size(), value,
                                                    std::chars_format::scientific, kDigits - 1);
    return {text.data(), problem == std::errc() ? end : text.data()};
  }
  auto text = fixed(value, std::max(decimals, kDigits - before_point));
  const auto point = text.find('.');
  while (point != std::string::npos && text.back() == '0' &&
         text.size() - point > static_cast<std::size_t>(decimals) + 1) {
    text.pop_back();
  }
  return text;
}

void write_padded(std::ostream& out, const std::string& text, std::size_t width, bool right,
                  bool last) {
  const std::size_t used = display_width(text);
  const std::string padding(width > used ? width - used : 0, ' ');
  if (right) out << padding << text;
  if (!right) out << text << (last ? std::string() : padding);
}

}  // namespace

std::size_t display_width(std::string_view utf8) {
  std::size_t width = 0;
  for_each_character(utf8, [&width](std::string_view, int columns) {
    width += columns < 0 ? 1U : static_cast<std::size_t>(columns);
  });
  return width;
}

std::string dump(const Json& value, int indent) {
  return with_escapes(value.dump(indent, ' ', false, Json::error_handler_t::replace));
}

void Listing::add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }

void Listing::write(std::ostream& out, Format format) const {
  switch (format) {
    case Format::table:
      return write_table(out);
    case Format::json:
      return write_json(out);
    case Format::csv:
    case Format::csv_exact:
      return write_csv(out, format == Format::csv_exact);
  }
}

void Listing::write_table(std::ostream& out) const {
  std::vector<std::size_t> shown;  // indexes of the columns that a table has
  std::vector<std::size_t> widths(columns_.size());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].heading.empty()) continue;
    shown.push_back(i);
    widths[i] = display_width(columns_[i].heading);
    for (const auto& row : rows_) {
      widths[i] = std::max(widths[i], display_width(printable(row[i].shown)));
    }
  }
  const auto write_line = [&](auto&& text_of) {
    std::ostringstream cells;
    for (const auto i : shown) {
      if (i != shown.front()) cells << "  ";
      write_padded(cells, text_of(i), widths[i], columns_[i].right_aligned, i == shown.back());
    }
    auto line = cells.str();
    line.erase(line.find_last_not_of(' ') + 1);  // the last cells may be empty
    out << line << '\n';
  };
  write_line([&](std::size_t i) { return columns_[i].heading; });
  for (const auto& row : rows_) {
    write_line([&](std::size_t i) { return printable(row[i].shown); });
  }
}

Json Listing::object_of(const std::vector<Cell>& row) const {
  Json object = Json::object();
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    object[camel_case(columns_[i].key)] = row[i].value;
  }
  return object;
}

Json Listing::json() const {
  Json array = Json::array();
  for (const auto& row : rows_) array.push_back(object_of(row));
  return array;
}

void Listing::write_json(std::ostream& out) const {
  out << '[';
  bool first = true;
  for (const auto& row : rows_) {
    out << (first ? "\n  " : ",\n  ") << dump(object_of(row));
    first = false;
  }
  out << (first ? "]\n" : "\n]\n");
}

void Listing::write_csv(std::ostream& out, bool exact) const {
  std::vector<std::string> fields;
  for (const auto& column : columns_) fields.push_back(column.key);
  write_csv_record(out, fields);
  for (const auto& row : rows_) {
    fields.clear();
    for (const auto& cell : row) {
      const auto field = csv_field(cell.value);
      // Only texts can come from others: numbers and the like need no guard.
      const bool guarded = !exact && (cell.value.is_string() || cell.value.is_array());
      fields.push_back(guarded ? csv_text(field) : field);
    }
    write_csv_record(out, fields);
  }
}

void Details::add(std::string key, std::string heading, Cell cell) {
  items_.push_back({std::move(key), std::move(heading), std::move(cell)});
}

void Details::write(std::ostream& out, Format format) const {
  if (format == Format::json) {
    Json object = Json::object();
    for (const auto& item : items_) object[camel_case(item.key)] = item.cell.value;
    out << dump(object, 2) << '\n';
    return;
  }
  std::size_t width = 0;
  for (const auto& item : items_) width = std::max(width, display_width(item.heading));
  for (const auto& item : items_) {
    if (item.heading.empty()) continue;
    write_padded(out, item.heading, width, false, false);
    out << "  " << (item.cell.shown.empty() ? "-" : printable(item.cell.shown)) << '\n';
  }
}

Cell cell_of(Instant instant, int fraction_digits) {
  return {format_instant(instant, fraction_digits)};
}

Cell cell_of(const std::optional<Instant>& instant) {
  if (!instant) return {Json(nullptr), "-"};
  return cell_of(*instant);
}

Cell cell_of(const std::optional<double>& value, int decimals) {
  if (!value) return {Json(nullptr), "-"};
  return {Json(*value), rounded(*value, decimals)};
}

std::string fixed(double value, int decimals) {
  std::array<char, 512> text{};  // the largest number has 309 digits
  const auto [end, problem] = std::to_chars(text.data(), text.data() + text.size(), value,
                                            std::chars_format::fixed, decimals);
  return {text.data(), problem == std::errc() ? end : text.data()};
}

Cell share_cell(double share) {
  constexpr int kDecimals = 3;
  return {Json(share), fixed(share < 1 ? std::min(share, 0.999) : share, kDecimals)};
}

Cell cell_of(const std::vector<std::string>& texts, std::string_view when_empty) {
  std::string joined;
  for (const auto& text : texts) joined += (joined.empty() ? "" : " ") + text;
  return {Json(texts), joined.empty() ? std::string(when_empty) : joined};
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t from_end = 3; from_end < digits.size(); from_end += 4) {
    digits.insert(digits.size() - from_end, 1, ' ');
  }
  return digits;
}

std::string counted(std::uint64_t number, const std::string& noun, const std::string& plural) {
  const auto several = plural.empty() ? noun + "s" : plural;
  return grouped(number) + " " + (number == 1 ? noun : several);
}

void Terminal::error(const Error& error) {
  err_ << "error: " << printable(error.detail.empty() ? "unknown cause" : error.detail) << '\n';
  for (const auto& violation : error.violations) {
    err_ << "error:   ";
    if (violation.message_index > 0) err_ << "message " << violation.message_index << ", ";
    if (!violation.path.empty()) err_ << printable(violation.path) << ", ";
    if (violation.line > 0) err_ << "line " << violation.line << ": ";
    err_ << printable(violation.reason) << '\n';
  }
  if (!error.hint.empty()) err_ << "hint: " << printable(error.hint) << '\n';
}

void Terminal::note(std::string_view text) { err_ << "note: " << printable(text) << '\n'; }

Progress::~Progress() {
  // Erases the line, so that what follows starts on a clean one.
  if (line_is_open_) terminal_.err() << "\r\x1B[K" << std::flush;
}

void Progress::update(std::uint64_t done, std::uint64_t total) {
  const auto now = SteadyClock::now();
  const auto interval = terminal_.live() ? SteadyClock::duration(250ms) : SteadyClock::duration(5s);
  if (now - shown_at_ < interval) return;
  shown_at_ = now;
  if (terminal_.live()) terminal_.err() << "\r\x1B[K";
  terminal_.err() << what_ << ": " << grouped(done);
  if (total > 0) {
    terminal_.err() << " of " << grouped(total) << " (" << done * 100 / total << " %)";
  }
  if (!terminal_.live()) terminal_.err() << '\n';
  line_is_open_ = terminal_.live();
  terminal_.err() << std::flush;
}

}  // namespace district::admin
