// Forges every column of every table, keeping the database's own constraints satisfied, and sees
// that 'log verify' or 'audit replay' tells. What they do not tell is listed here, with the reason,
// and no reader shows it: the test compares what readers give before and after.
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include "../support/everything.h"
#include "../support/tamper.h"
#include "archive/stored_octets.h"
#include "audit/replay.h"
#include "log/log.h"
#include "store/archive_reader.h"
#include "store/inventory.h"
#include "store/ledger.h"
#include "store/log_reader.h"

using namespace district;
using test::must;

namespace {

// These are tried with a large envelope, which is slow, the others without.
const std::set<std::string> kOfLarge{"large_chunk", "staging", "raw_counter"};

// "table.column", or "table row removed", "table row added": why nobody need be told.
const std::map<std::string, std::string> kUntold{
    {"log_head.committed_at", "no reader shows it; what happened when is in the leaves"},
    {"envelope.trust_epoch",
     "no reader shows it; the replay takes the trust of the time of receipt"},
    {"raw_chunk.octets", "a changed bit that unpacks to the same octets"},
    {"large_chunk.octets", "a changed bit that unpacks to the same octets"},
    {"measurement_count row added", "a count of nothing that has a name"},
    {"replay.created", "0: an earlier version has not recorded it; the key alone is as good"},
    {"replay.replay_until", "only when the key may go; one that went too early is told"},
    {"replay_horizon.pruned_until", "beyond it the server refuses; no reader shows it"},
    {"replay_horizon.life", "beyond it the server refuses; no reader shows it"},
    {"work_item.leased_by", "who takes it up, in the end; no reader shows it"},
    {"finished_into.commits", "for the comparison with a backup of the series; no reader shows it"},
    {"identity.tree_size", "for the comparison with a backup of the archive; no reader shows it"},
    {"identity.root_hash", "for the comparison with a backup of the archive; no reader shows it"},
    {"identity.commits", "for the comparison with a backup of the series; no reader shows it"},
    {"staging.node", "a left-over that is nobody's"},
    {"staging.lease_until", "a left-over that is nobody's"},
    {"work_item.lease_until", "when the quantifier takes it up; no reader shows it"},
    {"certificate row added", "one that is enrolled for nobody may do nothing"},
    {"staging.raw_id", "a left-over that is nobody's"},
    {"staging.chunk_count", "a left-over that is nobody's"},
    {"staging row removed", "a left-over that is nobody's"},
    {"staging row added", "a left-over that is nobody's"},
    {"left over large_chunk.raw_id", "a left-over that is nobody's"},
    {"left over large_chunk.chunk_index", "a left-over that is nobody's"},
    {"left over large_chunk.octets", "a left-over that is nobody's"},
    {"left over large_chunk row removed", "a left-over that is nobody's"},
    {"left over large_chunk row added", "a left-over that is nobody's"},
    {"large_chunk row added", "octets that no envelope names"},
    {"raw_counter.next_id", "one that is ahead leaves numbers out; one that is behind is told"},
    {"series.longest", "one that is longer only has readers look further"},
    {"series.last_start", "one that is later only has readers look further"},
    {"series.packed_until", "of a series without rows it has nothing to part"},
    {"kpi row added", "a name that no value has"},
    {"kpi_chunk.octets",
     "revision and computed_at: when and how often it was computed, which the "
     "raw envelopes cannot give"},
    {"quantify_failure.failed_at", "when it was computed, which the raw envelopes cannot give"},
};

// Of these it depends on the octets, which are others each time, whether it is told.
const std::set<std::string> kMayBeTold{"raw_chunk.octets", "large_chunk.octets",
                                       "kpi_chunk.octets"};

struct Table {
  struct Column {
    std::string name, type;
    bool nullable = false, key = false, unique = false;
  };
  std::string name;
  std::vector<Column> columns;
  std::string list;               // of its columns
  std::vector<std::string> rows;  // conditions that name one row each
  bool in_series = false;         // else in the archive
};

struct Forgery {
  std::string key;  // of kUntold
  std::string what;
  std::vector<std::string> sql;
};

std::vector<std::vector<std::string>> select(store::Database& database, const std::string& sql,
                                             int columns) {
  auto row = must(database.prepare(sql));
  std::vector<std::vector<std::string>> rows;
  while (must(row.step())) {
    auto& values = rows.emplace_back();
    for (int i = 0; i < columns; ++i) values.push_back(row.text(i));
  }
  return rows;
}

std::string quoted(const Table& table, const std::string& between) {
  std::string list;
  for (const auto& column : table.columns)
    list += (list.empty() ? "" : between) + "quote(" + column.name + ")";
  return list;
}

std::vector<Table> tables_of(store::Database& database, bool in_series) {
  std::vector<Table> tables;
  for (const auto& name : select(database,
                                 "SELECT name FROM sqlite_schema WHERE type = 'table' "
                                 "AND name NOT LIKE 'sqlite_%' ORDER BY name",
                                 1)) {
    auto& table = tables.emplace_back();
    table.name = name[0];
    table.in_series = in_series;
    for (const auto& column : select(database,
                                     "SELECT name, type, \"notnull\", pk FROM pragma_table_info('" +
                                         table.name + "') ORDER BY cid",
                                     4)) {
      table.columns.push_back({column[0], column[1], column[2] == "0", column[3] != "0", false});
      table.list += (table.list.empty() ? "" : ", ") + column[0];
    }
    for (const auto& unique : select(database,
                                     "SELECT i.name FROM pragma_index_list('" + table.name +
                                         "') l, pragma_index_info(l.name) i "
                                         "WHERE l.\"unique\" = 1",
                                     1)) {
      for (auto& column : table.columns) column.unique = column.unique || column.name == unique[0];
    }
    const auto rows = select(database, "SELECT " + quoted(table, ", ") + " FROM " + table.name,
                             static_cast<int>(table.columns.size()));
    // At most three, evenly.
    const auto step = std::max<std::size_t>(1, (rows.size() + 2) / 3);
    for (std::size_t i = 0; i < rows.size(); i += step) {
      std::string condition;
      for (std::size_t c = 0; c < table.columns.size(); ++c) {
        if (!table.columns[c].key) continue;
        condition +=
            (condition.empty() ? "" : " AND ") + table.columns[c].name + " = " + rows[i][c];
      }
      table.rows.push_back(condition);
    }
  }
  return tables;
}

// SQL for another value of the column in the row, of a kind that its constraints may allow.
std::vector<std::string> other_values(store::Database& database, const Table& table,
                                      const Table::Column& column, const std::string& row) {
  const auto found = select(database,
                            "SELECT typeof(" + column.name + "), quote(" + column.name + ") FROM " +
                                table.name + " WHERE " + row,
                            2);
  const auto& type = found.at(0)[0];
  const auto& value = found.at(0)[1];
  std::vector<std::string> others;
  if (type == "null") {
    others.push_back(column.type == "INTEGER" ? "1" : column.type == "TEXT" ? "'x'" : "x'00'");
  }
  if (type == "integer") {
    others = {value + " + 1", value + " - 1", value + " + 86400000000", value + " * 2 + 7"};
    if (value != "0") others.push_back("0");
  }
  if (type == "real") others = {value + " + 0.5"};
  if (type == "text") {
    others = {value + " || 'x'", "substr(" + value + ", 1, length(" + value + ") - 1) || '1'",
              "'0' || substr(" + value + ", 2)"};
  }
  if (type == "blob" && value.size() > 3) {
    const auto octets = value.size() / 2 - 1;
    for (const auto at : {std::size_t{0}, octets / 3, octets / 2, octets - 1}) {
      auto hex = value;
      auto& digit = hex[2 + 2 * at + 1];
      digit = digit == '4' ? '5' : '4';
      others.push_back(hex);
    }
  }
  if (column.nullable && type != "null") others.push_back("NULL");
  if (column.nullable && type != "null" && column.type == "TEXT") others.push_back("''");
  return others;
}

std::string prefix_of(const Table& table, const std::string& row, std::uint64_t left_over) {
  const bool is_left =
      table.name == "large_chunk" && row.starts_with("raw_id = " + std::to_string(left_over) + " ");
  return (is_left ? "left over " : "") + table.name;
}

// A copy of the row that differs in the columns that must.
std::vector<Forgery> added_rows(store::Database& database, const Table& table,
                                const std::string& row, const std::string& prefix) {
  std::vector<Forgery> forgeries;
  const auto add = [&](bool all, const std::string& only, std::size_t variant) {
    std::string values;
    for (const auto& column : table.columns) {
      const bool other = all ? column.key || column.unique : column.name == only;
      const auto others =
          other ? other_values(database, table, column, row) : std::vector<std::string>{};
      values += (values.empty() ? "" : ", ") +
                (others.empty() ? column.name : others[variant % others.size()]);
    }
    forgeries.push_back({prefix + " row added",
                         row + " as " + values,
                         {"INSERT INTO " + table.name + " (" + table.list + ") SELECT " + values +
                          " FROM " + table.name + " WHERE " + row}});
  };
  for (std::size_t variant = 0; variant < 4; ++variant) {
    add(true, {}, variant);
    for (const auto& column : table.columns)
      if (column.key) add(false, column.name, variant);
  }
  return forgeries;
}

// The two rows have each other's value of the column.
Forgery swapped(store::Database& database, const Table& table, const Table::Column& column,
                const std::string& row, const std::string& other, const std::string& prefix) {
  const auto value = [&](const std::string& where) {
    return select(database,
                  "SELECT quote(" + column.name + ") FROM " + table.name + " WHERE " + where, 1)
        .at(0)[0];
  };
  const auto first = value(row), second = value(other);
  const auto set = [&](const std::string& to, const std::string& where) {
    return "UPDATE " + table.name + " SET " + column.name + " = " + to + " WHERE " + where;
  };
  Forgery forgery{prefix + "." + column.name, row + " swapped with " + other, {}};
  if (!column.key) {
    forgery.sql = {set(second, row), set(first, other)};
    if (column.unique) forgery.sql = {set("NULL", row), set(first, other), set(second, row)};
    return forgery;
  }
  // Its key is what names a row: by way of a third one.
  const auto third = column.type == "INTEGER" ? first + " + 123456" : "zeroblob(32)";
  const auto with = [&](std::string where, const std::string& from, const std::string& to) {
    const auto name = column.name + " = ";
    const auto at = where.find(name + from);
    return where.replace(at, (name + from).size(), name + to);
  };
  forgery.sql = {set(third, row), set(first, other), set(second, with(row, first, third))};
  return forgery;
}

std::vector<Forgery> forgeries_of(store::Database& database, const Table& table,
                                  std::uint64_t left_over) {
  std::vector<Forgery> forgeries;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const auto& row = table.rows[i];
    const auto prefix = prefix_of(table, row, left_over);
    for (const auto& column : table.columns) {
      for (const auto& value : other_values(database, table, column, row)) {
        forgeries.push_back(
            {prefix + "." + column.name,
             row + " to " + value.substr(0, 60),
             {"UPDATE " + table.name + " SET " + column.name + " = " + value + " WHERE " + row}});
      }
      if (i + 1 < table.rows.size())
        forgeries.push_back(swapped(database, table, column, row, table.rows[i + 1], prefix));
    }
    forgeries.push_back(
        {prefix + " row removed", row, {"DELETE FROM " + table.name + " WHERE " + row}});
    auto added = added_rows(database, table, row, prefix);
    std::move(added.begin(), added.end(), std::back_inserter(forgeries));
  }
  return forgeries;
}

