#include "gateway/written_source.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

#include "base/bytes.h"
#include "base/characters.h"
#include "base/near_name.h"
#include "gateway/measure.h"
#include "xml/document.h"

namespace district::gateway {
namespace {

using Json = nlohmann::json;

class ListSource final : public RowSource {
 public:
  ListSource(std::vector<Row> rows, std::vector<std::size_t> lines, std::vector<std::string> notes)
      : rows_(std::move(rows)), lines_(std::move(lines)) {
    notes_ = std::move(notes);
  }
  Result<std::optional<Row>> next() final {
    if (position_ == rows_.size()) return std::optional<Row>{};
    return std::optional<Row>{rows_[position_++]};
  }
  void rewind() final { position_ = 0; }
  std::size_t line() const final {
    return position_ == 0 || position_ > lines_.size() ? 0 : lines_[position_ - 1];
  }

 private:
  std::vector<Row> rows_;
  std::vector<std::size_t> lines_;
  std::size_t position_ = 0;
};

// The shortest decimal that reads back as the same value.
std::string spell(double value) {
  std::array<char, 512> buffer{};
  const auto [end, problem] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
  return problem == std::errc{} ? std::string(buffer.data(), end) : std::string{};
}

// Collects the names of members that are not read, each once.
class Unread {
 public:
  void look_at(const Json& object, std::span<const std::string> known) {
    for (const auto& [name, value] : object.items()) {
      if (std::ranges::find(known, name) != known.end() || !seen_.insert(name).second) continue;
      names_ += (names_.empty() ? "" : ", ") + visible(name) + did_you_mean(name, known);
    }
  }
  const std::string& names() const { return names_; }

 private:
  std::set<std::string> seen_;
  std::string names_;
};

const std::array<std::string, 5> kInstallationMembers = {
    "luminaires", "system_power_w_per_luminaire", "on_threshold_w", "additional_power_w", "areas"};
const std::array<std::string, 2> kAreaMembers = {"area_m2", "maintained_illuminance_lx"};

// EN 13201-5: areas A_i with their maintained illuminance E_i; the indicators need the sums of A_i
// and of E_i * A_i.
MasterRow installation_row(const std::string& name, const Json& entry, Unread& unread) {
  MasterRow row;
  row.source = name;
  const double installed_w = entry.at("luminaires").get<double>() *
                                 entry.at("system_power_w_per_luminaire").get<double>() +
                             entry.value("additional_power_w", 0.0);
  row.attributes = {{"medium", "lighting"},
                    {"unit", "W"},
                    {"on_threshold_w", spell(entry.at("on_threshold_w").get<double>())},
                    {"installed_power_w", spell(installed_w)}};
  unread.look_at(entry, kInstallationMembers);
  double area_m2 = 0;
  double illuminance_area_lx_m2 = 0;
  for (const auto& area : entry.value("areas", Json::array())) {
    area_m2 += area.at("area_m2").get<double>();
    illuminance_area_lx_m2 +=
        area.at("area_m2").get<double>() * area.at("maintained_illuminance_lx").get<double>();
    unread.look_at(area, kAreaMembers);
  }
  if (area_m2 > 0) {
    row.attributes.emplace_back("lit_area_m2", spell(area_m2));
    row.attributes.emplace_back("illuminance_area_lx_m2", spell(illuminance_area_lx_m2));
  }
  return row;
}

struct Parsed {
  Json document;
  std::string name_given_twice;  // the parser silently keeps only one of the two members
};

// Throws Json::exception.
Parsed parse(const std::string& text) {
  Parsed parsed;
  std::vector<std::set<std::string>> open;
  const auto watch = [&](int, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) open.emplace_back();
    if (event == Json::parse_event_t::object_end) open.pop_back();
    if (event == Json::parse_event_t::key && !open.back().insert(value.get<std::string>()).second)
      parsed.name_given_twice = value.get<std::string>();
    return true;
  };
  parsed.document = Json::parse(text, watch);
  return parsed;
}

// The <messages> of the Body of a request, or alone.
xml::Element find_messages(xml::Element element) {
  if (element.is("", "messages")) return element;
  for (const xml::Element child : element.children()) {
    if (const xml::Element found = find_messages(child)) return found;
  }
  return {};
}

xml::Element element_at(xml::Element element, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    element = element.child("", name);
    if (!element) return {};
  }
  return element;
}

