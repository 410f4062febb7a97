// What districtctl writes: listings on stdout, as tables for people or as JSON and CSV for
// programs; `error:`, `hint:` and `note:` lines and progress on stderr.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace district::admin {

// csv: a text that a spreadsheet would take for a formula gets an apostrophe before it, and
// invisible characters are replaced; see csv_text(). csv_exact: texts stay as they are.
enum class Format { table, json, csv, csv_exact };
inline bool is_csv(Format format) { return format == Format::csv || format == Format::csv_exact; }

// Members keep the order in which they were added.
using Json = nlohmann::ordered_json;

// How many columns a text takes on a terminal. Combining marks take none, wide characters two.
std::size_t display_width(std::string_view utf8);
// The JSON for programs: all digits of every number, and safe on a terminal.
std::string dump(const Json& value, int indent = -1);

// One column of a listing.
struct Column {
  std::string key;      // snake_case, the CSV column's name; JSON has it in lowerCamelCase
  std::string heading;  // in tables; empty: only JSON and CSV have this column
  bool right_aligned = false;
};

// A value for programs, and the text that people see.
struct Cell {
  Json value;
  std::string shown;

  Cell(std::string text) : value(text), shown(std::move(text)) {}
  Cell(const char* text) : Cell(std::string(text)) {}
  Cell(std::uint64_t number) : value(number), shown(std::to_string(number)) {}
  Cell(Json machine, std::string human) : value(std::move(machine)), shown(std::move(human)) {}
};

// Rows with the same columns. As JSON, an array with one object for each row. A list is an array in
// JSON, and is joined by blanks in CSV. null is empty in CSV.
class Listing {
 public:
  explicit Listing(std::vector<Column> columns) : columns_(std::move(columns)) {}

  void add(std::vector<Cell> row);  // as many cells as columns
  bool empty() const { return rows_.empty(); }
  std::size_t size() const { return rows_.size(); }
  Json json() const;  // the array
  void write(std::ostream& out, Format format) const;

 private:
  void write_table(std::ostream& out) const;
  void write_json(std::ostream& out) const;
  void write_csv(std::ostream& out, bool exact) const;
  Json object_of(const std::vector<Cell>& row) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// Names with their values, one on each line, for a single object; as JSON, one object.
class Details {
 public:
  void add(std::string key, std::string heading, Cell cell);
  void write(std::ostream& out, Format format) const;

 private:
  struct Item {
    std::string key, heading;
    Cell cell;
  };
  std::vector<Item> items_;
};

Cell cell_of(Instant instant, int fraction_digits = 0);  // JSON: ISO 8601, UTC
Cell cell_of(const std::optional<Instant>& instant);     // whole seconds; nullopt: null
// JSON has all digits. People see it rounded to `decimals`; a small number gets so many more that
// four digits of it remain.
Cell cell_of(const std::optional<double>& value, int decimals);
// A number with exactly `decimals` decimals, so that numbers in one column can be compared.
std::string fixed(double value, int decimals);
// A share of 1. It is shown as 1.000 only if it is exactly 1.
Cell share_cell(double share);
Cell cell_of(const std::vector<std::string>& texts, std::string_view when_empty);
// 42317 to "42 317".
std::string grouped(std::uint64_t number);
// "1 leaf", "42 317 leaves": the plural is the noun with an s unless it is given.
std::string counted(std::uint64_t number, const std::string& noun, const std::string& plural = {});

class Terminal {
 public:
  // `live`: stderr is a terminal, so that progress can overwrite its line.
  Terminal(std::ostream& out, std::ostream& err, bool live) : out_(out), err_(err), live_(live) {}

  std::ostream& out() { return out_; }
  std::ostream& err() { return err_; }
  bool live() const { return live_; }
  void error(const Error& error);  // with its violations and hint
  void note(std::string_view text);

 private:
  std::ostream& out_;
  std::ostream& err_;
  bool live_;
};

// Tells on stderr how far long work has come: on a terminal by a line that overwrites itself,
// otherwise by a line every few seconds. Work that ends quickly shows nothing.
class Progress {
 public:
  Progress(Terminal& terminal, std::string what) : terminal_(terminal), what_(std::move(what)) {}
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(std::uint64_t done, std::uint64_t total);

 private:
  using SteadyClock = std::chrono::steady_clock;
  Terminal& terminal_;
  std::string what_;
  SteadyClock::time_point shown_at_ = SteadyClock::now();
  bool line_is_open_ = false;
};

}  // namespace district::admin
