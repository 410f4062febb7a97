// Finds what the site should know before anything is sent: two values for one period, and names
// that only look alike.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "gateway/csv_source.h"

namespace district::gateway {

// Takes all rows of one file that are selected. Threads: one at a time.
class RowCheck {
 public:
  // source: the value of --source; empty: each row has its own.
  RowCheck(std::string path, std::string source)
      : path_(std::move(path)), source_(std::move(source)) {}

  // `ordinal`: the number of the row in its file, counting rows that are not selected. `line`: 0 if
  // not known.
  void take(const Row& row, std::size_t ordinal, std::size_t line);

  // The ordinals, in order, of rows that repeat another one. They need not be sent.
  // Errors: gateway_input, naming both lines: two values for one period of one meter, or periods
  // without an end that are closer than an hour.
  Result<std::vector<std::size_t>> judge();

  // To be called after judge(). Each note is one line for people.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  struct Entry {
    std::uint32_t meter = 0;  // index of names
    std::uint32_t line = 0;
    std::size_t ordinal = 0;
    Instant start{};
    Instant end{};
    std::array<double, 4> values{};  // not a number: none
    bool end_is_given = true;
  };
  struct SeenValue {
    std::string value;
    std::size_t line = 0;
  };

  std::uint32_t index_of(const std::string& source, const std::string& meter, std::size_t line);
  void look_at(const std::string& name, std::size_t line);
  void take_statements(const MasterRow& row, std::size_t line);
  std::string where(std::size_t line) const;
  std::string both(const Entry& first, const Entry& second) const;
  void conflict(const std::string& text);
  void look_at_distances();

  std::string path_, source_;
  std::vector<Entry> entries_;
  std::map<std::string, std::uint32_t> meters_;  // by name for people: SOURCE or SOURCE/METER
  std::vector<std::string> names_;
  std::map<std::string, std::pair<std::string, std::size_t>> outlines_;  // their name and line
  std::map<std::string, std::size_t> seen_;                              // names
  std::map<std::string, SeenValue> statements_;
  std::vector<std::string> notes_;
  std::string first_conflict_;
  std::size_t conflicts_ = 0;
  std::size_t odd_names_ = 0;
};

}  // namespace district::gateway
