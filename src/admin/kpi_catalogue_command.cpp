// districtctl kpi catalogue
#include <CLI/CLI.hpp>
#include <array>
#include <cctype>
#include <ostream>
#include <string>
#include <vector>

#include "admin/session.h"
#include "config/standards_file.h"
#include "kpi/catalogue.h"
#include "series/plausibility.h"

namespace district::admin {
namespace {

std::string windows_of(const kpi::KpiDefinition& kpi) {
  std::string text;
  for (const auto window : kpi.windows)
    text += (text.empty() ? "" : ", ") + std::string(name_of(window));
  return text;
}

std::string escaped(std::string_view text) {  // for a cell of a Markdown table
  std::string result;
  for (const char c : text) result += c == '|' ? "\\|" : std::string(1, c);
  return result;
}

void write_family(std::ostream& out, const kpi::FamilyDefinition& family) {
  out << "\n## " << static_cast<char>(std::toupper(family.name.front())) << family.name.substr(1)
      << "\n\nInputs: ";
  const char* separator = "";
  for (const auto& input : family.inputs) {
    out << separator << '`' << input.quantity << '`';
    if (input.unit != "meter") out << " in " << input.unit;
    separator =
        input.quantity == family.inputs.front().quantity ? "; where there are some, " : ", ";
  }
  out << ". Master data: ";
  separator = "";
  for (const auto fact : family.facts) {
    out << separator << '`' << fact << '`';
    separator = ", ";
  }
  out << ".\n\n| KPI | formula | unit | windows | completeness | source |\n"
         "|---|---|---|---|---|---|\n";
  for (const auto& kpi : kpi::catalogue()) {
    if (kpi.family != family.family) continue;
    out << "| `" << kpi.id << "` | " << escaped(kpi.formula) << " | "
        << (kpi.unit.empty() ? "the meter's" : kpi.unit) << " | " << windows_of(kpi) << " | "
        << text_of(kpi.completeness) << " | " << kpi.source << " |\n";
  }
}

void write_settings(std::ostream& out) {
  out << "\n## Settings\n\n"
         "What the standards leave open is in `standards.toml` of the data folder, a key a line; "
         "without the file all is as below. The server reads it when it starts and refuses one "
         "that it does not understand; `districtd --check-config` says the same beforehand. "
         "`districtctl kpi recompute` applies a change to what is there. What belongs to one "
         "meter is master data: its step, threshold, outdoor sensor, and the unit of what it "
         "sends is in the content schema.\n\n"
         "| key | unit | default | range | meaning |\n|---|---|---|---|---|\n";
  for (const auto& key : config::standards_keys()) {
    out << "| `" << key.name << "` | " << key.unit << " | " << key.standard << " | " << key.range
        << " | " << key.meaning << " |\n";
  }
  out << "\nThe categories of comfort (EN 16798-1) are tables, limits in degrees Celsius; "
         "`adaptive` is added to the adaptive comfort temperature. The defaults:\n\n```toml\n";
  constexpr std::array kNames = {"I", "II", "III", "IV"};
  const Standards standards;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const auto& category = standards.comfort[i];
    const auto limits = [&out](const char* name, const ComfortLimits& l) {
      out << name << " = [" << l.low << ", " << l.high << "]\n";
    };
    out << (i == 0 ? "" : "\n") << "[comfort." << kNames[i] << "]\n";
    limits("heating", category.heating);
    limits("cooling", category.cooling);
    if (category.adaptive.low != category.adaptive.high) limits("adaptive", category.adaptive);
  }
  out << "```\n";
}

void write_page(std::ostream& out) {
  out << "# KPIs\n\n"
         "Written by `districtctl kpi catalogue` from the catalogue that the quantifier runs "
         "from; a test keeps it so.\n\n"
         "The rules that the formulas rely on are in [The rules of KPIs](kpi-rules.md): windows "
         "and "
         "the calendar, which of several values counts, completeness and status, registers, the "
         "weather model, and what a row has.\n";
  for (const auto& family : kpi::families()) write_family(out, family);
  out << "\n## Rules of plausibility\n\n"
         "[Section 4 of the rules](kpi-rules.md#4-plausibility) says what becomes of a value that "
         "breaks one of these, and what is usual.\n\n"
         "| rule | a value that | KPI windows count it |\n|---|---|---|\n";
  for (const auto& rule : series::rules()) {
    out << "| `" << rule.name << "` | " << rule.explanation << " | "
        << (rule.has_window ? "yes" : "no, it has none") << " |\n";
  }
  write_settings(out);
}

// Only the KPIs, for programs, as /api/v1/kpis/catalogue has them.
void write_rows(std::ostream& out, Format format) {
  Listing listing({{"kpi", ""},
                   {"formula", ""},
                   {"unit", ""},
                   {"family", ""},
                   {"windows", ""},
                   {"completeness", ""},
                   {"source", ""}});
  for (const auto& kpi : kpi::catalogue()) {
    std::vector<std::string> windows;
    for (const auto window : kpi.windows) windows.emplace_back(name_of(window));
    listing.add({std::string(kpi.id), std::string(kpi.formula), std::string(kpi.unit),
                 std::string(kpi::definition_of(kpi.family).name), cell_of(windows, ""),
                 text_of(kpi.completeness), std::string(kpi.source)});
  }
  listing.write(out, format);
}

Result<int> write_catalogue(Session& session) {
  if (session.format() == Format::table) {
    write_page(session.terminal.out());
  } else {
    write_rows(session.terminal.out(), session.format());
  }
  return exit_ok;
}

}  // namespace

void add_kpi_catalogue_command(CLI::App& kpi, Session& session) {
  auto* command =
      kpi.add_subcommand("catalogue", "Print every KPI's definition, as docs/reference/kpis.md");
  add_csv_option(*command, session);
  command->footer(
      "--json and --csv have the KPIs alone, a row each. Needs no database.\n\n"
      "Examples:\n"
      "  districtctl kpi catalogue > docs/reference/kpis.md\n"
      "  districtctl kpi catalogue --csv > catalogue.csv");
  command->callback(
      [&session] { session.action = [&session] { return write_catalogue(session); }; });
}

}  // namespace district::admin
