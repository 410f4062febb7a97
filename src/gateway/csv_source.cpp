#include "gateway/csv_source.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/c_handle.h"
#include "base/file.h"
#include "xml/document.h"

namespace district::gateway {
namespace {

using namespace std::chrono_literals;

using GzipFile = CHandle<gzFile_s, gzclose>;

// A row of the exports has about 80 characters; what is longer is no such file.
constexpr std::size_t kLineBytesMax = 4096;

constexpr const char* kKnownHeaders =
    "known headers: meter_id,period_start_utc,...,energy_kwh,... (Barcelona), "
    "installation_id,sampled_at_utc,power_w (Eibar), meter_id,...,read_at_utc,register, "
    "meter_id,medium,unit,register_modulus and house_id,medium,at_utc,old_meter_id,... "
    "(Kalundborg)";

// Whether the octets are UTF-8 (RFC 3629): no overlong forms, no surrogates.
bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC2 || lead > 0xF4 || i + more >= text.size()) return false;
    for (std::size_t k = 1; k <= more; ++k) {
      const auto trail = static_cast<unsigned char>(text[i + k]);
      unsigned char low = 0x80;
      unsigned char high = 0xBF;
      if (k == 1 && lead == 0xE0) low = 0xA0;
      if (k == 1 && lead == 0xED) high = 0x9F;
      if (k == 1 && lead == 0xF0) low = 0x90;
      if (k == 1 && lead == 0xF4) high = 0x8F;
      if (trail < low || trail > high) return false;
    }
    i += more + 1;
  }
  return true;
}

std::string utf8_from_latin1(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x80) {
      out.push_back(c);
      continue;
    }
    out.push_back(static_cast<char>(0xC0U | (octet >> 6U)));
    out.push_back(static_cast<char>(0x80U | (octet & 0x3FU)));
  }
  return out;
}

// Lines of a plain or gzip file; zlib reads both.
class LineReader {
 public:
  static Result<LineReader> open(const std::string& path) {
    errno = 0;
    GzipFile file{::gzopen(path.c_str(), "rb")};
    if (!file) {
      return fail(ErrorCode::file_unreadable,
                  "cannot read " + path + ": " + std::strerror(errno == 0 ? ENOMEM : errno));
    }
    return LineReader(path, std::move(file));
  }

  // The next line without its end, or nothing at the end of the file.
  Result<std::optional<std::string>> next() {
    std::array<char, kLineBytesMax> buffer{};
    if (::gzgets(file_.get(), buffer.data(), static_cast<int>(buffer.size())) == nullptr) {
      DISTRICT_CHECK(check_intact());
      return std::optional<std::string>{};
    }
    ++number_;
    std::string line{buffer.data()};
    if (line.size() + 1 == buffer.size() && line.back() != '\n') {
      return fail(ErrorCode::gateway_input,
                  where() + ": a line of more than " + std::to_string(kLineBytesMax) + " octets");
    }
    if (line.empty() || line.back() != '\n') DISTRICT_CHECK(check_intact());
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (number_ == 1 && line.starts_with(kByteOrderMark)) line.erase(0, kByteOrderMark.size());
    const auto is_control = [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7F; };
    if (std::any_of(line.begin(), line.end(), is_control)) {
      return fail(ErrorCode::gateway_input, where() + ": a control character");
    }
    if (!is_utf8(line)) line = utf8_from_latin1(line);
    return line;
  }

  std::string where() const { return path_ + ":" + std::to_string(number_); }

 private:
  LineReader(std::string path, GzipFile file) : path_(std::move(path)), file_(std::move(file)) {}

  // A gzip file that was cut short must not pass for a complete one, nor its last line.
  Result<Ok> check_intact() const {
    int code = Z_OK;
    const char* text = ::gzerror(file_.get(), &code);
    if (code == Z_OK || code == Z_STREAM_END) return Ok{};
    const std::string reason = code == Z_ERRNO ? std::strerror(errno) : text;
    return fail(ErrorCode::file_unreadable,
                "cannot read " + (number_ == 0 ? path_ : where()) + ": " + reason);
  }

  std::string path_;
  GzipFile file_;
  std::size_t number_ = 0;
};

std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> fields;
  for (std::size_t begin = 0;;) {
    const std::size_t comma = line.find(',', begin);
    std::string_view field = line.substr(begin, comma - begin);
    while (!field.empty() && (field.front() == ' ' || field.front() == '\t'))
      field.remove_prefix(1);
    while (!field.empty() && (field.back() == ' ' || field.back() == '\t')) field.remove_suffix(1);
    if (field.size() >= 2 && field.front() == '"' && field.back() == '"') {
      field = field.substr(1, field.size() - 2);
    }
    fields.emplace_back(field);
    if (comma == std::string_view::npos) return fields;
    begin = comma + 1;
  }
}