// Text of what every reader gives, but for what tells when and how often something was computed.
class View {
 public:
  View(store::ArchiveDatabase& database, store::SeriesDatabase& series)
      : database_(database), series_database_(series), archive_(database), series_(series) {}

  std::string text() {
    envelopes();
    trust();
    meters();
    derived();
    return std::move(out_).str();
  }

 private:
  template <typename T, typename Show>
  void show(const Result<T>& result, Show each) {
    if (!result) {
      out_ << "error " << result.error().detail << '\n';
      return;
    }
    each(*result);
    out_ << '\n';
  }
  std::string text_of(std::optional<Instant> at) { return at ? format_instant(*at) : "-"; }

  void envelopes() {
    for (const auto* tenant : {"", "10", "20", "30"}) {
      store::EnvelopeFilter filter;
      if (*tenant != 0) filter.tenant = tenant;
      show(archive_.list(filter), [&](const auto& all) {
        for (const auto& e : all) {
          out_ << e.leaf_index << ' ' << e.receipt_id << ' ' << format_instant(e.received_at) << ' '
               << e.tenant << ' ' << to_hex(e.certificate_sha256) << e.signature_method
               << e.message_count << e.source << e.content_type << '|' << e.content_encoding << '|'
               << e.soap_action << '|' << e.raw_size << ' ' << e.stored_size << ' '
               << to_hex(e.payload_digest) << e.tree_size << e.quantified << '\n';
          show(archive::read_octets(archive_, e),
               [&](const auto& octets) { out_ << std::hash<std::string_view>()(as_text(octets)); });
        }
      });
    }
    show(store::LogReader(database_).head(),
         [&](const auto& head) { out_ << to_hex(head.root_hash); });
    show(store::take_inventory(database_, series_database_), [&](const auto& i) {
      out_ << i.envelopes << ' ' << i.work_waiting << ' ' << i.work_failed;
    });
    show(store::Ledger(database_).kept_keys(), [&](const auto& keys) {
      std::set<std::string> receipts;
      for (const auto& key : keys) {
        const auto receipt = store::Ledger(database_).resolve(key.replay_key, key.created);
        if (receipt && *receipt)
          receipts.insert((*receipt)->receipt_id + " " + std::to_string((*receipt)->tree_size));
      }
      for (const auto& receipt : receipts) out_ << receipt << ' ';
    });
  }

