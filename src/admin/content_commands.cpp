// districtctl content list, content check
#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "admin/session.h"
#include "base/file.h"
#include "kpi/catalogue.h"
#include "kpi/units.h"
#include "store/trust_store.h"
#include "validate/content_schema.h"
#include "xml/document.h"
#include "xml/schema.h"

namespace district::admin {
namespace {

using validate::ContentType;
using validate::ElementMeaning;
using Role = ElementMeaning::Role;

std::string role_of(const ElementMeaning& meaning) {
  switch (meaning.role) {
    case Role::none:
      return "archived only";
    case Role::value:
      return std::string("value, ") + name_of(meaning.kind);
    case Role::period_start:
      return "period-start";
    case Role::period_end:
      return "period-end";
    case Role::meter:
      return "meter";
    case Role::estimated:
      return "estimated";
    case Role::attribute:
      return "statement";
  }
  return "";
}

// The families of KPIs that would use the values of an element.
std::string use_of(const ElementMeaning& meaning) {
  if (meaning.role == Role::attribute)
    return kpi::matters(meaning.element) ? "KPIs depend on it" : "kept, no KPI uses it";
  if (meaning.role != Role::value) return {};
  const auto converted = kpi::conversion(meaning.quantity, meaning.unit);
  if (!converted) return "UNUSABLE: " + meaning.quantity + " cannot be converted from this unit";
  std::string families;
  for (const auto& family : kpi::families()) {
    for (const auto& input : family.inputs) {
      if (input.quantity != meaning.quantity || input.kind != meaning.kind ||
          input.unit != converted->unit)
        continue;
      families += (families.empty() ? "" : ", ") + std::string(family.name);
      break;
    }
  }
  return families.empty() ? "kept as measurements, no KPI uses them" : families;
}

const char* kind_of(const ContentType& content) {
  if (content.master_data) return "master data";
  const auto& all = content.elements;
  const bool measures = std::any_of(all.begin(), all.end(), [](const ElementMeaning& meaning) {
    return meaning.role == Role::value;
  });
  return measures ? "measurements" : "archived only";
}

std::vector<std::string> quantities_of(const ContentType& content) {
  std::set<std::string> quantities;
  for (const auto& meaning : content.elements)
    if (meaning.role == Role::value) quantities.insert(meaning.quantity);
  return {quantities.begin(), quantities.end()};
}

// The tenants that may send a content type now, by content type. Empty when no database is named.
Result<std::map<std::string, std::set<std::string>>> senders(const Session& session) {
  std::map<std::string, std::set<std::string>> senders;
  if (!session.names_data()) return senders;
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::read_only));
  DISTRICT_TRY(const auto records, store::TrustStore(*database).load());
  for (const auto& [code, tenant] : current_tenants(records))
    for (const auto& content : tenant->content_types) senders[content].insert(code);
  return senders;
}

Result<int> list(Session& session) {
  DISTRICT_TRY(const auto validator, session.validator());
  DISTRICT_TRY(auto tenants, senders(session));
  Listing listing({{"content_type", "CONTENT TYPE"},
                   {"kind", "KIND"},
                   {"quantities", "QUANTITIES"},
                   {"tenants", "TENANTS"},
                   {"schema_file", "SCHEMA"}});
  for (const auto& content : validator->content_types()) {
    const auto name = content.type + "/" + content.version;
    const auto& allowed = tenants[name];
    listing.add({name, kind_of(content), cell_of(quantities_of(content), "-"),
                 cell_of(std::vector(allowed.begin(), allowed.end()), "-"), content.schema_file});
  }
  listing.write(session.terminal.out(), session.format());
  return exit_ok;
}

Result<int> check(Session& session, const std::string& path) {
  DISTRICT_TRY(const auto text, read_file(path, limits::kSchemaFileBytesMax));
  xml::initialize();
  // Types and versions come from the name of the file, wherever the file is.
  const auto file = "content/" + std::filesystem::path(path).filename().string();
  DISTRICT_TRY(const auto content, validate::read_content_schema(file, text));
  DISTRICT_CHECK(xml::Schema::compile_text(text, file));
  Listing listing({{"element", "ELEMENT"},
                   {"meaning", "MEANING"},
                   {"quantity", "QUANTITY"},
                   {"unit", "UNIT"},
                   {"use", "USE"}});
  bool good = true;
  for (const auto& meaning : content.elements) {
    const auto use = use_of(meaning);
    good = good && !use.starts_with("UNUSABLE");
    listing.add({meaning.element, role_of(meaning), meaning.quantity, meaning.unit, use});
  }
  listing.write(session.terminal.out(), session.format());
  if (!good) {
    return fail(ErrorCode::config_invalid, file + " has values that no KPI could ever use",
                "use a unit of the quantity that docs/how-to/add-a-content-type.md lists");
  }
  session.terminal.note(file + ": type " + content.type + ", version " + content.version +
                        (content.master_data ? ", master data" : "") +
                        "; its annotations make sense");
  return exit_ok;
}

}  // namespace

void add_content_commands(CLI::App& app, Session& session) {
  auto* content = app.add_subcommand("content", "Content types: annotated schemas of messages");
  content->require_subcommand(1);
  auto* list_command = content->add_subcommand(
      "list", "Show the content types that the server knows, and who may send them");
  add_csv_option(*list_command, session);
  list_command->footer(
      "Without --config or --data: those that are built in.\n\n"
      "Example:\n  districtctl --data /var/lib/district content list");
  list_command->callback([&session] { session.action = [&session] { return list(session); }; });

  auto path = std::make_shared<std::string>();
  auto* command = content->add_subcommand(
      "check", "Say whether the annotations of a schema make sense, and what KPIs use its values");
  command->add_option("file", *path, "TYPE-VERSION.xsd")->type_name("FILE.xsd")->required();
  add_csv_option(*command, session);
  command->footer(
      "Reads the file only. xsd/annotations.xsd is the vocabulary.\n\n"
      "Example:\n  districtctl content check xsd/content/003-001.xsd");
  command->callback(
      [&session, path] { session.action = [&session, path] { return check(session, *path); }; });
}

}  // namespace district::admin