// xs:decimal (XML Schema Part 2, section 3.2.3): no exponent, no NaN, no infinity.
bool is_decimal(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction =
      point == std::string_view::npos ? std::string_view{} : text.substr(point + 1);
  const auto digits = [](std::string_view part) {
    return std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  return whole.size() + fraction.size() > 0 && digits(whole) && digits(fraction);
}

class CsvSource : public RowSource {
 public:
  CsvSource(LineReader lines, std::vector<std::string> header) : lines_(std::move(lines)) {
    for (std::size_t i = 0; i < header.size(); ++i) columns_.emplace(std::move(header[i]), i);
  }

  Result<std::optional<Row>> next() final {
    for (;;) {
      DISTRICT_TRY(auto line, lines_.next());
      if (!line) return std::optional<Row>{};
      if (line->empty()) continue;
      fields_ = split(*line);
      if (fields_.size() != columns_.size()) {
        return fail(ErrorCode::gateway_input,
                    lines_.where() + ": " + std::to_string(fields_.size()) + " fields where " +
                        std::to_string(columns_.size()) + " are expected");
      }
      DISTRICT_TRY(auto row, read_row());
      return std::optional<Row>{std::move(row)};
    }
  }

 protected:
  virtual Result<Row> read_row() const = 0;

  bool has(const std::string& column) const { return columns_.contains(column); }

  Result<std::string> text(const std::string& column) const {
    const std::string& value = fields_[columns_.at(column)];
    if (value.empty()) return fail(ErrorCode::gateway_input, lines_.where() + ": no " + column);
    return value;
  }
  Result<std::string> number(const std::string& column) const {
    DISTRICT_TRY(auto value, text(column));
    if (!is_decimal(value)) {
      return fail(ErrorCode::gateway_input,
                  lines_.where() + ": " + column + " is no decimal number: " + value);
    }
    return value;
  }
  Result<std::string> optional_number(const std::string& column) const {
    if (!has(column) || fields_[columns_.at(column)].empty()) return std::string{};
    return number(column);
  }
  Result<Instant> instant(const std::string& column) const {
    DISTRICT_TRY(auto value, text(column));
    const auto parsed = parse_date_time(value);
    if (!parsed) {
      return fail(ErrorCode::gateway_input,
                  lines_.where() + ": " + column + " is no time with a zone: " + value,
                  "write it like 2018-03-01T00:00:00Z");
    }
    return *parsed;
  }

  LineReader lines_;

 private:
  std::map<std::string, std::size_t> columns_;
  std::vector<std::string> fields_;
};

// Also sub-meters, whose export has no end (they are hourly by contract), and values first sent
// for an hour, whose export names the energy first_sent_energy_kwh.
class IntervalSource final : public CsvSource {
 public:
  using CsvSource::CsvSource;

 private:
  Result<Row> read_row() const override {
    IntervalRow row;
    DISTRICT_TRY(row.meter, text("meter_id"));
    DISTRICT_TRY(row.start, instant("period_start_utc"));
    row.end = row.start + 1h;
    if (has("period_end_utc")) {
      DISTRICT_TRY(row.end, instant("period_end_utc"));
    }
    if (row.end <= row.start) {
      return fail(ErrorCode::gateway_input, lines_.where() + ": the period ends before it starts");
    }
    DISTRICT_TRY(row.energy_kwh,
                 number(has("energy_kwh") ? "energy_kwh" : "first_sent_energy_kwh"));
    DISTRICT_TRY(row.price_eur_per_kwh, optional_number("price_eur_per_kwh"));
    DISTRICT_TRY(row.temperature_in_c, optional_number("temp_in_c"));
    DISTRICT_TRY(row.temperature_out_c, optional_number("temp_out_c"));
    return Row{std::move(row)};
  }
};

class PowerSource final : public CsvSource {
 public:
  using CsvSource::CsvSource;

 private:
  Result<Row> read_row() const override {
    PowerRow row;
    DISTRICT_TRY(row.installation, text("installation_id"));
    DISTRICT_TRY(row.at, instant("sampled_at_utc"));
    DISTRICT_TRY(row.power_w, number("power_w"));
    return Row{std::move(row)};
  }
};

class RegisterSource final : public CsvSource {
 public:
  using CsvSource::CsvSource;

 private:
  Result<Row> read_row() const override {
    RegisterRow row;
    DISTRICT_TRY(row.meter, text("meter_id"));
    DISTRICT_TRY(row.at, instant("read_at_utc"));
    DISTRICT_TRY(row.reading, number("register"));
    return Row{std::move(row)};
  }
};

class MeterSource final : public CsvSource {
 public:
  using CsvSource::CsvSource;

 private:
  Result<Row> read_row() const override {
    MasterRow row;
    DISTRICT_TRY(row.meter, text("meter_id"));
    DISTRICT_TRY(auto medium, text("medium"));
    DISTRICT_TRY(auto unit, text("unit"));
    DISTRICT_TRY(auto modulus, optional_number("register_modulus"));
    row.attributes = {{"medium", medium}, {"unit", unit}};
    if (!modulus.empty()) row.attributes.emplace_back("register_modulus", modulus);
    return Row{std::move(row)};
  }
};

// Exchanges of meters: a statement about the new one.
class ExchangeSource final : public CsvSource {
 public:
  using CsvSource::CsvSource;

 private:
  Result<Row> read_row() const override {
    MasterRow row;
    DISTRICT_TRY(row.source, text("house_id"));
    DISTRICT_TRY(row.meter, text("new_meter_id"));
    DISTRICT_TRY(row.valid_from, instant("at_utc"));
    DISTRICT_TRY(auto medium, text("medium"));
    DISTRICT_TRY(auto old_meter, text("old_meter_id"));
    DISTRICT_TRY(auto old_final, number("old_final_register"));
    DISTRICT_TRY(auto new_initial, number("new_initial_register"));
    row.attributes = {{"medium", medium},
                      {"replaces_meter", old_meter},
                      {"replaced_final_register", old_final},
                      {"initial_register", new_initial}};
    return Row{std::move(row)};
  }
};

class ListSource final : public RowSource {
 public:
  explicit ListSource(std::vector<Row> rows) : rows_(std::move(rows)) {}
  Result<std::optional<Row>> next() final {
    if (position_ == rows_.size()) return std::optional<Row>{};
    return std::optional<Row>{rows_[position_++]};
  }

 private:
  std::vector<Row> rows_;
  std::size_t position_ = 0;
};

// The shortest decimal that reads back as the same value.
std::string spell(double value) {
  std::array<char, 512> buffer{};
  const auto [end, problem] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
  return problem == std::errc{} ? std::string(buffer.data(), end) : std::string{};
}

// EN 13201-5: areas A_i with their maintained illuminance E_i; the indicators need the sums of A_i
// and of E_i * A_i.
MasterRow installation_row(const std::string& name, const nlohmann::json& entry) {
  MasterRow row;
  row.source = name;
  const double installed_w = entry.at("luminaires").get<double>() *
                                 entry.at("system_power_w_per_luminaire").get<double>() +
                             entry.value("additional_power_w", 0.0);
  row.attributes = {{"medium", "lighting"},
                    {"unit", "W"},
                    {"on_threshold_w", spell(entry.at("on_threshold_w").get<double>())},
                    {"installed_power_w", spell(installed_w)}};
  double area_m2 = 0;
  double illuminance_area_lx_m2 = 0;
  for (const auto& area : entry.value("areas", nlohmann::json::array())) {
    area_m2 += area.at("area_m2").get<double>();
    illuminance_area_lx_m2 +=
        area.at("area_m2").get<double>() * area.at("maintained_illuminance_lx").get<double>();
  }
  if (area_m2 > 0) {
    row.attributes.emplace_back("lit_area_m2", spell(area_m2));
    row.attributes.emplace_back("illuminance_area_lx_m2", spell(illuminance_area_lx_m2));
  }
  return row;
}

Result<std::unique_ptr<RowSource>> open_installations(const std::string& path) {
  DISTRICT_TRY(const auto text, read_file(path, limits::kMeterFileBytesMax));
  try {
    std::vector<Row> rows;
    const auto document = nlohmann::json::parse(text);
    for (const auto& [name, entry] : document.items()) {
      rows.emplace_back(installation_row(name, entry));
    }
    return std::make_unique<ListSource>(std::move(rows));
  } catch (const nlohmann::json::exception& problem) {
    return fail(ErrorCode::gateway_input, path + ": " + problem.what(),
                "each installation needs luminaires, system_power_w_per_luminaire and "
                "on_threshold_w");
  }
}

// The <messages> of a request's Body, or alone.
xml::Element find_messages(xml::Element element) {
  if (element.is("", "messages")) return element;
  for (const xml::Element child : element.children()) {
    if (const xml::Element found = find_messages(child)) return found;
  }
  return {};
}

// The text of the element that the names lead to; empty where there is none.
std::string text_at(xml::Element element, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    element = element.child("", name);
    if (!element) return {};
  }
  return element.trimmed_text();
}

