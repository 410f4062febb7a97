#include "log/logged_rows.h"

#include <nlohmann/json.hpp>
#include <set>

#include "crypto/digest.h"
#include "log/log.h"

namespace district::log {
namespace {

nlohmann::json parsed(const std::string& entry) {
  auto json = nlohmann::json::parse(entry, nullptr, false);
  return json.is_object() ? json : nlohmann::json::object();
}

}  // namespace

std::string differing_members(const std::string& entry, const std::string& other) {
  const auto a = parsed(entry);
  const auto b = parsed(other);
  std::set<std::string> names;
  for (const auto& [name, value] : a.items()) {
    if (!b.contains(name) || b[name] != value) names.insert(name);
  }
  for (const auto& [name, value] : b.items()) {
    if (!a.contains(name)) names.insert(name);
  }
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
  return list.empty() ? "spelling" : list;
}

std::string entry_of(const store::RecordedChange& recorded) {
  using Kind = store::TrustChange::Kind;
  switch (recorded.change.kind) {
    case Kind::tenant:
      return tenant_entry(recorded.change.tenant);
    case Kind::enrol:
      return enrol_entry(recorded.change.enrolment);
    case Kind::revoke:
      return revoke_entry(recorded.change.enrolment);
  }
  return {};
}

std::string entry_of(const SiteImport& import, const std::string& entry) {
  return site_entry(import.tenant, crypto::sha256(as_bytes(import.statements)),
                    time_of(entry).value_or(Instant{}));
}

std::string name_of(const SiteImport& import) {
  return "the site import for tenant " + import.tenant;
}

std::string name_of(const store::RecordedChange& recorded) {
  using Kind = store::TrustChange::Kind;
  switch (recorded.change.kind) {
    case Kind::tenant:
      return "tenant " + recorded.change.tenant.code;
    case Kind::enrol:
      return "the enrolment for tenant " + recorded.change.enrolment.tenant;
    case Kind::revoke:
      return "the revocation for tenant " + recorded.change.enrolment.tenant;
  }
  return {};
}

std::string kind_of(const std::string& entry) {
  const auto kind = parsed(entry).value("kind", nlohmann::json());
  return kind.is_string() ? kind.get<std::string>() : std::string();
}

std::string entry_of(const LoggedKey& row, const std::string& entry) {
  return row.revocation ? expected_api_key_revoke_entry(row.key, entry)
                        : expected_api_key_entry(row.key, entry);
}

bool is_trust(std::string_view kind) {
  return kind == "tenant" || kind == "enrol" || kind == "revoke";
}

}  // namespace district::log
