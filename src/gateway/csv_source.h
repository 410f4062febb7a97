// Reads meter data of a site's export files, row by row: CSV, plain or gzip, told apart by the
// header line; Eibar's installations as JSON; messages that are already written as XML. Numbers
// stay as they are spelled, but for exponents. Text is UTF-8; a line that is not is taken as
// ISO-8859-1, and said so.
#pragma once

#include <array>
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
  bool end_is_given = true;       // false: the file says no ends, and the period is an hour
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

// What a row says was measured of whom, for finding two values for one period. A quantity is the
// same in all rows of a source; what a row does not say has no value.
struct Claim {
  std::string source;
  std::string meter;  // empty: the source is the meter
  Instant start{};
  Instant end{};  // start: an instant
  std::array<std::optional<double>, 4> values;
};

// A message that is already written, of an XML file.
struct WrittenMessage {
  std::string source;
  Instant timestamp{};
  std::string xml;             // the <message> in canonical form
  std::optional<Claim> claim;  // of the types that measure one thing a message
};

using Row = std::variant<IntervalRow, PowerRow, RegisterRow, MasterRow, WrittenMessage>;

// The meter or installation that a row is about; the source of a written message.
const std::string& meter_of(const Row& row);
// Start of the period, instant of the sample, reading or message; nullopt for master data, which no
// selection by time leaves out.
std::optional<Instant> time_of(const Row& row);

// The rows of one file, which is in memory. Threads: one source, one thread.
class RowSource {
 public:
  virtual ~RowSource() = default;
  // The next row, or nothing at the end of the file.
  // Errors: gateway_input, with file and line.
  virtual Result<std::optional<Row>> next() = 0;
  // The next row is the first again.
  virtual void rewind() = 0;
  // Of the last row, from 1; 0: not known.
  virtual std::size_t line() const = 0;
  // What the file has that is not sent, and how it was read where that was a guess.
  const std::vector<std::string>& notes() const { return notes_; }

 protected:
  std::vector<std::string> notes_;
};

// Errors: file_unreadable; gateway_input where the header line is none that we know.
Result<std::unique_ptr<RowSource>> open_rows(const std::string& path);
// The same for a text that is there; `path` names it and tells its kind.
Result<std::unique_ptr<RowSource>> rows_of(const std::string& octets, const std::string& path);

}  // namespace district::gateway