Result<WrittenMessage> read_message(xml::Element element, const std::string& path) {
  WrittenMessage message;
  message.source = text_at(element, {"head", "messageSource", "messageSourceElement"});
  const auto timestamp = parse_date_time(text_at(element, {"head", "timestamp"}));
  if (message.source.empty() || !timestamp) {
    return fail(ErrorCode::gateway_input,
                path + ":" + std::to_string(element.line()) +
                    ": a message without a messageSourceElement or a timestamp with a zone");
  }
  message.timestamp = *timestamp;
  DISTRICT_TRY(message.xml, xml::canonicalize(element));
  return message;
}

Result<std::unique_ptr<RowSource>> open_messages(const std::string& path) {
  DISTRICT_TRY(const auto text, read_file(path, limits::kMeterFileBytesMax));
  auto document = xml::Document::parse(as_bytes(text));
  if (!document) return fail(ErrorCode::gateway_input, path + ": " + document.error().detail);
  std::vector<Row> rows;
  if (const xml::Element messages = find_messages((*document)->root())) {
    for (const xml::Element element : messages.children()) {
      DISTRICT_TRY(auto message, read_message(element, path));
      rows.emplace_back(std::move(message));
    }
  }
  if (rows.empty()) return fail(ErrorCode::gateway_input, path + ": no <messages> in it");
  return std::make_unique<ListSource>(std::move(rows));
}