  void trust() {
    show(store::TrustStore(database_).load(), [&](const auto& records) {
      out_ << records.epoch << '\n';
      for (const auto& t : records.tenants) {
        out_ << t.code << t.name << t.zone << format_instant(t.valid_from);
        for (const auto& list : {t.content_types, t.sources})
          for (const auto& each : list) out_ << ' ' << each;
      }
      for (const auto& e : records.enrolments) {
        out_ << e.tenant << to_hex(e.certificate_sha256) << to_hex(e.certificate_der) << e.subject
             << format_instant(e.valid_from) << text_of(e.valid_to) << text_of(e.allow_sha1_until)
             << text_of(e.revoked_at) << e.revocation_reason << '\n';
      }
    });
    show(store::ApiKeyStore(database_).list(), [&](const auto& keys) {
      for (const auto& k : keys) {
        out_ << k.key_id << to_hex(k.secret_sha256) << k.name << static_cast<int>(k.role)
             << k.every_tenant << format_instant(k.created_at) << format_instant(k.expires_at)
             << text_of(k.revoked_at) << k.revocation_reason;
        for (const auto& tenant : k.tenants) out_ << ' ' << tenant;
      }
    });
  }

  void meters() {
    show(store::all_meters(series_database_), [&](const auto& all) {
      for (const auto& meter : all) {
        out_ << meter.tenant << ' ' << meter.source << ' ' << meter.meter << '\n';
        const auto id = series_.find_meter(meter);
        if (!id || !*id) continue;
        show(series_.facts(**id), [&](const auto& facts) {
          for (const auto& [fact, origin] : facts)
            out_ << fact.attribute << fact.value << format_instant(fact.valid_from)
                 << text_of(fact.valid_to) << origin.receipt_id;
        });
        show(series_.series_of(**id), [&](const auto& all_series) {
          for (const auto& s : all_series) out_ << s.quantity << s.unit << name_of(s.kind);
        });
      }
    });
    show(archive_.site_imports(), [&](const auto& imports) {
      for (const auto& i : imports) out_ << i.leaf_index << i.tenant << i.statements;
    });
  }

