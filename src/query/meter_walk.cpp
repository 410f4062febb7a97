#include "query/meter_walk.h"

#include <algorithm>
#include <set>

#include "base/near_name.h"

namespace district::query {
namespace {

constexpr std::size_t kReadAtOnce = 256;

}  // namespace

MeterWalk::MeterWalk(const Question& question, std::vector<std::string> tenants)
    : series_(question.series),
      tenants_(std::move(tenants)),
      source_(question.parameters.text("source")),
      meter_(question.parameters.text("meter")) {}

Result<MeterWalk> MeterWalk::from(const Question& question, MeterKey begin) {
  DISTRICT_TRY(auto tenants, question.tenants());
  MeterWalk walk(question, std::move(tenants));
  const auto& all = walk.tenants_;
  const auto first = std::ranges::lower_bound(all, begin.tenant);
  if (begin == MeterKey{}) DISTRICT_CHECK(walk.check_names());
  walk.tenant_ = static_cast<std::size_t>(first - all.begin());
  if (first != all.end() && *first == begin.tenant) walk.begin_ = std::move(begin);
  return walk;
}

Result<Ok> MeterWalk::check_names() const {
  if (!source_ && !meter_) return Ok{};
  std::set<std::string> names;
  for (const auto& tenant : tenants_) {
    DISTRICT_TRY(const auto found,
                 store::meters_from(series_, {tenant, "", ""}, source_, meter_, 1));
    if (!found.empty()) return Ok{};
    // The names to suggest are those of meters or, if the source is not known, those of sources.
    DISTRICT_TRY(const auto of_source,
                 store::meters_from(series_, {tenant, "", ""}, source_, {}, kReadAtOnce));
    for (const auto& meter : of_source) names.insert(meter.key.meter);
  }
  const bool source_unknown = names.empty() && source_;
  if (source_unknown) {
    for (const auto& tenant : tenants_) {
      DISTRICT_TRY(const auto all,
                   store::meters_from(series_, {tenant, "", ""}, {}, {}, kReadAtOnce));
      for (const auto& meter : all) names.insert(meter.key.source);
    }
  }
  const auto& name = source_unknown ? *source_ : *meter_;
  const std::vector<std::string> known(names.begin(), names.end());
  return fail(ErrorCode::not_found,
              (source_unknown ? "you see no source '" : "there is no such meter '") + name + "'" +
                  did_you_mean(name, known),
              "GET /api/v1/meters shows which there are");
}

Result<std::optional<store::StoredMeter>> MeterWalk::next() {
  while (given_ == read_.size()) {
    if (tenant_ == tenants_.size()) return std::nullopt;
    begin_.tenant = tenants_[tenant_];
    DISTRICT_TRY(read_, store::meters_from(series_, begin_, source_, meter_, kReadAtOnce));
    given_ = 0;
    if (read_.size() == kReadAtOnce) {
      begin_ = read_.back().key;
      begin_.meter += '\x01';  // the next name, since no name has a control character
    } else {
      ++tenant_;
      begin_ = {};
    }
  }
  return std::optional(read_[given_++]);
}

Json to_json(const MeterKey& meter) { return {meter.tenant, meter.source, meter.meter}; }

std::optional<MeterKey> meter_from(const Json& json) {
  if (!json.is_array() || json.size() != 3) return std::nullopt;
  if (!std::ranges::all_of(json, [](const Json& part) { return part.is_string(); })) {
    return std::nullopt;
  }
  return MeterKey{json[0].get<std::string>(), json[1].get<std::string>(),
                  json[2].get<std::string>()};
}

}  // namespace district::query
