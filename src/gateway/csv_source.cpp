#include "gateway/csv_source.h"

#include <algorithm>
#include <array>
#include <map>
#include <span>

#include "base/characters.h"
#include "base/csv.h"
#include "base/near_name.h"
#include "base/text.h"
#include "base/utf8.h"
#include "gateway/input_text.h"
#include "gateway/measure.h"
#include "gateway/written_source.h"

namespace district::gateway {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

// xsd/types.xsd: the longest Name, in characters.
constexpr std::size_t kNameCharactersMax = 128;

constexpr const char* kKnownHeaders =
    "known headers: meter_id,period_start_utc,...,energy_kwh,... (Barcelona), "
    "installation_id,sampled_at_utc,power_w (Eibar), meter_id,...,read_at_utc,register, "
    "meter_id,medium,unit,register_modulus and house_id,medium,at_utc,old_meter_id,... "
    "(Kalundborg)";

// A kind of table, which is known by its columns.
struct Shape {
  Names needed, optional;

  Names all() const {
    Names names = needed;
    names.insert(names.end(), optional.begin(), optional.end());
    return names;
  }
};

const std::string kPeriodEnd = "period_end_utc";

// The exports of sub-meters have no end, because they are hourly. Values that were first sent for
// an hour name the energy first_sent_energy_kwh.
const Names kIntervalOptions = {kPeriodEnd, "price_eur_per_kwh", "temp_in_c", "temp_out_c"};
const Shape kInterval = {{"meter_id", "period_start_utc", "energy_kwh"}, kIntervalOptions};
const Shape kFirstSent = {{"meter_id", "period_start_utc", "first_sent_energy_kwh"},
                          kIntervalOptions};
const Shape kPower = {{"installation_id", "sampled_at_utc", "power_w"}, {}};
const Shape kRegister = {{"meter_id", "read_at_utc", "register"}, {}};
const Shape kMeters = {{"meter_id", "medium", "unit", "register_modulus"}, {}};
const Shape kExchanges = {{"house_id", "at_utc", "medium", "old_meter_id", "old_final_register",
                           "new_meter_id", "new_initial_register"},
                          {}};
const std::array<const Shape*, 6> kShapes = {&kInterval, &kFirstSent, &kPower,
                                             &kRegister, &kMeters,    &kExchanges};

bool is_in(const Names& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

Names missing_from(const Names& header, const Names& wanted) {
  Names missing;
  std::ranges::copy_if(wanted, std::back_inserter(missing),
                       [&](const std::string& name) { return !is_in(header, name); });
  return missing;
}

// The octets of a file as text, and the present place in it.
struct Table {
  std::string path;
  CsvText text;
  CsvOrigin origin{ErrorCode::gateway_input, path + ":"};
};

class CsvSource : public RowSource {
 public:
  CsvSource(std::unique_ptr<Table> table, const Names& header, Names notes)
      : table_(std::move(table)), reader_(table_->text.utf8, table_->origin) {
    notes_ = std::move(notes);
    for (std::size_t i = 0; i < header.size(); ++i) columns_.emplace(header[i], i);
    rewind();
  }

  Result<std::optional<Row>> next() final {
    if (at_header_) DISTRICT_CHECK(reader_.next());
    at_header_ = false;
    DISTRICT_TRY(auto record, reader_.next());
    if (!record) return std::optional<Row>{};
    record_ = std::move(*record);
    if (record_.fields.size() != columns_.size()) return fail(wrong_count());
    DISTRICT_TRY(auto row, read_row());
    return std::optional<Row>{std::move(row)};
  }

  void rewind() final {
    reader_.rewind();
    at_header_ = true;
  }
  std::size_t line() const final { return record_.line; }

 protected:
  virtual Result<Row> read_row() const = 0;

  bool has(const std::string& column) const { return columns_.contains(column); }

  tl::unexpected<Error> wrong(const std::string& reason, std::string hint = {}) const {
    return fail(ErrorCode::gateway_input,
                table_->path + ":" + std::to_string(record_.line) + ": " + reason, std::move(hint));
  }

  Result<std::string> text(const std::string& column) const {
    const auto value = trim_xml_space(record_.fields[columns_.at(column)]);
    if (value.empty()) return wrong("no " + column);
    if (value.find_first_of("\r\n\t") != std::string_view::npos)
      return wrong(column + " has a line end or a tab in it: " + visible(value.substr(0, 80)));
    return std::string(value);
  }
  // The server compares names as xs:token, in which several blanks are one.
  Result<std::string> name(const std::string& column) const {
    DISTRICT_TRY(const auto value, text(column));
    const auto characters = std::ranges::count_if(value, [](char c) { return !is_trail(c); });
    if (static_cast<std::size_t>(characters) > kNameCharactersMax) {
      return wrong(column + " has more than " + std::to_string(kNameCharactersMax) +
                   " characters: " + visible(value.substr(0, 80)) + "...");
    }
    return collapse_xml_space(value);
  }
  Result<std::string> number(const std::string& column) const {
    DISTRICT_TRY(const auto value, text(column));
    const auto measure = read_measure(value);
    if (!measure) return wrong(column + ": " + measure.error().detail);
    return *measure;
  }
  Result<std::string> optional_number(const std::string& column) const {
    if (!has(column) || trim_xml_space(record_.fields[columns_.at(column)]).empty())
      return std::string{};
    return number(column);
  }
  Result<Instant> instant(const std::string& column) const {
    DISTRICT_TRY(const auto value, text(column));
    const auto parsed = parse_date_time(value);
    if (!parsed) {
      return wrong(column + " is no time with a zone: " + visible(value.substr(0, 80)),
                   "write it like 2018-03-01T00:00:00Z");
    }
    return *parsed;
  }

 private:
  Error wrong_count() const {
    const bool more = record_.fields.size() > columns_.size();
    return wrong(std::to_string(record_.fields.size()) + " fields where " +
                     std::to_string(columns_.size()) + " are expected",
                 more ? "a comma within a field makes two of it: write 1.5 for 1,5, and put a text "
                        "with a comma in quotes"
                      : "each line has a field for each column of the header, if only an empty one")
        .value();
  }

  std::unique_ptr<Table> table_;  // on the heap: the reader views its text
  CsvReader reader_;
  std::map<std::string, std::size_t> columns_;
  CsvRecord record_;
  bool at_header_ = true;
};

class IntervalSource final : public CsvSource {
 public:
  using CsvSource::CsvSource;

 private:
  Result<Row> read_row() const override {
    IntervalRow row;
    DISTRICT_TRY(row.meter, name("meter_id"));
    DISTRICT_TRY(row.start, instant("period_start_utc"));
    row.end_is_given = has(kPeriodEnd);
    row.end = row.start + 1h;
    if (row.end_is_given) {
      DISTRICT_TRY(row.end, instant(kPeriodEnd));
    }
    if (row.end <= row.start) return wrong("the period ends before it starts");
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
    DISTRICT_TRY(row.installation, name("installation_id"));
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
    DISTRICT_TRY(row.meter, name("meter_id"));
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
    DISTRICT_TRY(row.meter, name("meter_id"));
    DISTRICT_TRY(auto medium, text("medium"));
    DISTRICT_TRY(auto unit, text("unit"));
    DISTRICT_TRY(auto modulus, optional_number("register_modulus"));
    row.attributes = {{"medium", medium}, {"unit", unit}};
    if (!modulus.empty()) row.attributes.emplace_back("register_modulus", modulus);
    return Row{std::move(row)};
  }
};

// Exchanges of meters. Each is a statement about the new meter.
class ExchangeSource final : public CsvSource {
 public:
  using CsvSource::CsvSource;

 private:
  Result<Row> read_row() const override {
    MasterRow row;
    DISTRICT_TRY(row.source, name("house_id"));
    DISTRICT_TRY(row.meter, name("new_meter_id"));
    DISTRICT_TRY(row.valid_from, instant("at_utc"));
    DISTRICT_TRY(auto medium, text("medium"));
    DISTRICT_TRY(auto old_meter, name("old_meter_id"));
    DISTRICT_TRY(auto old_final, number("old_final_register"));
    DISTRICT_TRY(auto new_initial, number("new_initial_register"));
    row.attributes = {{"medium", medium},
                      {"replaces_meter", old_meter},
                      {"replaced_final_register", old_final},
                      {"initial_register", new_initial}};
    return Row{std::move(row)};
  }
};

// "energy_kwh (for energy_kw?)" for each needed column that the likeliest shape lacks.
std::string likely_mistakes(const Names& header) {
  std::string best;
  std::size_t fewest = 3;  // more misspelt columns than two are another kind of file
  for (const Shape* shape : kShapes) {
    const auto missing = missing_from(header, shape->needed);
    if (missing.size() >= std::min(fewest, shape->needed.size())) continue;
    const auto extra = missing_from(shape->all(), header);
    std::string text;
    bool all_near = true;
    for (const std::string& name : missing) {
      const auto near = nearest_name(name, extra);
      all_near = all_near && !near.empty();
      text += (text.empty() ? "did you mean " : " and ") + name + " for " + visible(near);
    }
    if (!all_near) continue;
    fewest = missing.size();
    best = text + "?";
  }
  return best;
}

Error unknown_header(const std::string& path, const CsvRecord& record, const Names& header) {
  const auto at = [&](const std::string& reason, const std::string& hint) {
    return Error{ErrorCode::gateway_input,
                 path + ":" + std::to_string(record.line) + ": " + reason,
                 hint,
                 {},
                 {}};
  };
  std::string joined;
  for (const std::string& name : header) joined += (joined.empty() ? "" : ",") + name;
  const auto shown = visible(std::string_view(joined).substr(0, 200));
  if (joined.starts_with("sep=") || joined.starts_with("SEP="))
    return at("the first line is a mark for a spreadsheet: " + shown, "leave that line out");
  if (const auto separator = other_separator(joined); header.size() == 1 && !separator.empty()) {
    return at("the fields are separated by " + separator + ", commas are expected: " + shown,
              "save the file with commas between fields and a point in numbers (1.5)");
  }
  const auto mistakes = likely_mistakes(header);
  return at("unknown header line: " + shown, mistakes.empty() ? kKnownHeaders : mistakes);
}

// Names the columns that `shape` does not send, as a note. Empty when there are none.
std::string unsent_columns(const Names& header, const Shape& shape) {
  const auto known = shape.all();
  const auto absent = missing_from(header, known);
  std::string unsent;
  for (const std::string& name : missing_from(known, header)) {
    unsent += unsent.empty() ? "" : "; ";
    unsent += name.empty() ? "a column without a name" : visible(name) + did_you_mean(name, absent);
  }
  return unsent;
}

Result<Ok> check_header(const std::string& path, const CsvRecord& record, const Names& header) {
  const auto where = path + ":" + std::to_string(record.line) + ": ";
  auto sorted = header;
  std::ranges::sort(sorted);
  if (const auto twice = std::ranges::adjacent_find(sorted); twice != sorted.end()) {
    return fail(ErrorCode::gateway_input,
                where + "a column occurs twice in the header line: \"" + visible(*twice) + "\"",
                "leave one of them out, or give it another name");
  }
  return Ok{};
}

// With a misspelt column of ends, every period would silently become an hour.
Result<Ok> check_period_end(const std::string& path, const Names& header, const Shape& shape) {
  const auto known = shape.all();
  if (!is_in(known, kPeriodEnd) || is_in(header, kPeriodEnd)) return Ok{};
  for (const std::string& name : missing_from(known, header)) {
    if (nearest_name(name, missing_from(header, known)) != kPeriodEnd) continue;
    return fail(ErrorCode::gateway_input,
                path + ": the column " + visible(name) + " is unknown, and without " + kPeriodEnd +
                    " every period would be an hour",
                "write " + kPeriodEnd + ", or leave the column out");
  }
  return Ok{};
}

template <typename Source>
std::unique_ptr<RowSource> make(std::unique_ptr<Table> table, const Names& header, Names notes) {
  return std::make_unique<Source>(std::move(table), header, std::move(notes));
}

Result<std::unique_ptr<RowSource>> table_of(std::string_view octets, const std::string& path) {
  auto table = std::make_unique<Table>(Table{path, {}});
  DISTRICT_TRY(table->text, read_csv_text(octets, table->origin));
  CsvReader reader(table->text.utf8, table->origin);
  DISTRICT_TRY(const auto record, reader.next());
  if (!record) return fail(ErrorCode::gateway_input, path + ": the file is empty", kKnownHeaders);
  Names header;
  for (const std::string& field : record->fields) header.emplace_back(trim_xml_space(field));
  DISTRICT_CHECK(check_header(path, *record, header));
  const auto shape = std::ranges::find_if(kShapes, [&](const Shape* candidate) {
    return missing_from(header, candidate->needed).empty();
  });
  if (shape == kShapes.end()) return fail(unknown_header(path, *record, header));
  DISTRICT_CHECK(check_period_end(path, header, **shape));
  Names notes;
  if (const auto unsent = unsent_columns(header, **shape); !unsent.empty())
    notes.push_back(path + ": not sent: " + unsent);
  if (const auto lines = table->text.latin1_lines; lines > 0) {
    notes.push_back(path + ":" + std::to_string(table->text.first_latin1_line) + ": not UTF-8; " +
                    (lines == 1 ? "the line is" : std::to_string(lines) + " lines are") +
                    " taken as ISO-8859-1");
  }
  using Make = std::unique_ptr<RowSource> (*)(std::unique_ptr<Table>, const Names&, Names);
  constexpr std::array<Make, kShapes.size()> kMakers = {make<IntervalSource>, make<IntervalSource>,
                                                        make<PowerSource>,    make<RegisterSource>,
                                                        make<MeterSource>,    make<ExchangeSource>};
  return kMakers[static_cast<std::size_t>(shape - kShapes.begin())](std::move(table), header,
                                                                    std::move(notes));
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

Result<std::unique_ptr<RowSource>> rows_of(const std::string& octets, const std::string& path) {
  if (path.ends_with(".json")) return installations_of(octets, path);
  if (path.ends_with(".xml")) return messages_of(octets, path);
  return table_of(octets, path);
}

Result<std::unique_ptr<RowSource>> open_rows(const std::string& path) {
  DISTRICT_TRY(const auto octets, read_input(path));
  return rows_of(octets, path);
}

}  // namespace district::gateway