  void measurements(const store::MeasurementFilter& filter) {
    show(series_.measurements(filter), [&](const auto& all) {
      for (const auto& m : all) {
        out_ << m.meter.source << m.meter.meter << m.observation.quantity << m.observation.unit
             << format_instant(m.observation.start) << format_instant(m.observation.end)
             << m.observation.value << ' ' << m.observation.flags << ' ' << name_of(m.state)
             << m.origin.receipt_id << format_instant(m.origin.received_at) << '\n';
      }
    });
  }

  void kpis(const store::KpiFilter& filter) {
    show(series_.kpis(filter), [&](const auto& all) {
      for (const auto& k : all) {
        out_ << k.meter.source << k.meter.meter << k.kpi << name_of(k.window)
             << format_instant(k.start) << format_instant(k.end) << k.value.value_or(-1) << k.unit
             << k.completeness << name_of(k.status);
        for (const auto& [name, value] : k.attributes) out_ << name << value;
        out_ << '\n';
      }
    });
  }

  void derived() {
    measurements({});
    kpis({});
    for (const auto* day : {"2018-01-30T00:00:00Z", "2018-02-11T00:00:00Z", "2018-03-01T00:00:00Z",
                            "2018-11-30T00:00:00Z", "2018-12-02T00:00:00Z"}) {
      const auto from = *parse_date_time(day), to = from + std::chrono::hours(24);
      measurements({{}, {}, {}, {}, {}, from, to});
      kpis({{}, {}, {}, {}, {}, from, to});
      show(series_.envelopes_between(from, to), [&](const auto& receipts) {
        for (const auto& each : receipts) out_ << each;
      });
    }
    show(series_.failures(), [&](const auto& failures) {
      for (const auto& f : failures)
        out_ << f.origin.receipt_id << f.tenant << static_cast<int>(f.code) << f.reason;
    });
    show(series_.counts(), [&](const auto& counts) {
      for (const auto& [state, number] : counts.measurements)
        if (number != 0) out_ << name_of(state) << number << ' ';
      for (const auto& [rule, number] : counts.rules) out_ << rule << number << ' ';
    });
  }

