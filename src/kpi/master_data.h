// The master data of one meter, as of any instant.
// Source: docs/reference/kpi-rules.md section 5. Of several statements with the same valid_from,
// the one received last counts. It holds until the next valid_from of its attribute, or until its
// own valid_to. To look one up takes time in the logarithm of their number.
#pragma once

#include <map>
#include <memory>
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
  // nullopt: nothing is stated, or the text is not a finite number.
  std::optional<double> number(std::string_view attribute, Instant at) const;
  // What holds over all of [from, to): a number, or that there is none. nullopt: it changes in
  // between.
  struct Constant {
    std::optional<double> number;
  };
  std::optional<Constant> constant(std::string_view attribute, Instant from, Instant to) const;
  // An ISO 8601 duration of days, hours, minutes and seconds, more than zero and at most a day.
  std::optional<Duration> step(std::string_view attribute, Instant at) const;
  // The value with the latest valid_from.
  std::optional<std::string> latest(std::string_view attribute) const;
  struct StatedValue {
    Instant from{};
    std::optional<Instant> to;
    std::string value;
    std::uint32_t message_index = 0;
    Origin origin;
  };
  // Statements on the attribute that hold at some time in [from, to], by valid_from.
  std::vector<StatedValue> statements(std::string_view attribute, Instant from, Instant to) const;
  // The statement with the latest valid_from; nullptr: there is none. It is part of this object.
  const StatedValue* last(std::string_view attribute) const;
  // How many statements there are, without those that others replace.
  std::size_t size() const;

  // Takes attributes that are not stated here from the site, whose statements it then shares.
  // Statements on an exchange of meters are not taken, neither from a site nor from the meter that
  // at_site names: they belong to one meter.
  void inherit(const MasterData& site);

  // Whether the statements are the same, in whatever envelopes they came.
  bool says_the_same(const MasterData& other) const;

 private:
  using Statements = std::vector<StatedValue>;  // by from; not empty
  const Statements* on(std::string_view attribute) const;
  const StatedValue* find(std::string_view attribute, Instant at) const;
  // Many meters may have the statements of one site, so they are shared, and never change.
  std::map<std::string, std::shared_ptr<const Statements>, std::less<>> statements_;
};

}  // namespace district::kpi
