#include "gateway/row_check.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <tuple>

#include "base/characters.h"
#include "base/utf8.h"
#include "gateway/measure.h"

namespace district::gateway {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kNotesMax = 10;  // of one kind in a file; the others are counted
// When so many periods of a meter all start at least kFarApart apart, they are hardly hours, and a
// note says so.
constexpr std::size_t kRowsToSee = 3;
constexpr Duration kFarApart = 2h;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

double value_or_none(const std::string& text) { return value_of(text).value_or(kNone); }

enum class Relation { same, compatible, contradictory };

// Compatible: no value contradicts the other, but one has values that the other lacks.
Relation compare(const std::array<double, 4>& a, const std::array<double, 4>& b) {
  auto relation = Relation::same;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    if (std::isnan(a[i]) || std::isnan(b[i])) {
      relation = Relation::compatible;
    } else if (a[i] != b[i]) {
      return Relation::contradictory;
    }
  }
  return relation;
}

std::string spell(double value) {
  std::array<char, 64> text{};
  const auto [end, problem] = std::to_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc{} ? std::string(text.data(), end) : "?";
}

std::string values_that_differ(const std::array<double, 4>& a, const std::array<double, 4>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isnan(a[i]) && !std::isnan(b[i]) && a[i] != b[i])
      return spell(a[i]) + " and " + spell(b[i]);
  }
  return {};
}

// JSON does not tell its lines.
std::string lines_of(std::size_t first, std::size_t second) {
  if (first == 0 || second == 0) return "two entries";
  return "lines " + std::to_string(first) + " and " + std::to_string(second);
}

std::string unseen_in(std::string_view name) {
  while (!name.empty()) {
    const auto c = take_character(name);
    if (c && (is_unseen(*c) || *c == 0xFFFD)) return describe(*c);
  }
  return {};
}

}  // namespace

std::string RowCheck::where(std::size_t line) const {
  return line == 0 ? path_ : path_ + ":" + std::to_string(line);
}

void RowCheck::look_at(const std::string& name, std::size_t line) {
  if (name.empty() || !seen_.emplace(name, line).second) return;
  const auto note = [this](const std::string& text) {
    if (odd_names_++ < kNotesMax) notes_.push_back(text);
  };
  const auto [alike, is_first] = outlines_.emplace(outline_of(name), std::pair{name, line});
  if (const auto unseen = unseen_in(name); !unseen.empty()) {
    note(where(line) + ": the name \"" + visible(name) + "\" has a character that is not seen (" +
         unseen + "): it is another name than one without it");
  }
  if (!is_first) {
    note(where(line) + ": the names \"" + visible(name) + "\" and \"" +
         visible(alike->second.first) + "\" (line " + std::to_string(alike->second.second) +
         ") look alike, and are two for the server");
  }
}

std::uint32_t RowCheck::index_of(const std::string& source, const std::string& meter,
                                 std::size_t line) {
  look_at(source, line);
  look_at(meter, line);
  const auto shown = meter.empty() ? source : source + "/" + meter;
  const auto [found, is_new] =
      meters_.emplace(source + '\n' + meter, static_cast<std::uint32_t>(names_.size()));
  if (is_new) names_.push_back(shown);
  return found->second;
}

void RowCheck::conflict(const std::string& text) {
  if (conflicts_++ == 0) first_conflict_ = text;
}

void RowCheck::take_statements(const MasterRow& row, std::size_t line) {
  const auto& source = source_.empty() ? row.source : source_;
  look_at(source, line);
  look_at(row.meter, line);
  const auto from = row.valid_from ? format_instant(*row.valid_from) : std::string();
  for (const auto& [name, value] : row.attributes) {
    const auto key = source + '\n' + row.meter + '\n' + from + '\n' + name;
    const auto [found, is_new] = statements_.emplace(key, SeenValue{value, line});
    if (is_new || found->second.value == value) continue;
    conflict(path_ + ": " + lines_of(found->second.line, line) + " state two values for " + name +
             " of " + visible(row.meter.empty() ? source : row.meter) + ": " +
             visible(found->second.value) + " and " + visible(value));
  }
}

void RowCheck::take(const Row& row, std::size_t ordinal, std::size_t line) {
  Entry entry;
  entry.line = static_cast<std::uint32_t>(line);
  entry.ordinal = ordinal;
  entry.values.fill(kNone);
  const auto of = [&](const std::string& own) { return source_.empty() ? own : source_; };
  if (const auto* interval = std::get_if<IntervalRow>(&row)) {
    look_at(interval->meter, line);
    entry.meter = index_of(of(interval->meter), {}, line);
    entry.start = interval->start;
    entry.end = interval->end;
    entry.end_is_given = interval->end_is_given;
    entry.values = {value_or_none(interval->energy_kwh), value_or_none(interval->price_eur_per_kwh),
                    value_or_none(interval->temperature_in_c),
                    value_or_none(interval->temperature_out_c)};
  } else if (const auto* power = std::get_if<PowerRow>(&row)) {
    look_at(power->installation, line);
    entry.meter = index_of(of(power->installation), {}, line);
    entry.start = entry.end = power->at;
    entry.values[0] = value_or_none(power->power_w);
  } else if (const auto* reading = std::get_if<RegisterRow>(&row)) {
    entry.meter = index_of(source_, reading->meter, line);
    entry.start = entry.end = reading->at;
    entry.values[0] = value_or_none(reading->reading);
  } else if (const auto* master = std::get_if<MasterRow>(&row)) {
    return take_statements(*master, line);
  } else {
    const auto& written = std::get<WrittenMessage>(row);
    look_at(written.source, line);
    if (!written.claim) return;
    entry.meter = index_of(written.claim->source, written.claim->meter, line);
    entry.start = written.claim->start;
    entry.end = written.claim->end;
    for (std::size_t i = 0; i < entry.values.size(); ++i)
      entry.values[i] = written.claim->values[i].value_or(kNone);
  }
  entries_.push_back(entry);
}

