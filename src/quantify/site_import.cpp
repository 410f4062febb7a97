#include "quantify/site_import.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crypto/digest.h"
#include "log/log.h"
#include "quantify/dependents.h"
#include "quantify/engine.h"
#include "quantify/ingestion.h"
#include "quantify/master_data.h"
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
                          {"validFrom", format_instant(fact.valid_from)}};
    if (fact.valid_to) one["validTo"] = format_instant(*fact.valid_to);
    json.push_back(std::move(one));
  }
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// What holds already, with the same bounds, is not stated again.
Result<bool> is_new(SeriesStore& store, const std::string& tenant, const MasterFact& fact) {
  DISTRICT_TRY(const auto meter_id, store.find_meter({tenant, fact.source, fact.meter}));
  if (!meter_id) return true;
  DISTRICT_TRY(const auto facts, store.facts(*meter_id));
  for (const auto& held :
       MasterData(facts).statements(fact.attribute, fact.valid_from, fact.valid_from)) {
    if (held.from == fact.valid_from && held.to == fact.valid_to && held.value == fact.value)
      return false;
  }
  return true;
}

}  // namespace

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
  const store::Origin origin{report.leaf_index, "site-import-" + std::to_string(report.leaf_index),
                             now};
  Touched touched;
  KnownIds known;
  DISTRICT_CHECK(Ingestion(store, known, origin, touched).take(batch));
  DISTRICT_CHECK(Dependents::touch(store, touched));
  for (const auto meter_id : touched.meter_ids()) {
    DISTRICT_CHECK(store.put_stale(meter_id));
    ++report.meters;
  }
  DISTRICT_CHECK(transaction.commit());
  return report;
}

}  // namespace district::quantify