  store::ArchiveDatabase& database_;
  store::SeriesDatabase& series_database_;
  store::ArchiveReader archive_;
  store::SeriesReader series_;
  std::ostringstream out_;
};

struct Forger : test::Everything {
  std::map<std::string, std::string> original;  // by path

  explicit Forger(bool with_large) : Everything(with_large) {
    for (const auto& file : {location().archive(), location().series()}) {
      std::ifstream in(file, std::ios::binary);
      original[file].assign(std::istreambuf_iterator<char>(in), {});
    }
  }

  void restore() const {
    for (const auto& [file, octets] : original) {
      for (const auto* end : {"-wal", "-shm"}) std::filesystem::remove(file + end);
      std::ofstream(file, std::ios::binary | std::ios::trunc) << octets;
    }
  }

  std::unique_ptr<store::Database> open_for(
      const Table& table, store::OpenMode mode = store::OpenMode::existing) const {
    if (table.in_series) return series(mode);
    return database(mode);
  }

  std::vector<Table> tables() const {
    auto all = tables_of(*database(store::OpenMode::read_only), false);
    auto more = tables_of(*series(store::OpenMode::read_only), true);
    std::move(more.begin(), more.end(), std::back_inserter(all));
    return all;
  }

  // False: the database does not let it, or nothing changed by it.
  bool apply(const Table& table, const std::vector<std::string>& sql) const {
    const auto open = open_for(table);
    must(open->execute("PRAGMA synchronous = OFF"));
    const auto content = [&] {
      return select(*open, "SELECT " + quoted(table, " || '|' || ") + " FROM " + table.name, 1);
    };
    const auto before = content();
    must(open->execute("BEGIN"));
    must(open->execute("PRAGMA defer_foreign_keys = ON"));
    for (const auto& statement : sql) {
      if (open->execute(statement.c_str())) continue;
      static_cast<void>(open->execute("ROLLBACK"));
      return false;
    }
    if (!open->execute("COMMIT")) {
      static_cast<void>(open->execute("ROLLBACK"));
      return false;
    }
    return content() != before;
  }