bool contains(const std::vector<std::string>& header, std::initializer_list<const char*> columns) {
  return std::all_of(columns.begin(), columns.end(), [&](const char* column) {
    return std::find(header.begin(), header.end(), column) != header.end();
  });
}

}  // namespace

const std::string& meter_of(const Row& row) {
  if (const auto* interval = std::get_if<IntervalRow>(&row)) return interval->meter;
  if (const auto* power = std::get_if<PowerRow>(&row)) return power->installation;
  if (const auto* reading = std::get_if<RegisterRow>(&row)) return reading->meter;
  if (const auto* written = std::get_if<WrittenMessage>(&row)) return written->source;
  const auto& master = std::get<MasterRow>(row);
  return master.meter.empty() ? master.source : master.meter;
}

std::optional<Instant> time_of(const Row& row) {
  if (const auto* interval = std::get_if<IntervalRow>(&row)) return interval->start;
  if (const auto* power = std::get_if<PowerRow>(&row)) return power->at;
  if (const auto* reading = std::get_if<RegisterRow>(&row)) return reading->at;
  if (const auto* written = std::get_if<WrittenMessage>(&row)) return written->timestamp;
  return std::nullopt;
}

Result<std::unique_ptr<RowSource>> open_rows(const std::string& path) {
  if (path.ends_with(".json")) return open_installations(path);
  if (path.ends_with(".xml")) return open_messages(path);
  DISTRICT_TRY(auto lines, LineReader::open(path));
  DISTRICT_TRY(auto first, lines.next());
  if (!first) return fail(ErrorCode::gateway_input, path + ": the file is empty", kKnownHeaders);
  auto header = split(*first);
  auto sorted = header;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
    return fail(ErrorCode::gateway_input, path + ": a column occurs twice in the header line");
  }
  if (contains(header, {"meter_id", "period_start_utc"}) &&
      (contains(header, {"energy_kwh"}) || contains(header, {"first_sent_energy_kwh"}))) {
    return std::make_unique<IntervalSource>(std::move(lines), std::move(header));
  }
  if (contains(header, {"installation_id", "sampled_at_utc", "power_w"})) {
    return std::make_unique<PowerSource>(std::move(lines), std::move(header));
  }
  if (contains(header, {"meter_id", "read_at_utc", "register"})) {
    return std::make_unique<RegisterSource>(std::move(lines), std::move(header));
  }
  if (contains(header, {"meter_id", "medium", "unit", "register_modulus"})) {
    return std::make_unique<MeterSource>(std::move(lines), std::move(header));
  }
  if (contains(header, {"house_id", "at_utc", "medium", "old_meter_id", "old_final_register",
                        "new_meter_id", "new_initial_register"})) {
    return std::make_unique<ExchangeSource>(std::move(lines), std::move(header));
  }
  return fail(ErrorCode::gateway_input, path + ": unknown header line: " + first->substr(0, 200),
              kKnownHeaders);
}

}  // namespace district::gateway
