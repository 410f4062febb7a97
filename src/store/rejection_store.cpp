#include "store/rejection_store.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "store/rows.h"
#include "store/transaction.h"

namespace district::store {
namespace {

using Json = nlohmann::json;

// Nothing that a peer sent may make a row large.
constexpr std::size_t kTextBytesMax = 4096;

std::string bounded(std::string_view text) { return std::string(text.substr(0, kTextBytesMax)); }

Json instant_json(const std::optional<Instant>& instant) {
  return instant ? Json(to_micros(*instant)) : Json();
}

std::optional<Instant> read_instant(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number_integer()) return std::nullopt;
  return from_micros(found->get<std::int64_t>());
}

std::string write_facts(const Rejection& rejection) {
  const auto& diagnosis = rejection.diagnosis;
  Json violations = Json::array();
  for (const auto& each : rejection.violations) {
    violations.push_back({{"message", each.message_index},
                          {"path", bounded(each.path)},
                          {"line", each.line},
                          {"reason", bounded(each.reason)}});
  }
  const Json facts = {{"detail", bounded(rejection.detail)},
                      {"hint", bounded(rejection.hint)},
                      {"violations", violations},
                      {"firstReceiptId", rejection.first_receipt_id},
                      {"rule", diagnosis.rule},
                      {"reference", bounded(diagnosis.reference)},
                      {"expectedDigest", bounded(diagnosis.expected_digest)},
                      {"computedDigest", bounded(diagnosis.computed_digest)},
                      {"created", instant_json(diagnosis.created)},
                      {"expires", instant_json(diagnosis.expires)},
                      {"judgedAt", instant_json(diagnosis.judged_at)},
                      {"keyReference", bounded(diagnosis.key_reference)},
                      {"certificate", diagnosis.certificate_sha256},
                      {"subject", bounded(diagnosis.subject)},
                      {"signatureMethod", bounded(diagnosis.signature_method)},
                      {"authenticated", rejection.authenticated},
                      {"peer", bounded(rejection.peer)},
                      {"contentType", bounded(rejection.content_type)},
                      {"contentEncoding", bounded(rejection.content_encoding)},
                      {"soapAction", bounded(rejection.soap_action)},
                      {"size", rejection.size},
                      {"sizeIsWhole", rejection.size_is_whole},
                      {"rawKept", rejection.raw_kept},
                      {"rawAbsent", rejection.raw_absent}};
  // What a peer sent need not be UTF-8.
  return facts.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void read_facts(const Json& facts, Rejection& rejection) {
  const auto text = [&](const char* key) { return facts.value(key, std::string()); };
  auto& diagnosis = rejection.diagnosis;
  rejection.detail = text("detail");
  rejection.hint = text("hint");
  for (const auto& each : facts.value("violations", Json::array())) {
    rejection.violations.push_back({each.value("message", std::size_t{0}),
                                    each.value("path", std::string()), each.value("line", 0L),
                                    each.value("reason", std::string())});
  }
  rejection.first_receipt_id = text("firstReceiptId");
  diagnosis.rule = text("rule");
  diagnosis.reference = text("reference");
  diagnosis.expected_digest = text("expectedDigest");
  diagnosis.computed_digest = text("computedDigest");
  diagnosis.created = read_instant(facts, "created");
  diagnosis.expires = read_instant(facts, "expires");
  diagnosis.judged_at = read_instant(facts, "judgedAt");
  diagnosis.key_reference = text("keyReference");
  diagnosis.certificate_sha256 = text("certificate");
  diagnosis.subject = text("subject");
  diagnosis.signature_method = text("signatureMethod");
  rejection.authenticated = facts.value("authenticated", false);
  rejection.peer = text("peer");
  rejection.content_type = text("contentType");
  rejection.content_encoding = text("contentEncoding");
  rejection.soap_action = text("soapAction");
  rejection.size = facts.value("size", std::uint64_t{0});
  rejection.size_is_whole = facts.value("sizeIsWhole", true);
  rejection.raw_kept = facts.value("rawKept", std::uint64_t{0});
  rejection.raw_absent = text("rawAbsent");
}

// Columns of Rejection, in the order in which read_row takes them.
constexpr std::string_view kSelect =
    "SELECT rejection_id, rejected_at, last_at, times, code, tenant, claimed_tenant, facts "
    "FROM rejection WHERE ";

// Whose raw octets go first. Of the sample of others: the oldest of the code that has most, so that
// a flood of one kind leaves the others.
std::string_view oldest_raw(const std::string& tenant, bool by_count) {
  if (!tenant.empty()) {
    return "SELECT rejection_id FROM rejection_raw WHERE tenant = ?1 ORDER BY rejection_id LIMIT 1";
  }
  return by_count ? "SELECT min(rejection_id) FROM rejection_raw WHERE tenant = ?1 "
                    "GROUP BY code ORDER BY count(*) DESC LIMIT 1"
                  : "SELECT min(rejection_id) FROM rejection_raw WHERE tenant = ?1 "
                    "GROUP BY code ORDER BY sum(length(octets)) DESC LIMIT 1";
}

Result<Rejection> read_row(const Statement& row) {
  Rejection rejection;
  rejection.rejection_id = row.text(0);
  rejection.rejected_at = row.instant(1);
  rejection.last_at = row.instant(2);
  rejection.times = row.count(3);
  rejection.code = static_cast<ErrorCode>(row.integer(4));
  rejection.tenant = row.text(5);
  rejection.diagnosis.tenant = row.text(6);
  try {
    read_facts(Json::parse(row.text(7)), rejection);
  } catch (const Json::exception& problem) {
    return fail(ErrorCode::archive_corrupt,
                "rejection " + rejection.rejection_id + " is damaged: " + problem.what(),
                "rejections.db holds no evidence: it may be removed while the server is down");
  }
  return rejection;
}

}  // namespace

Result<std::unique_ptr<RejectionStore>> RejectionStore::open(const std::string& path,
                                                             OpenMode mode) {
  DISTRICT_TRY(auto database, RejectionDatabase::open(path, mode));
  return std::unique_ptr<RejectionStore>(new RejectionStore(std::move(database)));
}

Result<Ok> RejectionStore::add(std::span<const Rejection> rejections, const RejectionBounds& bounds,
                               Instant now) {
  if (!usage_) {
    DISTRICT_TRY(usage_, usage());
  }
  const auto written = [&]() -> Result<Ok> {
    DISTRICT_TRY(auto transaction, RejectionTransaction::begin(*db_));
    for (const auto& rejection : rejections) DISTRICT_CHECK(insert(rejection));
    DISTRICT_CHECK(prune(bounds, now));
    return transaction.commit();
  }();
  if (!written) usage_.reset();  // what was counted has not happened
  return written;
}

Result<Ok> RejectionStore::insert(const Rejection& rejection) {
  auto& usage = (*usage_)[rejection.tenant];
  {
    DISTRICT_TRY(auto known, db_->prepare("UPDATE rejection SET times = times + ?2, last_at = ?3 "
                                          "WHERE rejection_id = ?1 RETURNING 1"));
    known.bind(1, rejection.rejection_id).bind(2, rejection.times).bind(3, rejection.last_at);
    DISTRICT_TRY(const bool there, known.step());
    if (there) return known.run();
  }
  const auto facts = write_facts(rejection);
  {
    DISTRICT_TRY(auto row,
                 db_->prepare("INSERT INTO rejection (rejection_id, rejected_at, last_at, times, "
                              "code, tenant, claimed_tenant, facts) "
                              "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"));
    row.bind(1, rejection.rejection_id).bind(2, rejection.rejected_at).bind(3, rejection.last_at);
    row.bind(4, rejection.times).bind(5, static_cast<std::int64_t>(rejection.code));
    row.bind(6, rejection.tenant).bind(7, rejection.diagnosis.tenant).bind(8, facts);
    DISTRICT_CHECK(row.run());
    ++usage.rows;
  }
  if (rejection.raw_zstd.empty()) return Ok{};
  DISTRICT_TRY(auto raw, db_->prepare("INSERT INTO rejection_raw (rejection_id, tenant, code, "
                                      "octets) VALUES (?1, ?2, ?3, ?4)"));
  raw.bind(1, rejection.rejection_id).bind(2, rejection.tenant);
  raw.bind(3, static_cast<std::int64_t>(rejection.code)).bind(4, ByteView(rejection.raw_zstd));
  DISTRICT_CHECK(raw.run());
  ++usage.raw_count;
  usage.raw_octets += rejection.raw_zstd.size();
  return Ok{};
}

Result<Ok> RejectionStore::prune(const RejectionBounds& bounds, Instant now) {
  bool aged = false;
  {
    DISTRICT_TRY(auto old,
                 db_->prepare("DELETE FROM rejection WHERE rejected_at < ?1 RETURNING 1"));
    DISTRICT_TRY(aged, old.bind(1, now - bounds.age).step());
    DISTRICT_CHECK(old.run());
  }
  if (aged) {
    DISTRICT_TRY(usage_, usage());
  }
  // A copy of the names: what is counted changes under way.
  std::vector<std::string> tenants;
  for (const auto& [tenant, _] : *usage_) tenants.push_back(tenant);
  for (const auto& tenant : tenants) {
    const bool others = tenant.empty();
    DISTRICT_CHECK(prune_raw(tenant, others ? bounds.sample_count : UINT64_MAX,
                             others ? bounds.sample_octets : bounds.raw_octets_per_tenant));
    DISTRICT_CHECK(prune_rows(tenant, others ? bounds.rows_of_others : bounds.rows_per_tenant));
  }
  return Ok{};
}

Result<Ok> RejectionStore::prune_rows(const std::string& tenant, std::uint64_t rows_max) {
  auto& usage = (*usage_)[tenant];
  if (usage.rows <= rows_max) return Ok{};
  // A tenth more than needed, so that it is not done for every row.
  const auto excess = usage.rows - rows_max + rows_max / 10;
  DISTRICT_TRY(auto rows,
               db_->prepare("DELETE FROM rejection WHERE rejection_id IN (SELECT rejection_id "
                            "FROM rejection WHERE tenant = ?1 ORDER BY rejection_id LIMIT ?2)"));
  DISTRICT_CHECK(rows.bind(1, tenant).bind(2, excess).run());
  DISTRICT_TRY(usage_, this->usage());  // rows take their raw octets along
  return Ok{};
}

Result<Ok> RejectionStore::prune_raw(const std::string& tenant, std::uint64_t count_max,
                                     std::uint64_t octets_max) {
  auto& usage = (*usage_)[tenant];
  while (usage.raw_count > 0 && (usage.raw_count > count_max || usage.raw_octets > octets_max)) {
    DISTRICT_TRY(auto oldest, db_->prepare(oldest_raw(tenant, usage.raw_count > count_max)));
    DISTRICT_TRY(const bool there, oldest.bind(1, tenant).step());
    if (!there) break;
    const auto rejection_id = oldest.text(0);
    DISTRICT_TRY(auto gone, db_->prepare("DELETE FROM rejection_raw WHERE rejection_id = ?1 "
                                         "RETURNING length(octets)"));
    DISTRICT_TRY(const bool was_there, gone.bind(1, rejection_id).step());
    if (!was_there) break;
    usage.raw_octets -= std::min(usage.raw_octets, gone.count(0));
    --usage.raw_count;
    DISTRICT_CHECK(gone.run());
  }
  return Ok{};
}

Result<std::vector<Rejection>> RejectionStore::list(const RejectionFilter& filter) {
  DISTRICT_TRY(auto statement,
               db_->prepare(std::string(kSelect) +
                            "(?1 IS NULL OR tenant = ?1 OR (', ' || claimed_tenant || ',') LIKE "
                            "'%, ' || ?1 || ',%') AND rejected_at >= ?2 AND rejected_at < ?3 "
                            "AND (?4 IS NULL OR code = ?4) ORDER BY rejection_id DESC LIMIT ?5"));
  if (filter.tenant) statement.bind(1, *filter.tenant);
  statement.bind(2, filter.from.value_or(Instant::min()))
      .bind(3, filter.to.value_or(Instant::max()));
  if (filter.code) statement.bind(4, static_cast<std::int64_t>(*filter.code));
  statement.bind(5, filter.limit);
  return all_rows(statement, read_row);
}

Result<Rejection> RejectionStore::find(std::string_view rejection_id) {
  Rejection rejection;
  {
    DISTRICT_TRY(auto statement, db_->prepare(std::string(kSelect) + "rejection_id = ?1"));
    DISTRICT_TRY(const bool row, statement.bind(1, rejection_id).step());
    if (!row) {
      return fail(ErrorCode::not_found, "no rejection " + std::string(rejection_id),
                  "'districtctl rejection list' shows those that are still kept");
    }
    DISTRICT_TRY(rejection, read_row(statement));
  }
  DISTRICT_TRY(auto raw, db_->prepare("SELECT octets FROM rejection_raw WHERE rejection_id = ?1"));
  DISTRICT_TRY(const bool there, raw.bind(1, rejection_id).step());
  if (there) rejection.raw_zstd = to_bytes(raw.blob(0));
  return rejection;
}

Result<std::map<std::string, RejectionStore::Usage>> RejectionStore::usage() {
  std::map<std::string, Usage> all;
  {
    DISTRICT_TRY(auto rows, db_->prepare("SELECT tenant, count(*) FROM rejection GROUP BY tenant"));
    DISTRICT_CHECK(
        for_each_row(rows, [&](const Statement& row) { all[row.text(0)].rows = row.count(1); }));
  }
  DISTRICT_TRY(auto raw, db_->prepare("SELECT tenant, count(*), sum(length(octets)) "
                                      "FROM rejection_raw GROUP BY tenant"));
  DISTRICT_CHECK(for_each_row(raw, [&](const Statement& row) {
    auto& usage = all[row.text(0)];
    usage.raw_count = row.count(1);
    usage.raw_octets = row.count(2);
  }));
  return all;
}

}  // namespace district::store