  // What the tools say; empty: nothing.
  std::string told() const {
    const auto open = database(store::OpenMode::read_only);
    const auto recorded = series(store::OpenMode::read_only);
    const auto log = log::verify(*open);
    if (!log) return log.error().detail;
    if (!log->problems.empty()) return log->problems.front();
    const auto stored_trust =
        trust::Trust::open(store::Location::of(path), store::OpenMode::read_only);
    if (!stored_trust) return stored_trust.error().detail;
    const auto snapshot = (*stored_trust)->snapshot();
    const auto report = audit::Replay(*open, recorded.get(), *snapshot, verify::Window{},
                                      *validator, [](auto, auto, auto) {})
                            .run({});
    if (!report) return report.error().detail;
    if (report->differences.empty()) return {};
    const auto& first = report->differences.front();
    return std::string(name_of(first.kind)) + " " + first.where + ": " + first.recorded + " / " +
           first.replayed;
  }

  std::string view() const {
    const auto open = database(store::OpenMode::read_only);
    return View(*open, *series(store::OpenMode::read_only)).text();
  }
};

// What was tried so far, and what of it was told.
struct Tally {
  std::set<std::string> untold;
  std::size_t told = 0, held = 0;

  void take(const Forger& forger, const Table& table) {
    BOOST_TEST(!table.rows.empty(), table.name << " has no row: nothing of it was tried");
    const auto seen = forger.view();
    for (const auto& forgery : forgeries_of(*forger.open_for(table, store::OpenMode::read_only),
                                            table, forger.left_over)) {
      forger.restore();
      if (!forger.apply(table, forgery.sql)) {
        ++held;
      } else if (!forger.told().empty()) {
        ++told;
      } else {
        untold.insert(forgery.key);
        BOOST_TEST(kUntold.contains(forgery.key),
                   "untold: " << forgery.key << ", " << forgery.what);
        BOOST_TEST((forger.view() == seen),
                   "a reader sees: " << forgery.key << ", " << forgery.what);
      }
    }
    forger.restore();
  }
};

struct SmallForger : Forger {
  SmallForger() : Forger(false) {}
};

}  // namespace

BOOST_AUTO_TEST_SUITE(forged_columns)

BOOST_AUTO_TEST_CASE(a_change_of_any_column_is_told_or_seen_by_no_reader) {
  Tally tally;
  {
    const Forger small(false);
    BOOST_REQUIRE_EQUAL(small.told(), "");
    for (const auto& table : small.tables()) {
      // Rows of these are there only while something is computed; the replay then says to wait.
      // Those of the last until districtd starts.
      if (table.name == "stale_meter" || table.name == "work" || table.name == "api_key_to_log" ||
          kOfLarge.contains(table.name))
        continue;
      tally.take(small, table);
    }
  }
  const Forger large(true);
  BOOST_REQUIRE_EQUAL(large.told(), "");
  for (auto& table : large.tables()) {
    if (table.name == "envelope") {
      table.rows = {"leaf_index = " + std::to_string(large.large_leaf)};
    } else if (!kOfLarge.contains(table.name)) {
      continue;
    }
    tally.take(large, table);
  }
  BOOST_TEST_MESSAGE(tally.told << " forgeries told, " << tally.held << " held by constraints, "
                                << tally.untold.size() << " kinds that no reader sees");
  for (const auto& [key, reason] : kUntold) {
    BOOST_TEST((tally.untold.contains(key) || kMayBeTold.contains(key)),
               key << " is told now: " << reason);
  }
}

