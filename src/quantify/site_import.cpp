#include "quantify/site_import.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "crypto/digest.h"
#include "kpi/master_data.h"
#include "log/log.h"
#include "quantify/engine.h"
#include "series/dependents.h"
#include "series/ingestion.h"
#include "store/archive_store.h"

namespace district::quantify {
namespace {

using store::SeriesStore;

std::string json_of(const std::vector<MasterFact>& facts) {
  auto json = nlohmann::json::array();
  for (const auto& fact : facts) {
    nlohmann::json one = {{"source", fact.source},
                          {"meter", fact.meter},
                          {"attribute", fact.attribute},
                          {"value", fact.value},
                          {"validFrom", format_instant(fact.valid_from)},
                          {"record", fact.message_index}};
    if (fact.valid_to) one["validTo"] = format_instant(*fact.valid_to);
    json.push_back(std::move(one));
  }
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

constexpr std::uint32_t kNoRecord = std::numeric_limits<std::uint32_t>::max();

std::optional<MasterFact> fact_of(const nlohmann::json& json) {
  const auto text = [&json](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_string() ? std::optional(found->get<std::string>())
                                                     : std::nullopt;
  };
  const auto source = text("source"), meter = text("meter"), attribute = text("attribute"),
             value = text("value"), from = text("validFrom"), to = text("validTo");
  const auto valid_from = from ? parse_date_time(*from) : std::nullopt;
  const auto valid_to = to ? parse_date_time(*to) : std::nullopt;
  if (!source || !meter || !attribute || !value || !valid_from ||
      to.has_value() != valid_to.has_value())
    return std::nullopt;
  MasterFact fact{*source, *meter, *attribute, *value, *valid_from, valid_to, kNoRecord};
  const auto record = json.find("record");
  if (record == json.end()) return fact;
  if (!record->is_number_unsigned()) return std::nullopt;
  fact.message_index = record->get<std::uint32_t>();
  return fact;
}

// In which record it stood: of those left, the first that is not before the record of the fact
// before it.
std::uint32_t record_of(const MasterFact& fact, std::vector<MasterFact>& left,
                        std::uint32_t earliest) {
  auto best = left.end();
  for (auto other = left.begin(); other != left.end(); ++other) {
    auto same = *other;
    same.message_index = fact.message_index;
    if (other->message_index < earliest || !(same == fact)) continue;
    if (best == left.end() || other->message_index < best->message_index) best = other;
  }
  if (best == left.end()) return earliest;
  const auto record = best->message_index;
  left.erase(best);
  return record;
}

// What holds already, with the same bounds, is not stated again.
Result<bool> is_new(SeriesStore& store, const std::string& tenant, const MasterFact& fact) {
  DISTRICT_TRY(const auto meter_id, store.find_meter({tenant, fact.source, fact.meter}));
  if (!meter_id) return true;
  DISTRICT_TRY(const auto facts, store.facts(*meter_id));
  for (const auto& held :
       kpi::MasterData(facts).statements(fact.attribute, fact.valid_from, fact.valid_from)) {
    if (held.from == fact.valid_from && held.to == fact.valid_to && held.value == fact.value)
      return false;
  }
  return true;
}

}  // namespace

std::string receipt_id_of_import(std::uint64_t leaf_index) {
  return "site-import-" + std::to_string(leaf_index);
}

Result<std::vector<MasterFact>> imported_facts(const store::SiteImport& import,
                                               const std::vector<MasterFact>& stored) {
  const auto damaged = [&import] {
    return fail(ErrorCode::archive_corrupt,
                "the statements of the site import of leaf " + std::to_string(import.leaf_index) +
                    " cannot be read",
                "'districtctl log verify' tells whether they were changed");
  };
  const auto json = nlohmann::json::parse(import.statements, nullptr, false);
  if (!json.is_array()) return damaged();
  std::vector<MasterFact> facts;
  auto left = stored;
  std::uint32_t earliest = 0;
  for (const auto& each : json) {
    auto fact = each.is_object() ? fact_of(each) : std::nullopt;
    if (!fact) return damaged();
    if (fact->message_index == kNoRecord) fact->message_index = record_of(*fact, left, earliest);
    earliest = fact->message_index;
    facts.push_back(*std::move(fact));
  }
  return facts;
}

Result<SiteImportReport> import_statements(store::Database& database, const std::string& tenant,
                                           const std::vector<MasterFact>& facts, Instant now) {
  SiteImportReport report;
  DISTRICT_TRY(auto transaction, store::Transaction::begin(database));
  SeriesStore store(database);
  Batch batch;
  batch.tenant = tenant;
  for (const auto& fact : facts) {
    DISTRICT_TRY(const bool news, is_new(store, tenant, fact));
    if (news) batch.master_facts.push_back(fact);
  }
  report.statements = batch.master_facts.size();
  if (batch.master_facts.empty()) return report;
  const auto statements = json_of(batch.master_facts);
  const auto digest = crypto::sha256(as_bytes(statements));
  DISTRICT_TRY(report.leaf_index,
               store::append_log_leaf(database, log::site_entry(tenant, digest, now), now));
  DISTRICT_CHECK(store.put_site_import({report.leaf_index, tenant, statements}));
  const Origin origin{report.leaf_index, receipt_id_of_import(report.leaf_index), now};
  series::Touched touched;
  series::KnownIds known;
  DISTRICT_CHECK(series::Ingestion(store, known, origin, touched).take(batch));
  DISTRICT_CHECK(series::Dependents::touch(store, touched));
  for (const auto meter_id : touched.meter_ids()) {
    DISTRICT_CHECK(store.put_stale(meter_id));
    ++report.meters;
  }
  DISTRICT_CHECK(transaction.commit());
  return report;
}

}  // namespace district::quantify
