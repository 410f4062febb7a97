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

void write_common_rules(std::ostream& out) {
  out << "\n## What holds for all\n\n"
         "- **The value that counts** for a meter, a quantity and a period or instant is the one "
         "that was received last; in one request, the later message. An equal one is a duplicate: "
         "it changes nothing, and its period is as old as before.\n"
         "- **Periods that overlap** with another start or end are settled from the latest "
         "received to the earliest. A period counts unless it overlaps one that counts; otherwise "
         "it is left out, and leaves out nothing itself. Ends that overlap by at most 2 s, and by "
         "less than half of the shorter period, are one boundary; so are ends of periods of energy "
         "that miss each other, or the window's, by as little. A period that counts gives way "
         "to finer ones that were received before it: to those that lie within it (to 2 s), are "
         "at most half as long, would count among themselves by this rule, and together last at "
         "least 99 % of it. So a day's total that comes after its hours changes nothing.\n"
         "- **A period across a boundary** gives each window its share of the energy, cost and "
         "hours. Peaks, percentiles, average prices and data quality have it in the window in "
         "which it starts. Whether it is of the night, its CO2 factor, season and running mean are "
         "those at its start, for all of it. A price or a series' CO2 factor applies to "
         "periods that it covers wholly.\n"
         "- **Master data** of a window (areas, installed power, unit, medium) are those at its "
         "end. A sample's threshold and hold and the step of data quality are those at the "
         "instant, a register's modulus that at the later reading. The zone is that of the latest "
         "`valid_from`.\n"
         "- **Days** of temperatures (T_d) are means weighted by time. A day is valid when values "
         "cover at least half of it. Degree days of a window without a valid day are null, not "
         "0.\n"
         "- **Windows** have rows where values lie, or samples may be held, and in gaps from start "
         "to start of at most three days (hours), 31 days (days), two years (months) or ten years "
         "(years): a gap shows at the level where people look for it, and no value brings more "
         "than 73 windows of a kind without a value. Without data their values are null; "
         "`availability` is 0 where the step is known.\n"
         "- **Registers**: readings at the start of a window are its own, those at its end are "
         "the next one's. At an exchange the registers of both meters count as one reading; where "
         "they are "
         "not stated, the time between the two meters' readings adds nothing and is not covered.\n"
         "- **Exchanges**: a meter replaces the one that its latest `replaces_meter` names, and "
         "goes on from that one's register; a chain of exchanges ends where one is not earlier "
         "than the next. Of several meters that replace the same one, that of the earliest "
         "exchange is its successor (`continued_by`, `replaced_final_register`); of the same "
         "instant, the first by name. Readings of the new meter from before the exchange, and of "
         "the old one from then on where its final register is stated, are no part of consumption; "
         "data quality counts them. A gap between a reading and an exchange has rows like one "
         "between two readings. An exchange is the meter's own: no site hands one down.\n"
         "- **A register's step** down is a rollover when the modulus is known and explains it: "
         "across the end of its digits the register grows by at most half of the modulus, and by "
         "at most a thousandth of it an hour (of steps shorter than a day, what a day may have). "
         "Any other step down is an anomaly, and adds nothing. The "
         "time of an anomaly, and that of a step up out of all proportion (`rises`: counted, but "
         "more than 100 times as fast as the upper quartile of the steps up of the months around, "
         "of which there are at least 8; or more than a rollover may have; or to the final "
         "register "
         "of a meter that had fallen, by more than it had counted since), is not covered. With "
         "either in it a window is never `complete`: it is `partial` when they take at most a "
         "tenth of its time, else `insufficient`. It is `partial`, too, where more of its readings "
         "were set aside than count.\n"
         "- **Data quality** measures time. A period covers the time from its start to its end; a "
         "reading or a sample stands for one `nominal_step`, or for samples what the settings say: "
         "it covers the first time not covered yet, from one step before its instant to one step "
         "after it. Time counts once. Periods that are left out because of an overlap are not "
         "counted, those of implausible values are: they were received.\n";
  out << "\n## Outliers of a register\n\n"
         "A register only counts up. Where it falls and nothing explains the fall, either what "
         "was before it is wrong, or what comes after it, or the register was reset. What the "
         "register does later tells. The readings of a UTC month are judged from those of the "
         "month, the one before and the one after it, each instant by the version received "
         "last:\n\n"
         "- **High readings** are outliers when the register falls back to no less than the last "
         "reading before them, the fall undoes more than half of their rise, and they came in a "
         "jump.\n"
         "- **Low readings** are outliers when the register comes back to at least the last "
         "reading "
         "before them, in a jump. A register that counts its way back was reset, and so was one "
         "that stays low.\n"
         "- **A jump** is a step of more than half of the way up. A step over part of the way that "
         "is no faster than twice the median of the steps up (of at least 8) is none: it is growth "
         "during a gap between readings.\n"
         "- A register that is low again after it seemed to have come back had not come back: the "
         "high readings were the outliers.\n"
         "- Readings that stand against others, which would be outliers then, are at least as "
         "many, or at least six and no fewer than a 64th of them; otherwise most of the readings "
         "of the three months must be on their side. So a bad reading with which the three months "
         "begin does not decide.\n"
         "- A reading that fits between the two that remain around it remains.\n\n"
         "Outliers take no part: the readings before and after them make the difference. An "
         "earlier version for the same instant counts if it fits between these two.\n";
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

void write_what_is_usual(std::ostream& out) {
  out << "\nWhat is **usual** for energy and power comes from the series itself, from the other "
         "UTC "
         "days up to 14 before and after the value's. The level of a day is what an eighth of its "
         "values above 0 reach, and at least two (as power: energy by the hour); of fewer than "
         "four values, the largest. Its base is what as many are not above. Usual is the level "
         "that a seventh of the days reach, and at least two, so that what a site does once a week "
         "is; the smallest usual value is the one that the smallest values of all days but so "
         "many keep above. Days whose base is more than 50 times the median of the bases are left "
         "out: they came in another unit as a whole. For each period the value received last "
         "counts. A value is judged anew when the days around it change. Series of weekly or "
         "monthly values do not have six other days so near, and are judged only when there are 8 "
         "values in those days.\n\n"
         "A mistake that looks like any other value of its series cannot be told: a gas meter that "
         "counts 0.01 kWh in one hour and 12 in another may say 10 where 0.01 is meant.\n";
}

void write_page(std::ostream& out) {
  out << "# KPIs\n\n"
         "Written by `districtctl kpi catalogue` from the catalogue that the quantifier runs "
         "from; a test keeps it so.\n\n"
         "A value has the window's start and end, completeness, status (`complete`; `partial` from "
         "0.9; `insufficient`; `estimated` for registers), a revision that grows when the value "
         "changes, and the time of its computation. Attributes of a value are further columns: "
         "`missing` names the master data or quantity that it lacks, `estimated_values` how many "
         "of its inputs a gateway estimated, `disputed` how many came with another value for the "
         "same "
         "period in the same envelope (the later message counts, and the row is never `complete`), "
         "`excluded_overlaps` how many a later received value "
         "overlaps, `implausible` how many a rule below set aside. The status says how complete "
         "the "
         "data are, not how well a model fits them: `weak_model` marks one that fits badly, "
         "whatever the status is. A window without data inside a "
         "series is a row without a value. Hours are of UTC, the others of the site's calendar.\n";
  write_common_rules(out);
  for (const auto& family : kpi::families()) write_family(out, family);
  out << "\n## Rules of plausibility\n\n"
         "A value that breaks a rule is kept, counted (`districtctl status`), shown by `kpi "
         "explain`, and used for nothing but data quality. It takes no part in supersession: a "
         "correction that cannot be true does not displace what it was to correct.\n\n"
         "| rule | a value that | KPI windows count it |\n|---|---|---|\n";
  for (const auto& rule : series::rules()) {
    out << "| `" << rule.name << "` | " << rule.explanation << " | "
        << (rule.has_window ? "yes" : "no, it has none") << " |\n";
  }
  write_what_is_usual(out);
  write_settings(out);
}

// The KPIs alone, for programs; as /api/v1/kpis/catalogue has them.
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

void add_catalogue_command(CLI::App& kpi, Session& session) {
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