// What nobody was told of once.
BOOST_FIXTURE_TEST_CASE(what_reads_well_at_a_glance_is_told, SmallForger) {
  const std::string one_chunk =
      "(SELECT min(chunk) FROM kpi_chunk WHERE window_kind = 0) AND window_kind = 0";
  const std::string imported =
      "leaf_index IN (SELECT leaf_index FROM origin WHERE receipt_id LIKE 'site-import-%')";
  const std::vector<std::string> changes{
      "UPDATE packed_month SET series_month = series_month + 1 WHERE series_month = "
      "(SELECT max(series_month) FROM packed_month)",
      "UPDATE series SET packed_until = 0 WHERE packed_until > 0",
      "UPDATE series SET packed_until = packed_until + 86400000000 WHERE packed_until > 0",
      "UPDATE kpi_chunk SET chunk = chunk - 7 WHERE chunk = " + one_chunk,
      "INSERT INTO kpi_chunk SELECT meter_id, window_kind, chunk - 7, octets FROM kpi_chunk "
      "WHERE chunk = " +
          one_chunk,
      "UPDATE master_fact SET valid_to = valid_to + 1 WHERE valid_to > 0 AND " + imported,
      "UPDATE master_fact SET valid_to = NULL WHERE valid_to > 0 AND " + imported,
      "UPDATE master_fact SET value = '9' WHERE attribute = 'floor_area_m2'",
      "DELETE FROM master_fact WHERE attribute = 'floor_area_m2'",
      "UPDATE master_fact SET message_index = 9 WHERE attribute = 'floor_area_m2'",
      "UPDATE envelope SET content_encoding = ''",
      "UPDATE envelope SET content_type = 'text/xml; charset=utf-8'",
      "UPDATE envelope SET soap_action = ''",
      "UPDATE measurement_count SET number = number + 1",
      "DELETE FROM quantify_failure",
      "INSERT INTO quantify_failure SELECT 1, receipt_id, tenant, code, reason, failed_at "
      "FROM quantify_failure",
      "INSERT INTO meter SELECT max(meter_id) + 1, '20', 'GHOST', '' FROM meter",
      "INSERT INTO api_key SELECT '01ARZ3NDEKTSV4RRFFQ69G5FAV', secret_sha256, 'mine', 1, 1, "
      "created_at, expires_at, NULL, NULL, NULL, NULL FROM api_key LIMIT 1",
      "UPDATE api_key SET expires_at = expires_at + 86400000000",
      "UPDATE api_key_tenant SET tenant = '30' WHERE tenant = '20'",
      "DELETE FROM replay",
      "INSERT INTO raw_chunk SELECT leaf_index, chunk_index + 1, octets FROM raw_chunk"};
  for (const auto& sql : changes) {
    restore();
    // Of the one that has the table.
    BOOST_TEST((database()->execute(sql.c_str()) || series()->execute(sql.c_str())), sql);
    BOOST_TEST(told() != "", sql);
  }
  restore();
}

// The statements of an import by an earlier version do not say in which record a fact stood.
BOOST_AUTO_TEST_CASE(statements_of_an_earlier_version_are_read_as_they_were_used) {
  const auto from = *parse_date_time("2018-01-01T00:00:00Z");
  const std::vector<MasterFact> used{{"S", "M", "unit", "m3", from, {}, 2},
                                     {"S", "M", "medium", "water", from, from, 2},
                                     {"S", "N", "unit", "m3", from, {}, 5}};
  const auto statement = [](const std::string& meter, const std::string& attribute,
                            const std::string& value, const std::string& more) {
    return R"({"attribute":")" + attribute + R"(","meter":")" + meter +
           R"(","source":"S","validFrom":"2018-01-01T00:00:00.000000Z","value":")" + value + "\"" +
           more + "}";
  };
  const auto json = [&](const std::string& value) {
    return "[" + statement("M", "unit", value, "") + "," +
           statement("M", "medium", "water", R"(,"validTo":"2018-01-01T00:00:00.000000Z")") + "," +
           statement("N", "unit", "m3", "") + "]";
  };
  BOOST_TEST((must(quantify::imported_facts({7, "20", json("m3")}, used)) == used));
  const auto other = must(quantify::imported_facts({7, "20", json("L")}, used));
  BOOST_TEST(other.size() == 3U);
  BOOST_TEST(!(other == used));
  for (const auto* damaged : {"", "{}", "[1]", R"([{"source":"S"}])"})
    BOOST_TEST(!quantify::imported_facts({7, "20", damaged}, used));
}

