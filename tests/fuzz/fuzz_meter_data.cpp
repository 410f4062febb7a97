// Whatever a file of meter data holds: an error with file and line, or rows that read the same
// again, whose numbers are plain and whose names have nothing unseen that was not told.
// Input: "csv:", "json:" or "xml:" and the octets of a file; without such a word, of a CSV file.
#include <array>
#include <sstream>

#include "base/characters.h"
#include "base/csv.h"
#include "base/utf8.h"
#include "fuzz_target.h"
#include "gateway/csv_source.h"
#include "gateway/measure.h"
#include "gateway/row_check.h"
#include "xml/document.h"

namespace district::fuzz {
namespace {

// What the server's schemas take of a number, whatever its range.
void check_number(const std::string& number) {
  if (number.empty()) return;
  require(number.find_first_not_of("0123456789+-.") == std::string::npos, "not plain: " + number);
  require(gateway::value_of(number).has_value(), "no number: " + number);
}

void check_row(const gateway::Row& row) {
  if (const auto* interval = std::get_if<gateway::IntervalRow>(&row)) {
    require(interval->start < interval->end, "a period without length");
    check_number(interval->energy_kwh);
    check_number(interval->price_eur_per_kwh);
    check_number(interval->temperature_in_c);
    check_number(interval->temperature_out_c);
  }
  if (const auto* power = std::get_if<gateway::PowerRow>(&row)) check_number(power->power_w);
  if (const auto* reading = std::get_if<gateway::RegisterRow>(&row)) check_number(reading->reading);
  if (std::holds_alternative<gateway::WrittenMessage>(row)) return;
  std::string_view name = gateway::meter_of(row);
  while (!name.empty()) {
    const auto c = take_character(name);
    require(c && !is_control(*c), "a control character in a name");
  }
}

void check_rows(std::string_view octets, const std::string& path) {
  auto rows = gateway::rows_of(std::string(octets), path);
  if (!rows) return require(!rows.error().detail.empty(), "an error without a word");
  std::array<std::size_t, 2> counts{};
  std::array<bool, 2> failed{};
  gateway::RowCheck check(path, {});
  for (std::size_t round = 0; round < counts.size(); ++round) {
    while (true) {
      auto row = (*rows)->next();
      failed[round] = !row;
      if (!row) require(row.error().detail.starts_with(path + ":"), row.error().detail);
      if (!row || !*row) break;
      if (path != "x.json") check_row(**row);
      if (round == 0) check.take(**row, counts[round], (*rows)->line());
      ++counts[round];
    }
    (*rows)->rewind();
  }
  require(counts[0] == counts[1] && failed[0] == failed[1], "the second reading is another");
  const auto repeats = check.judge();
  require(!repeats || repeats->size() <= counts[0], "more repeats than rows");
}

// Records that were read are the same when they are written and read again.
void check_round_trip(std::string_view octets) {
  const auto records = read_csv(octets);
  if (!records) return;
  std::ostringstream out;
  for (const CsvRecord& record : *records) write_csv_record(out, record.fields);
  const auto again = read_csv(out.str());
  if (!again)
    return require(again.error().detail.find("more than") != std::string::npos ||
                       again.error().detail.find("never closed") != std::string::npos,
                   again.error().detail);
  require(again->size() == records->size(), "another number of records");
  for (std::size_t i = 0; i < records->size(); ++i)
    require((*again)[i].fields == (*records)[i].fields, "another record");
}

}  // namespace

void fuzz(std::string_view input) {
  static const bool initialized = (xml::initialize(), true);
  static_cast<void>(initialized);
  for (const char* kind : {"json", "xml", "csv"}) {
    const auto word = std::string(kind) + ":";
    if (!input.starts_with(word)) continue;
    input.remove_prefix(word.size());
    if (word != "csv:") return check_rows(input, std::string("x.") + kind);
  }
  check_rows(input, "x.csv");
  check_round_trip(input);
}

}  // namespace district::fuzz
