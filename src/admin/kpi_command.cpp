// districtctl kpi
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include "admin/picture.h"
#include "admin/session.h"
#include "base/local_time.h"
#include "store/series_reader.h"

namespace district::admin {
namespace {

struct KpiOptions {
  std::string tenant, source, meter, kpi, window, from, to;
  bool has_meter = false;  // --meter '' names the meter of a source that is the meter
  bool picture = false;
};

// A longer series of days is drawn as one line for each month.
constexpr std::size_t kBarsMax = 62;
// No window is longer.
constexpr auto kLongestWindow = std::chrono::hours(24 * 3660);

// The values of windows that overlap the time asked for.
Result<std::vector<KpiValue>> find(store::SeriesDatabase& database, const KpiOptions& options,
                                   const LocalTime& local) {
  DISTRICT_TRY(const auto from, read_local_instant("--from", options.from, local));
  DISTRICT_TRY(const auto to, read_local_instant("--to", options.to, local));
  DISTRICT_CHECK(check_order(from, to));
  store::KpiFilter filter;
  filter.tenant = options.tenant;
  if (!options.source.empty()) filter.source = options.source;
  if (options.has_meter) filter.meter = options.meter;
  if (!options.kpi.empty()) filter.kpi = options.kpi;
  if (!options.window.empty()) filter.window = window_kind_of(options.window);
  if (from) filter.from = *from - kLongestWindow;
  filter.to = to;
  DISTRICT_TRY(auto values, store::SeriesReader(database).kpis(filter));
  std::erase_if(values, [&from](const KpiValue& value) { return from && value.end <= *from; });
  return values;
}

std::string with_comma(std::string first, const std::string& second) {
  if (!first.empty() && !second.empty()) first += ", ";
  return first + second;
}

// The attributes that say how far a value can be trusted: weak_model, missing=unit, implausible=3.
// Attributes that every value of the KPI has are only in JSON and CSV.
std::string what_is_special(const KpiValue& value) {
  static const std::set<std::string_view> usual{
      "expected_days", "hours_covered",    "hours_expected", "hours_present",
      "peak_at_utc",   "periods_received", "readings",       "valid_days"};
  std::string remark;
  for (const auto& [name, text] : value.attributes) {
    if (!usual.contains(name))
      remark = with_comma(remark, text == "true" ? name : name + '=' + text);
  }
  return remark;
}

// One row for each value. Every attribute that any of them has is a further column.
Listing listing_of(const std::vector<KpiValue>& values, const LocalTime& local, Format format) {
  std::set<std::string> attributes;
  for (const auto& value : values) {
    for (const auto& [name, text] : value.attributes) attributes.insert(name);
  }
  std::vector<Column> columns{{"tenant", ""},       {"source", "SOURCE"},
                              {"meter", "METER"},   {"kpi", "KPI"},
                              {"window", "WINDOW"}, {"window_start", "START (LOCAL)"},
                              {"window_end", ""},   {"value", "VALUE", true},
                              {"unit", "UNIT"},     {"completeness", "COMPLETE", true},
                              {"status", "STATUS"}, {"revision", "REV", true},
                              {"computed_at", ""}};
  const bool table = format == Format::table;
  if (table) columns.push_back({"remarks", "REMARKS"});
  for (const auto& name : attributes) columns.push_back({name, ""});
  Listing listing(std::move(columns));
  for (const auto& value : values) {
    // A table names the window as people at the site would; programs get UTC.
    const auto shown = !table                             ? std::string()
                       : value.window == WindowKind::hour ? local.minute(value.start)
                                                          : local.day(value.start);
    std::vector<Cell> row{value.meter.tenant,
                          value.meter.source,
                          value.meter.meter,
                          value.kpi,
                          name_of(value.window),
                          {Json(format_instant(value.start, 0)), shown},
                          cell_of(value.end),
                          cell_of(value.value, 3),
                          value.unit,
                          share_cell(value.completeness),
                          name_of(value.status),
                          std::uint64_t{value.revision},
                          cell_of(value.computed_at, 6)};
    if (table) row.push_back(what_is_special(value));
    for (const auto& name : attributes) {
      const auto attribute = value.attributes.find(name);
      if (attribute == value.attributes.end()) row.push_back({Json(nullptr), ""});
      if (attribute != value.attributes.end()) row.push_back(attribute->second);
    }
    listing.add(std::move(row));
  }
  return listing;
}

// The values of one KPI of one meter and one kind of window, by time.
using Series = std::span<const KpiValue>;

bool same_series(const KpiValue& a, const KpiValue& b) {
  return a.meter == b.meter && a.kpi == b.kpi && a.window == b.window;
}

std::vector<std::optional<double>> numbers_of(Series series) {
  std::vector<std::optional<double>> numbers;
  for (const auto& value : series) numbers.push_back(value.value);
  return numbers;
}

std::string remark_of(const KpiValue& value) {
  if (!value.value && value.completeness <= 0) return with_comma("no data", what_is_special(value));
  if (value.status == KpiStatus::complete) return what_is_special(value);
  const auto share =
      name_of(value.status) + (" " + fixed(std::floor(value.completeness * 100), 0)) + " %";
  return with_comma(share, what_is_special(value));
}

void draw_one_bar_a_window(std::ostream& out, Series series, const LocalTime& local, int decimals) {
  std::vector<Bar> bars;
  for (const auto& value : series) {
    const auto label = value.window == WindowKind::month ? local.month(value.start)
                       : value.window == WindowKind::day ? local.day(value.start)
                                                         : local.minute(value.start);
    bars.push_back({label, value.value, remark_of(value)});
  }
  draw_bars(out, bars, decimals);
}

// One sparkline for each day or month, with the lowest and the highest value in it.
template <typename LabelOf>
void draw_sparklines(std::ostream& out, Series series, int decimals, LabelOf label_of) {
  const auto range = range_with_zero(numbers_of(series));
  std::size_t widest = 0;
  const auto for_each_line = [&](auto&& act) {
    for (std::size_t begin = 0, end = 0; begin < series.size(); begin = end) {
      const auto label = label_of(series[begin]);
      while (end < series.size() && label_of(series[end]) == label) ++end;
      act(label, series.subspan(begin, end - begin));
    }
  };
  for_each_line([&](const std::string&, Series line) { widest = std::max(widest, line.size()); });
  for_each_line([&](const std::string& label, Series line) {
    const auto numbers = numbers_of(line);
    out << label << "  " << sparkline(numbers, range) << std::string(widest - line.size(), ' ');
    // A value that is absent sorts before all others.
    const auto highest = *std::max_element(numbers.begin(), numbers.end());
    if (highest) {
      const auto lowest = *std::min_element(numbers.begin(), numbers.end(),
                                            [](auto a, auto b) { return a && (!b || *a < *b); });
      out << "  " << fixed(*lowest, decimals) << " to " << fixed(*highest, decimals);
    } else {
      out << "  no data";
    }
    out << '\n';
  });
}

void draw(std::ostream& out, Series series, const LocalTime& local) {
  const auto& first = series.front();
  out << printable(first.meter.source);
  if (!first.meter.meter.empty()) out << ' ' << printable(first.meter.meter);
  out << "  " << first.kpi;
  if (!first.unit.empty()) out << ", " << printable(first.unit);
  out << ", by " << name_of(first.window) << '\n';
  const auto decimals = decimals_for(range_with_zero(numbers_of(series)));
  if (series.size() > kBarsMax && first.window == WindowKind::day) {
    draw_sparklines(out, series, decimals, [&](const KpiValue& v) { return local.month(v.start); });
  } else if (first.window == WindowKind::hour) {
    draw_sparklines(out, series, decimals, [&](const KpiValue& v) { return local.day(v.start); });
  } else {
    draw_one_bar_a_window(out, series, local, decimals);
  }
}

void draw_all(std::ostream& out, const std::vector<KpiValue>& values, const LocalTime& local) {
  for (auto begin = values.begin(); begin != values.end();) {
    const auto end = std::find_if(
        begin, values.end(), [&](const KpiValue& value) { return !same_series(*begin, value); });
    if (begin != values.begin()) out << '\n';
    draw(out, Series(begin, end), local);
    begin = end;
  }
}

Result<Ok> check_names(store::SeriesDatabase& database, const KpiOptions& options) {
  DISTRICT_CHECK(check_kpi_name(options.kpi));
  return check_meter_names(database, options.tenant, options.source,
                           options.has_meter ? std::optional(options.meter) : std::nullopt);
}

Result<int> show(Session& session, const KpiOptions& options) {
  if (options.tenant.empty()) {
    return fail(ErrorCode::admin_invalid, "--tenant is required",
                "'districtctl tenant list' shows the tenants");
  }
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::read_only));
  DISTRICT_TRY(const auto series, session.open_series(store::OpenMode::read_only));
  DISTRICT_TRY(const auto tenant, find_tenant(*database, options.tenant));
  DISTRICT_TRY(const auto local, LocalTime::of(tenant.zone));
  DISTRICT_TRY(auto values, find(*series, options, local));
  if (values.empty()) DISTRICT_CHECK(check_names(*series, options));
  const auto format = session.format();
  std::size_t hours = 0;
  if (format == Format::table && options.window.empty()) {
    // People rarely want them, and they would bury the rest.
    hours = std::erase_if(values, [](const KpiValue& v) { return v.window == WindowKind::hour; });
  }
  if (options.picture && format == Format::table) {
    draw_all(session.terminal.out(), values, local);
  } else {
    listing_of(values, local, format).write(session.terminal.out(), format);
  }
  if (hours > 0) {
    session.terminal.note(grouped(hours) +
                          " values of hours are left out; --window hour shows them");
  }
  if (values.empty() && hours == 0) {
    session.terminal.note(
        "no rows: no KPI value fits; 'districtctl status' tells whether work is "
        "waiting");
  }
  return exit_ok;
}

}  // namespace

