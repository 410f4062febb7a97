#include "kpi/master_data.h"

#include <algorithm>
#include <tuple>

#include "base/number.h"

namespace district::kpi {
namespace {

// P[nD][T[nH][nM][nS]]; ISO 8601-1 section 5.5.2, without the parts that have no fixed length.
std::optional<Duration> parse_step(std::string_view text) {
  using namespace std::chrono_literals;
  if (!text.starts_with('P')) return std::nullopt;
  text.remove_prefix(1);
  std::chrono::duration<double> total{};
  std::string_view units = "DTHMS";
  bool in_time = false;
  while (!text.empty()) {
    if (text.front() == 'T' && !in_time) {
      in_time = true;
      text.remove_prefix(1);
      continue;
    }
    const auto length = text.find_first_not_of("0123456789.");
    if (length == 0 || length == std::string_view::npos) return std::nullopt;
    const auto number = parse_finite_number(text.substr(0, length));
    const auto unit = units.find(text[length]);
    const bool of_time = text[length] != 'D';
    if (!number || unit == std::string_view::npos || text[length] == 'T' || of_time != in_time)
      return std::nullopt;
    units.remove_prefix(unit + 1);  // each unit once, in this order
    const auto seconds = text[length] == 'D'   ? 86400.0
                         : text[length] == 'H' ? 3600.0
                         : text[length] == 'M' ? 60.0
                                               : 1.0;
    total += std::chrono::duration<double>(*number * seconds);
    text.remove_prefix(length + 1);
  }
  if (total <= 0s || total > 24h) return std::nullopt;
  return std::chrono::round<Duration>(total);
}

// Statements on an exchange are never inherited: a site's replaces_meter is about another meter.
bool is_of_exchange(std::string_view attribute) {
  return attribute == "replaces_meter" || attribute == "replaced_final_register" ||
         attribute == "initial_register";
}

// The first statement that begins after the instant.
template <typename Statements>
auto first_later(const Statements& statements, Instant at) {
  return std::upper_bound(statements.begin(), statements.end(), at,
                          [](Instant instant, const auto& s) { return instant < s.from; });
}

}  // namespace

MasterData::MasterData(const std::vector<StoredFact>& facts) {
  std::map<std::string, Statements> stated;
  for (const auto& [fact, origin] : facts) {
    stated[fact.attribute].push_back(
        {fact.valid_from, fact.valid_to, fact.value, fact.message_index, origin});
  }
  for (auto& [attribute, statements] : stated) {
    const auto order = [](const StatedValue& s) {
      return std::tie(s.from, s.origin.received_at, s.origin.leaf_index, s.message_index);
    };
    std::sort(statements.begin(), statements.end(),
              [&](const auto& a, const auto& b) { return order(a) < order(b); });
    // Of statements with the same start, keep the last one, which was received last.
    std::reverse(statements.begin(), statements.end());
    const auto end = std::unique(statements.begin(), statements.end(),
                                 [](const auto& a, const auto& b) { return a.from == b.from; });
    statements.erase(end, statements.end());
    std::reverse(statements.begin(), statements.end());
    statements_.emplace(attribute, std::make_shared<const Statements>(std::move(statements)));
  }
}

const MasterData::Statements* MasterData::on(std::string_view attribute) const {
  const auto found = statements_.find(attribute);
  return found == statements_.end() ? nullptr : found->second.get();
}

const MasterData::StatedValue* MasterData::find(std::string_view attribute, Instant at) const {
  const auto* statements = on(attribute);
  if (statements == nullptr) return nullptr;
  const auto after = first_later(*statements, at);
  if (after == statements->begin()) return nullptr;
  const auto& statement = *std::prev(after);
  return statement.to && *statement.to <= at ? nullptr : &statement;
}

std::optional<std::string> MasterData::text(std::string_view attribute, Instant at) const {
  const auto* statement = find(attribute, at);
  if (statement == nullptr) return std::nullopt;
  return statement->value;
}

std::optional<double> MasterData::number(std::string_view attribute, Instant at) const {
  const auto* statement = find(attribute, at);
  if (statement == nullptr) return std::nullopt;
  return parse_finite_number(statement->value);
}

std::optional<MasterData::Constant> MasterData::constant(std::string_view attribute, Instant from,
                                                         Instant to) const {
  const auto* statements = on(attribute);
  if (statements == nullptr) return Constant{};
  const auto changes = [from, to](Instant at) { return at > from && at < to; };
  const auto after = first_later(*statements, from);
  if (after != statements->end() && changes(after->from)) return std::nullopt;
  // Only the statement that holds at `from` can end in between: the ones before it have ended.
  if (after != statements->begin()) {
    const auto& end = std::prev(after)->to;
    if (end && changes(*end)) return std::nullopt;
  }
  return Constant{number(attribute, from)};
}

std::optional<Duration> MasterData::step(std::string_view attribute, Instant at) const {
  const auto* statement = find(attribute, at);
  if (statement == nullptr) return std::nullopt;
  return parse_step(statement->value);
}

std::optional<std::string> MasterData::latest(std::string_view attribute) const {
  const auto* statement = last(attribute);
  if (statement == nullptr) return std::nullopt;
  return statement->value;
}

std::vector<MasterData::StatedValue> MasterData::statements(std::string_view attribute,
                                                            Instant from, Instant to) const {
  std::vector<StatedValue> result;
  const auto* statements = on(attribute);
  if (statements == nullptr) return result;
  auto first = first_later(*statements, from);
  if (first != statements->begin()) --first;  // it holds at `from`, unless it has ended
  for (auto statement = first; statement != statements->end() && statement->from <= to;
       ++statement) {
    if (!statement->to || *statement->to > from) result.push_back(*statement);
  }
  return result;
}

const MasterData::StatedValue* MasterData::last(std::string_view attribute) const {
  const auto* statements = on(attribute);
  return statements == nullptr ? nullptr : &statements->back();
}

std::size_t MasterData::size() const {
  std::size_t size = 0;
  for (const auto& [attribute, statements] : statements_) size += statements->size();
  return size;
}

void MasterData::inherit(const MasterData& site) {
  for (const auto& [attribute, statements] : site.statements_) {
    if (is_of_exchange(attribute)) continue;
    // A site's zone has a name of its own in messages.
    statements_.emplace(attribute == "site_zone" ? "zone" : attribute, statements);
  }
}

bool MasterData::says_the_same(const MasterData& other) const {
  const auto same = [](const StatedValue& a, const StatedValue& b) {
    return a.from == b.from && a.to == b.to && a.value == b.value;
  };
  return std::equal(statements_.begin(), statements_.end(), other.statements_.begin(),
                    other.statements_.end(), [&](const auto& a, const auto& b) {
                      return a.first == b.first &&
                             std::equal(a.second->begin(), a.second->end(), b.second->begin(),
                                        b.second->end(), same);
                    });
}

}  // namespace district::kpi
