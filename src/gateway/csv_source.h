// Reads meter data of a site's export files, row by row: CSV, plain or gzip, told apart by the
// header line; Eibar's installations as JSON; messages that are already written as XML. Numbers
// stay as they are spelled. Files are UTF-8; a line that is not is taken as ISO-8859-1.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace district::gateway {

// Barcelona: what was used from start to end. The optional values are empty where there is none.
struct IntervalRow {
  std::string meter;
  Instant start{};
  Instant end{};
  std::string energy_kwh;
  std::string price_eur_per_kwh;  // optional
  std::string temperature_in_c;   // optional
  std::string temperature_out_c;  // optional
};

// Eibar: power of an installation at an instant.
struct PowerRow {
  std::string installation;
  Instant at{};
  std::string power_w;
};

// Kalundborg: a meter's register at an instant.
struct RegisterRow {
  std::string meter;
  Instant at{};
  std::string reading;
};

// What stays the same about a meter or an installation, until it changes.
struct MasterRow {
  std::string source;                 // house or installation; empty: the file does not say
  std::string meter;                  // empty: the source itself is the meter
  std::optional<Instant> valid_from;  // empty: the file does not say
  std::vector<std::pair<std::string, std::string>> attributes;  // name, value
};

// A message that is already written, of an XML file.
struct WrittenMessage {
  std::string source;
  Instant timestamp{};
  std::string xml;  // the <message> in canonical form
};

using Row = std::variant<IntervalRow, PowerRow, RegisterRow, MasterRow, WrittenMessage>;

// The meter or installation that a row is about; the source of a written message.
const std::string& meter_of(const Row& row);
// Start of the period, instant of the sample, reading or message; nullopt for master data, which no
// selection by time leaves out.
std::optional<Instant> time_of(const Row& row);

// Threads: one source, one thread.
class RowSource {
 public:
  virtual ~RowSource() = default;
  // The next row, or nothing at the end of the file.
  // Errors: gateway_input, with file and line.
  virtual Result<std::optional<Row>> next() = 0;
};

// Errors: file_unreadable; gateway_input where the header line is none that we know.
Result<std::unique_ptr<RowSource>> open_rows(const std::string& path);

}  // namespace district::gateway
