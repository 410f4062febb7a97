#include "store/trust_store.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "store/log_writer.h"
#include "store/rows.h"
#include "store/transaction.h"

namespace district::store {
namespace {

std::string to_json(const std::vector<std::string>& texts) {
  return nlohmann::json(texts).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<std::vector<std::string>> from_json(const std::string& text) {
  const auto parsed = nlohmann::json::parse(text, nullptr, false);
  std::vector<std::string> texts;
  bool good = parsed.is_array();
  for (const auto& item : parsed) {
    good = good && item.is_string();
    if (good) texts.push_back(item.get<std::string>());
  }
  if (!good) {
    return fail(ErrorCode::archive_corrupt, "a tenant's list is damaged: " + text,
                "districtctl log verify names what is damaged");
  }
  return texts;
}

constexpr std::string_view kSelectTenants =
    "SELECT code, name, zone, content_types, sources, valid_from, leaf_index "
    "FROM tenant ORDER BY leaf_index";

Result<Tenant> read_tenant(const Statement& row) {
  Tenant tenant;
  tenant.code = row.text(0);
  tenant.name = row.text(1);
  tenant.zone = row.text(2);
  DISTRICT_TRY(tenant.content_types, from_json(row.text(3)));
  DISTRICT_TRY(tenant.sources, from_json(row.text(4)));
  tenant.valid_from = row.instant(5);
  tenant.leaf_index = row.count(6);
  return tenant;
}

constexpr std::string_view kSelectEnrolments =
    "SELECT tenant, certificate_sha256, der, subject, valid_from, valid_to, allow_sha1_until, "
    "revoked_at, coalesce(revocation_reason, ''), leaf_index, enrolled_at, revocation_leaf_index "
    "FROM enrolment JOIN certificate ON certificate.sha256 = enrolment.certificate_sha256 "
    "ORDER BY leaf_index";

Result<Enrolment> read_enrolment(const Statement& row) {
  Enrolment enrolment;
  enrolment.tenant = row.text(0);
  DISTRICT_TRY(enrolment.certificate_sha256, row.digest(1));
  enrolment.certificate_der = to_bytes(row.blob(2));
  enrolment.subject = row.text(3);
  enrolment.valid_from = row.instant(4);
  enrolment.valid_to = row.optional_instant(5);
  enrolment.allow_sha1_until = row.optional_instant(6);
  enrolment.revoked_at = row.optional_instant(7);
  enrolment.revocation_reason = row.text(8);
  enrolment.leaf_index = row.count(9);
  enrolment.enrolled_at = row.instant(10);
  if (!row.is_null(11)) enrolment.revocation_leaf_index = row.count(11);
  return enrolment;
}

// Changes are dated in their order, whatever became of the clock between them. When envelopes were
// received does not matter: a change holds from its leaf on.
Instant time_of_change(Instant now, Instant before) { return std::max(now, before + Duration(1)); }

}  // namespace

Result<std::uint64_t> TrustStore::epoch() {
  DISTRICT_TRY(auto statement, db_.prepare("SELECT epoch FROM trust_epoch WHERE id = 1"));
  DISTRICT_TRY(const bool row, statement.step());
  if (!row) return fail(ErrorCode::archive_corrupt, db_.name() + ": no trust epoch");
  return statement.count(0);
}

Result<Instant> TrustStore::changed_at() {
  DISTRICT_TRY(auto row, db_.prepare("SELECT changed_at FROM trust_epoch WHERE id = 1"));
  DISTRICT_TRY(const bool found, row.step());
  if (!found) return fail(ErrorCode::archive_corrupt, db_.name() + ": no trust epoch");
  return row.instant(0);
}

Result<TrustRecords> TrustStore::load() {
  TrustRecords records;
  // Read first: rows that come in between belong to a later epoch, and are then loaded again.
  DISTRICT_TRY(records.epoch, epoch());
  DISTRICT_TRY(auto tenants, db_.prepare(kSelectTenants));
  DISTRICT_TRY(records.tenants, all_rows(tenants, read_tenant));
  DISTRICT_TRY(auto enrolments, db_.prepare(kSelectEnrolments));
  DISTRICT_TRY(records.enrolments, all_rows(enrolments, read_enrolment));
  return records;
}

Result<Ok> TrustStore::change(
    Instant now,
    const std::function<Result<std::vector<TrustChange>>(const TrustRecords&, Instant)>& decide) {
  DISTRICT_TRY(auto transaction, LogTransaction::begin(db_));
  DISTRICT_TRY(const auto before, changed_at());
  const auto at = time_of_change(now, before);
  DISTRICT_TRY(const auto records, load());
  DISTRICT_TRY(const auto changes, decide(records, at));
  if (changes.empty()) return Ok{};

  DISTRICT_TRY(auto log, LogWriter::begin(transaction));
  for (const auto& change : changes) {
    DISTRICT_TRY(const auto leaf_index, log.append(change.log_entry));
    switch (change.kind) {
      case TrustChange::Kind::tenant:
        DISTRICT_CHECK(insert_tenant(change.tenant, leaf_index));
        break;
      case TrustChange::Kind::enrol:
        DISTRICT_CHECK(insert_enrolment(change.enrolment, leaf_index));
        break;
      case TrustChange::Kind::revoke:
        DISTRICT_CHECK(revoke(change.enrolment, leaf_index));
        break;
    }
  }
  DISTRICT_TRY([[maybe_unused]] const auto head, log.finish(at));
  DISTRICT_TRY(
      auto epoch,
      db_.prepare("UPDATE trust_epoch SET epoch = epoch + 1, changed_at = ?1 WHERE id = 1"));
  DISTRICT_CHECK(epoch.bind(1, at).run());
  return transaction.commit();
}

Result<Ok> TrustStore::insert_tenant(const Tenant& tenant, std::uint64_t leaf_index) {
  DISTRICT_TRY(auto statement,
               db_.prepare("INSERT INTO tenant (code, name, zone, content_types, sources, "
                           "valid_from, leaf_index) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"));
  const auto content_types = to_json(tenant.content_types);
  const auto sources = to_json(tenant.sources);
  statement.bind(1, tenant.code).bind(2, tenant.name).bind(3, tenant.zone);
  statement.bind(4, content_types).bind(5, sources);
  return statement.bind(6, tenant.valid_from).bind(7, leaf_index).run();
}

Result<Ok> TrustStore::insert_enrolment(const Enrolment& enrolment, std::uint64_t leaf_index) {
  {
    DISTRICT_TRY(auto certificate,
                 db_.prepare("INSERT INTO certificate (sha256, der, subject) VALUES (?1, ?2, ?3) "
                             "ON CONFLICT (sha256) DO NOTHING"));
    DISTRICT_CHECK(certificate.bind(1, enrolment.certificate_sha256)
                       .bind(2, enrolment.certificate_der)
                       .bind(3, enrolment.subject)
                       .run());
  }
  DISTRICT_TRY(auto statement,
               db_.prepare("INSERT INTO enrolment (leaf_index, tenant, certificate_sha256, "
                           "enrolled_at, valid_from, valid_to, allow_sha1_until) "
                           "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"));
  statement.bind(1, leaf_index).bind(2, enrolment.tenant).bind(3, enrolment.certificate_sha256);
  statement.bind(4, enrolment.enrolled_at).bind(5, enrolment.valid_from);
  statement.bind(6, enrolment.valid_to);
  return statement.bind(7, enrolment.allow_sha1_until).run();
}

Result<Ok> TrustStore::revoke(const Enrolment& enrolment, std::uint64_t leaf_index) {
  DISTRICT_TRY(auto statement,
               db_.prepare("UPDATE enrolment SET revoked_at = ?1, revocation_reason = ?2, "
                           "revocation_leaf_index = ?3 WHERE leaf_index = ?4"));
  return statement.bind(1, enrolment.revoked_at)
      .bind(2, enrolment.revocation_reason)
      .bind(3, leaf_index)
      .bind(4, enrolment.leaf_index)
      .run();
}

Result<std::vector<RecordedChange>> TrustStore::recorded_changes() {
  using Kind = TrustChange::Kind;
  std::vector<RecordedChange> changes;
  DISTRICT_TRY(auto tenants, db_.prepare(kSelectTenants));
  DISTRICT_CHECK(for_each_row(tenants, [&](const Statement& row) -> Result<Ok> {
    DISTRICT_TRY(auto tenant, read_tenant(row));
    const auto at = tenant.valid_from;
    changes.push_back({tenant.leaf_index, at, {Kind::tenant, std::move(tenant), {}, {}}});
    return Ok{};
  }));
  DISTRICT_TRY(auto enrolments, db_.prepare(kSelectEnrolments));
  DISTRICT_CHECK(for_each_row(enrolments, [&](const Statement& row) -> Result<Ok> {
    DISTRICT_TRY(auto enrolment, read_enrolment(row));
    changes.push_back(
        {enrolment.leaf_index, enrolment.enrolled_at, {Kind::enrol, {}, enrolment, {}}});
    // What is said of a revocation that is none is compared as one, and differs.
    const bool revoked = enrolment.revoked_at || !enrolment.revocation_reason.empty() ||
                         enrolment.revocation_leaf_index;
    if (!revoked) return Ok{};
    const auto at = enrolment.revoked_at.value_or(Instant{});
    changes.push_back({enrolment.revocation_leaf_index.value_or(0),
                       at,
                       {Kind::revoke, {}, std::move(enrolment), {}}});
    return Ok{};
  }));
  std::ranges::sort(changes, {}, &RecordedChange::leaf_index);
  return changes;
}

}  // namespace district::store