// The rows are as they were, but readers do not come to them, or something else acts on them.
BOOST_FIXTURE_TEST_CASE(what_hides_a_row_or_acts_on_its_own_is_told, SmallForger) {
  const auto root_of = [](const std::string& index) {
    return "(SELECT rootpage FROM whole.sqlite_schema WHERE name = '" + index + "')";
  };
  const auto swap_roots = [&](const std::string& one, const std::string& other) {
    return "UPDATE sqlite_schema SET rootpage = iif(name = '" + one + "', " + root_of(other) +
           ", " + root_of(one) + ") WHERE name IN ('" + one + "', '" + other + "')";
  };
  const auto leaf = select(*database(), "SELECT min(leaf_index) FROM envelope", 1).at(0)[0];
  const std::vector<std::pair<std::string, std::string>> forgeries{
      // An index that leaves one envelope out, under the definition of the whole one.
      {"DROP INDEX envelope_by_tenant; CREATE INDEX envelope_by_tenant ON envelope (tenant, "
       "received_at, leaf_index) WHERE leaf_index <> " +
           leaf +
           "; UPDATE sqlite_schema SET sql = (SELECT sql "
           "FROM "
           "whole.sqlite_schema WHERE name = 'envelope_by_tenant') WHERE name = "
           "'envelope_by_tenant'",
       "integrity of the file: row "},
      {"DROP INDEX envelope_by_tenant; CREATE INDEX envelope_by_tenant ON envelope (tenant, "
       "received_at, leaf_index) WHERE leaf_index <> " +
           leaf,
       "schema: index envelope_by_tenant of table envelope is defined otherwise"},
      {swap_roots("api_key_by_leaf", "api_key_by_revocation_leaf"), "integrity of the file: "},
      {"DROP INDEX api_key_by_leaf", "schema: index api_key_by_leaf of table api_key is missing"},
      {"CREATE TRIGGER planted AFTER INSERT ON envelope BEGIN DELETE FROM work_item; END",
       "schema: trigger planted of table envelope is none of this program's"},
      {"CREATE VIEW planted AS SELECT * FROM envelope",
       "schema: view planted is none of this program's"},
      {"CREATE TABLE planted (x)", "schema: table planted is none of this program's"}};
  const auto whole = folder.file("whole.db");
  std::filesystem::copy_file(path, whole);
  for (const auto& [sql, what] : forgeries) {
    restore();
    sqlite3* raw = nullptr;
    BOOST_REQUIRE_EQUAL(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
    const auto all = "ATTACH '" + whole + "' AS whole; PRAGMA writable_schema = ON; " + sql;
    char* error = nullptr;
    sqlite3_exec(raw, all.c_str(), nullptr, nullptr, &error);
    BOOST_TEST(error == nullptr, sql << ": " << error);
    sqlite3_close(raw);
    const auto problem = told();
    BOOST_TEST(problem.starts_with(what), sql << ": " << problem);
  }
  restore();
}

BOOST_FIXTURE_TEST_CASE(a_meter_to_be_computed_anew_is_told, SmallForger) {
  must(series()->execute("INSERT INTO stale_meter SELECT min(meter_id), 1 FROM meter"));
  BOOST_TEST(told() != "");
}

BOOST_AUTO_TEST_SUITE_END()