std::string RowCheck::both(const Entry& first, const Entry& second) const {
  const auto& name = names_[first.meter];
  const auto period = first.start == first.end ? "at " + format_instant(first.start, 0)
                                               : "from " + format_instant(first.start, 0) + " to " +
                                                     format_instant(first.end, 0);
  return path_ + ": " +
         lines_of(std::min(first.line, second.line), std::max(first.line, second.line)) +
         " give two values for one period of " + visible(name) + ", " + period + ": " +
         values_that_differ(first.values, second.values);
}

// Notes the meters whose file has no ends of periods, so that the periods are taken for hours,
// although they never start an hour apart.
void RowCheck::look_at_distances() {
  for (std::size_t first = 0, next = 0; first < entries_.size(); first = next) {
    auto nearest = Duration::max();
    for (next = first + 1; next < entries_.size() && entries_[next].meter == entries_[first].meter;
         ++next) {
      const auto distance = entries_[next].start - entries_[next - 1].start;
      if (distance > Duration{}) nearest = std::min(nearest, distance);
    }
    const bool no_ends = std::none_of(
        entries_.begin() + static_cast<std::ptrdiff_t>(first),
        entries_.begin() + static_cast<std::ptrdiff_t>(next),
        [](const Entry& entry) { return entry.end_is_given || entry.start == entry.end; });
    if (!no_ends || next - first < kRowsToSee || nearest < kFarApart) continue;
    notes_.push_back(path_ + ": without period_end_utc a period is an hour, but those of " +
                     visible(names_[entries_[first].meter]) + " are at least " +
                     std::to_string(std::chrono::floor<std::chrono::hours>(nearest).count()) +
                     " h apart: if they are longer, add the column");
    if (notes_.size() > kNotesMax) return;
  }
}

Result<std::vector<std::size_t>> RowCheck::judge() {
  std::ranges::sort(entries_, {}, [](const Entry& entry) {
    return std::tuple{entry.meter, entry.start, entry.end, entry.ordinal};
  });
  std::vector<std::size_t> repeats;
  std::size_t told = 0;
  for (std::size_t first = 0; first < entries_.size();) {
    const auto& base = entries_[first];
    // The different rows so far. They agree with each other, so there are few.
    std::vector<std::size_t> kept{first};
    std::size_t next = first + 1;
    for (; next < entries_.size(); ++next) {
      const auto& other = entries_[next];
      if (other.meter != base.meter || other.start != base.start || other.end != base.end) break;
      auto relation = Relation::compatible;
      std::size_t with = first;
      for (std::size_t i = 0; i < kept.size() && relation == Relation::compatible; ++i) {
        with = kept[i];
        relation = compare(entries_[with].values, other.values);
      }
      if (relation == Relation::contradictory) conflict(both(entries_[with], other));
      if (relation == Relation::compatible) kept.push_back(next);
      if (relation != Relation::same) continue;
      repeats.push_back(other.ordinal);
      if (told++ < kNotesMax) {
        notes_.push_back(where(other.line) + ": the same as line " +
                         std::to_string(entries_[with].line) + "; it is sent once");
      }
    }
    if (next < entries_.size() && !base.end_is_given && entries_[next].meter == base.meter &&
        entries_[next].start < base.end) {
      conflict(path_ + ": without period_end_utc a period is an hour, but lines " +
               std::to_string(base.line) + " and " + std::to_string(entries_[next].line) + " of " +
               visible(names_[base.meter]) + " start closer together");
    }
    first = next;
  }
  look_at_distances();
  if (told > kNotesMax)
    notes_.push_back(path_ + ": " + std::to_string(told - kNotesMax) + " more lines are repeats");
  if (odd_names_ > kNotesMax) {
    notes_.push_back(path_ + ": " + std::to_string(odd_names_ - kNotesMax) +
                     " more notes on names");
  }
  if (conflicts_ > 0) {
    const auto more = conflicts_ - 1;
    return fail(
        ErrorCode::gateway_input,
        first_conflict_ + (more == 0 ? "" : "; and " + std::to_string(more) + " more like it"),
        "nothing was sent: leave the wrong line out; a correction of what was sent before "
        "is a file of its own");
  }
  std::ranges::sort(repeats);
  return repeats;
}

}  // namespace district::gateway