// The text of the element to which the names lead; empty when there is none.
std::string text_at(xml::Element element, std::initializer_list<const char*> names) {
  const xml::Element found = element_at(element, names);
  return found ? found.trimmed_text() : std::string();
}

// The claim of a message of one of the pilots' types, whose elements occur once each; nullopt for
// any other type.
std::optional<Claim> claim_of(xml::Element message, const WrittenMessage& written) {
  const xml::Element content = element_at(message, {"content", "gcontent"});
  if (!content) return std::nullopt;
  constexpr std::array kEnergy = {"energy_measure", "energy_price", "temperature_in",
                                  "temperature_out"};
  constexpr std::array kSamples = {"consumer_measure", "Consumer_measure"};
  Claim claim{written.source,
              text_at(content, {"ID_Meter_consumption"}),
              written.timestamp,
              written.timestamp,
              {}};
  std::size_t known = 0;
  const auto take = [&](const char* name, std::size_t index) {
    const auto count = content.count("", name);
    known += count;
    if (count == 1) claim.values[index] = value_of(text_at(content, {name}));
    return count < 2;
  };
  bool single = true;
  for (std::size_t i = 0; i < kEnergy.size(); ++i) single = take(kEnergy[i], i) && single;
  for (const char* name : kSamples) single = take(name, 0) && single;
  if (!single || known == 0) return std::nullopt;
  const auto start = parse_date_time(text_at(content, {"measure_timestamp_start"}));
  const auto end = parse_date_time(text_at(content, {"measure_timestamp_end"}));
  if (start && end) {
    claim.start = *start;
    claim.end = *end;
  }
  return claim;
}

Result<WrittenMessage> read_message(xml::Element element, const std::string& path) {
  WrittenMessage message;
  message.source = text_at(element, {"head", "messageSource", "messageSourceElement"});
  const auto timestamp = parse_date_time(text_at(element, {"head", "timestamp"}));
  if (message.source.empty() || !timestamp) {
    return fail(ErrorCode::gateway_input,
                path + ":" + std::to_string(element.line()) +
                    ": a message without a messageSourceElement or a timestamp with a zone");
  }
  message.timestamp = *timestamp;
  message.claim = claim_of(element, message);
  DISTRICT_TRY(message.xml, xml::canonicalize(element));
  return message;
}

}  // namespace

Result<std::unique_ptr<RowSource>> installations_of(const std::string& text,
                                                    const std::string& path) {
  try {
    const auto [document, twice] = parse(text);
    if (!twice.empty()) {
      return fail(ErrorCode::gateway_input, path + ": \"" + visible(twice) + "\" is given twice",
                  "leave one of them out");
    }
    std::vector<Row> rows;
    Unread unread;
    for (const auto& [name, entry] : document.items())
      rows.emplace_back(installation_row(name, entry, unread));
    std::vector<std::string> notes;
    if (!unread.names().empty()) notes.push_back(path + ": not sent: " + unread.names());
    return std::make_unique<ListSource>(std::move(rows), std::vector<std::size_t>{},
                                        std::move(notes));
  } catch (const Json::exception& problem) {
    return fail(ErrorCode::gateway_input, path + ": " + problem.what(),
                "each installation needs luminaires, system_power_w_per_luminaire and "
                "on_threshold_w");
  }
}

Result<std::unique_ptr<RowSource>> messages_of(const std::string& text, const std::string& path) {
  auto document = xml::Document::parse(as_bytes(text));
  if (!document) return fail(ErrorCode::gateway_input, path + ": " + document.error().detail);
  std::vector<Row> rows;
  std::vector<std::size_t> lines;
  if (const xml::Element messages = find_messages((*document)->root())) {
    for (const xml::Element element : messages.children()) {
      DISTRICT_TRY(auto message, read_message(element, path));
      rows.emplace_back(std::move(message));
      lines.push_back(static_cast<std::size_t>(std::max(element.line(), 0L)));
    }
  }
  if (rows.empty()) return fail(ErrorCode::gateway_input, path + ": no <messages> in it");
  return std::make_unique<ListSource>(std::move(rows), std::move(lines),
                                      std::vector<std::string>{});
}

}  // namespace district::gateway