void add_kpi_command(CLI::App& app, Session& session) {
  auto options = std::make_shared<KpiOptions>();
  auto* command = app.add_subcommand("kpi", "Show KPIs, a row a value, or a picture of them");
  command->add_option("--tenant", options->tenant, "Its tenantCode; required")->type_name("CODE");
  command->add_option("--source", options->source, "Only this messageSourceElement")
      ->type_name("NAME");
  auto* meter = command->add_option("--meter", options->meter, "Only this meter of the source")
                    ->type_name("ID");
  command->add_option("--kpi", options->kpi, "Only this KPI, e.g. energy_kwh")->type_name("KPI");
  add_window_option(*command, options->window,
                    "Only windows of this kind; default: all, but no hours in tables");
  command->add_option("--from", options->from, "Only windows that end after")->type_name("DATE");
  command->add_option("--to", options->to, "Only windows that begin before")->type_name("DATE");
  auto* picture =
      command->add_flag("--picture", options->picture, "Draw each series instead of listing it");
  add_csv_option(*command, session);
  picture->excludes(command->get_option("--csv"), command->get_option("--csv-exact"));
  command->footer(
      "DATE is a day (2018-03-01: midnight of the tenant's zone) or an instant "
      "(2018-03-01T12:00:00Z).\nTables show the site's local time; --json and --csv have UTC and "
      "further columns.\n\n"
      "Examples:\n"
      "  districtctl --data /var/lib/district kpi --tenant 20 --from 2018-03-01 --to 2018-04-01\n"
      "  districtctl --data /var/lib/district kpi --tenant 20 --kpi energy_kwh --window day "
      "--picture\n"
      "  districtctl --data /var/lib/district kpi --tenant 10 --source House12 --csv > kpis.csv");
  add_kpi_explain_command(*command, session);
  add_kpi_recompute_command(*command, session);
  add_kpi_catalogue_command(*command, session);
  command->callback([&session, options, meter, command] {
    if (!command->get_subcommands().empty()) return;
    options->has_meter = meter->count() > 0;
    session.action = [&session, options] { return show(session, *options); };
  });
}

}  // namespace district::admin
