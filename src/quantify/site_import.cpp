#include "quantify/site_import.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>

#include "crypto/digest.h"
#include "kpi/master_data.h"
#include "log/log.h"
#include "quantify/engine.h"
#include "series/dependents.h"
#include "series/ingestion.h"
#include "store/ledger.h"
#include "store/log_reader.h"
#include "store/log_writer.h"
#include "store/series_writer.h"
#include "store/transaction.h"
#include "store/work_queue.h"

namespace district::quantify {
namespace {

using store::SeriesReader;

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

// An import does its own work item. After a crash, the quantifier does the rest of it when this
// lease ends.
constexpr Duration kImportLease = std::chrono::seconds(60);
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

// The record in which the fact stood. Several facts in `left` may be the same; it is the one with
// the first record that is not before `earliest`, the record of the preceding fact.
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

// A fact that holds already, with the same bounds, is not stated again.
Result<bool> is_new(SeriesReader& store, const std::string& tenant, const MasterFact& fact) {
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

Result<std::vector<MasterFact>> imported_facts(const SiteImport& import,
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

Result<SiteImportReport> import_statements(store::ArchiveDatabase& archive,
                                           store::SeriesDatabase& series, const std::string& tenant,
                                           const std::vector<MasterFact>& facts, Instant now) {
  SiteImportReport report;
  SeriesReader store(series);
  SiteImport import{0, tenant, {}};
  store::WorkQueue queue(archive, "site import");
  {
    DISTRICT_TRY(auto transaction, store::LogTransaction::begin(archive));
    std::vector<MasterFact> news;
    for (const auto& fact : facts) {
      DISTRICT_TRY(const bool is_news, is_new(store, tenant, fact));
      if (is_news) news.push_back(fact);
    }
    report.statements = news.size();
    if (news.empty()) return report;
    import.statements = json_of(news);
    const auto digest = crypto::sha256(as_bytes(import.statements));
    DISTRICT_TRY(import.leaf_index,
                 store::append_log_leaf(transaction, log::site_entry(tenant, digest, now), now));
    DISTRICT_CHECK(store::put_site_import(transaction, import));
    DISTRICT_CHECK(queue.add(transaction, import.leaf_index, now + kImportLease));
    DISTRICT_CHECK(transaction.commit());
  }
  report.leaf_index = import.leaf_index;
  DISTRICT_TRY(const auto done, quantify_import(archive, series, import));
  report.meters = done.meters.value_or(0);
  const auto leaf_index = std::span(&import.leaf_index, 1);
  DISTRICT_CHECK(queue.finish(leaf_index, done.mark));
  DISTRICT_TRY(auto transaction, store::SeriesTransaction::begin(series));
  DISTRICT_CHECK(store::SeriesWriter(transaction).forget_work(leaf_index));
  DISTRICT_CHECK(transaction.commit());
  return report;
}

Result<QuantifiedImport> quantify_import(store::ArchiveDatabase& archive,
                                         store::SeriesDatabase& series, const SiteImport& import) {
  DISTRICT_TRY(const auto entries, store::LogReader(archive).entries(import.leaf_index, 1));
  const auto at = entries.empty() ? std::nullopt : log::time_of(entries.front().entry);
  if (!at) {
    return fail(ErrorCode::archive_corrupt,
                "no time in leaf " + std::to_string(import.leaf_index) + " of a site import",
                "'districtctl log verify' names what is damaged");
  }
  DISTRICT_TRY(auto transaction, store::SeriesTransaction::begin(series));
  store::SeriesWriter store(transaction);
  QuantifiedImport done;
  DISTRICT_TRY(const bool was_done, store.is_done(import.leaf_index));
  if (was_done) {
    DISTRICT_TRY(done.mark, store.mark());
    return done;
  }
  Batch batch;
  batch.tenant = import.tenant;
  DISTRICT_TRY(batch.master_facts, imported_facts(import, {}));
  const Origin origin{import.leaf_index, receipt_id_of_import(import.leaf_index), *at};
  series::Touched touched;
  series::KnownIds known;
  series::Ingestion ingestion(store, known, touched);
  DISTRICT_CHECK(ingestion.add(batch, origin));
  DISTRICT_CHECK(ingestion.finish());
  DISTRICT_CHECK(series::Dependents::touch(store, touched));
  for (const auto meter_id : touched.meter_ids()) DISTRICT_CHECK(store.put_stale(meter_id));
  done.meters = touched.meters.size();
  DISTRICT_TRY(const auto head, store::LogReader(archive).head());
  DISTRICT_TRY(done.mark, store.end_work(std::span(&import.leaf_index, 1), head));
  DISTRICT_CHECK(transaction.commit());
  return done;
}

}  // namespace district::quantify
