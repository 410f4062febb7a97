// What master data says of one meter, as of any instant.
// Source: docs/reference/kpi-rules.md section 5. Of several statements with the same valid_from the
// latest received counts. One holds until the next valid_from of its attribute or its own valid_to.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/measurement.h"

namespace district::kpi {

class MasterData {
 public:
  MasterData() = default;
  explicit MasterData(const std::vector<StoredFact>& facts);

  std::optional<std::string> text(std::string_view attribute, Instant at) const;
  // nullopt also when the text is not a finite number.
  std::optional<double> number(std::string_view attribute, Instant at) const;
  // What holds over all of [from, to): a number, or none; nullopt: it changes in between.
  struct Constant {
    std::optional<double> number;
  };
  std::optional<Constant> constant(std::string_view attribute, Instant from, Instant to) const;
  // An ISO 8601 duration of days, hours, minutes and seconds, more than zero and at most a day.
  std::optional<Duration> step(std::string_view attribute, Instant at) const;
  // The value with the latest valid_from.
  std::optional<std::string> latest(std::string_view attribute) const;
  // Every statement on the attribute, by valid_from: {valid_from, value}.
  std::vector<std::pair<Instant, std::string>> all(std::string_view attribute) const;
  // Statements on the attribute that hold at some time in [from, to], by valid_from.
  struct StatedValue {
    Instant from{};
    std::optional<Instant> to;
    std::string value;
    std::uint32_t message_index = 0;
    Origin origin;
  };
  std::vector<StatedValue> statements(std::string_view attribute, Instant from, Instant to) const;

  // The one with the latest valid_from, or none.
  std::vector<StatedValue> last(std::string_view attribute) const;

  // Attributes of which nothing is said here are as the site has them. An exchange is the meter's
  // own: a site, or the meter that at_site names, hands none down.
  void inherit(const MasterData& site);

  // The same statements, whatever envelopes they came in.
  bool says_the_same(const MasterData& other) const;

 private:
  const StatedValue* find(std::string_view attribute, Instant at) const;
  std::map<std::string, std::vector<StatedValue>, std::less<>> statements_;  // by from
};

}  // namespace district::kpi
