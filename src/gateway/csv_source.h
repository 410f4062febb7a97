// Reads meter data from a site's export files, row by row. They are CSV, plain or gzip, whose kind
// is known by the header line; Eibar's installations as JSON; or messages that are already written,
// as XML. Numbers stay as they are spelled, except that exponents are written out. Text is UTF-8. A
// line that is not is taken as ISO-8859-1, with a note.
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

// Barcelona: what was used from start to end. An optional value is empty when there is none.
struct IntervalRow {
  std::string meter;
  Instant start{};
  Instant end{};
  std::string energy_kwh;
  std::string price_eur_per_kwh;  // optional
  std::string temperature_in_c;   // optional
  std::string temperature_out_c;  // optional
  bool end_is_given = true;       // false: the file has no ends, and the period is an hour
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

// What is known of a meter or an installation, until it changes.
struct MasterRow {
  std::string source;                 // house or installation; empty: the file has none
  std::string meter;                  // empty: the source itself is the meter
  std::optional<Instant> valid_from;  // nullopt: the file has none
  std::vector<std::pair<std::string, std::string>> attributes;  // name, value
};

// What a row says was measured, and of which meter. It is for finding two values for one period. A
// quantity has the same place in all rows of a source; a row without it has no value there.
struct Claim {
  std::string source;
  std::string meter;  // empty: the source is the meter
  Instant start{};
  Instant end{};  // equal to start: an instant
  std::array<std::optional<double>, 4> values;
};

// A message that is already written, from an XML file.
struct WrittenMessage {
  std::string source;
  Instant timestamp{};
  std::string xml;             // the <message> in canonical form
  std::optional<Claim> claim;  // for types with one measured thing in a message
};

using Row = std::variant<IntervalRow, PowerRow, RegisterRow, MasterRow, WrittenMessage>;

// The meter or installation that a row is about; for a written message, its source.
const std::string& meter_of(const Row& row);
// The start of the period, or the instant of the sample, reading or message. nullopt for master
// data, which are sent whatever times are selected.
std::optional<Instant> time_of(const Row& row);

// The rows of one file, which is in memory. Threads: one source, one thread.
class RowSource {
 public:
  virtual ~RowSource() = default;
  // The next row, or nothing at the end of the file.
  // Errors: gateway_input, with file and line.
  virtual Result<std::optional<Row>> next() = 0;
  // Begins again with the first row.
  virtual void rewind() = 0;
  // The line of the last row, from 1; 0: not known.
  virtual std::size_t line() const = 0;
  // Notes on what the file has that is not sent, and on guesses that were made in reading it.
  const std::vector<std::string>& notes() const { return notes_; }

 protected:
  std::vector<std::string> notes_;
};

// Errors: file_unreadable; gateway_input when the header line is not a known one.
Result<std::unique_ptr<RowSource>> open_rows(const std::string& path);
// The same for a text that has been read. `path` names it and tells its kind.
Result<std::unique_ptr<RowSource>> rows_of(const std::string& octets, const std::string& path);

}  // namespace district::gateway
