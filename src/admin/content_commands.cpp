// districtctl content
#include <CLI/CLI.hpp>

#include <filesystem>

#include "admin/session.h"
#include "quantify/catalogue.h"
#include "quantify/units.h"
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

// Families of KPIs that would use the values of an element.
std::string use_of(const ElementMeaning& meaning) {
  if (meaning.role == Role::attribute)
    return quantify::matters(meaning.element) ? "KPIs depend on it" : "kept, no KPI uses it";
  if (meaning.role != Role::value) return {};
  const auto converted = quantify::conversion(meaning.quantity, meaning.unit);
  if (!converted) return "UNUSABLE: " + meaning.quantity + " cannot be converted from this unit";
  std::string families;
  for (const auto& family : quantify::families()) {
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

Result<int> check(Session& session, const std::string& path) {
  DISTRICT_TRY(const auto text, read_file(path));
  xml::initialize();
  // Types and versions are of the file's name, wherever the file is.
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
