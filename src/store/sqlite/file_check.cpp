#include "store/sqlite/file_check.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "store/location.h"
#include "store/sqlite/sqlite.h"

namespace district::store::sqlite {
namespace {

// Type, name and table, with the SQL that made it; none for SQLite's own indexes.
using Definitions = std::map<std::tuple<std::string, std::string, std::string>, std::string>;

Result<Definitions> definitions_of(Connection& connection) {
  DISTRICT_TRY(const auto row,
               connection.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema"));
  Definitions definitions;
  while (true) {
    DISTRICT_TRY(const bool more, row->step());
    if (!more) return definitions;
    // Two rows of one name: the second stays visible.
    definitions[{std::string(row->text(0)), std::string(row->text(1)),
                 std::string(row->text(2))}] += plain_sql(row->text(3));
  }
}

std::string name_of(const Definitions::key_type& key) {
  const auto& [type, name, table] = key;
  return type + " " + name + (table == name ? "" : " of table " + table);
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Where the comment or quoted part that begins at `at` ends; `at` where none does.
std::size_t end_of_part(std::string_view sql, std::size_t at) {
  const auto behind = [&](std::string_view end, std::size_t from) {
    const auto found = sql.find(end, from);
    return found == sql.npos ? sql.size() : found + end.size();
  };
  const auto rest = sql.substr(at);
  if (rest.starts_with("--")) return behind("\n", at);
  if (rest.starts_with("/*")) return behind("*/", at + 2);
  if (rest.starts_with('[')) return behind("]", at);
  if (rest.starts_with('\'') || rest.starts_with('"') || rest.starts_with('`'))
    return behind(rest.substr(0, 1), at + 1);
  return at;
}

Result<std::vector<std::string>> differences_from(Connection& fresh, Connection& connection) {
  DISTRICT_TRY(const auto expected, definitions_of(fresh));
  DISTRICT_TRY(const auto found, definitions_of(connection));
  std::vector<std::string> differences;
  for (const auto& [key, sql] : found) {
    const auto own = expected.find(key);
    if (own == expected.end()) {
      differences.push_back("schema: " + name_of(key) + " is none of this program's");
    } else if (own->second != sql) {
      differences.push_back("schema: " + name_of(key) +
                            " is defined otherwise than this program does it");
    }
  }
  for (const auto& [key, sql] : expected)
    if (!found.contains(key)) differences.push_back("schema: " + name_of(key) + " is missing");
  return differences;
}

}  // namespace

std::string plain_sql(std::string_view sql) {
  constexpr std::string_view kMarks = "(),";
  std::string plain;
  bool space = false;
  const auto add = [&](std::string_view part) {
    const bool needed = !plain.empty() && kMarks.find(plain.back()) == kMarks.npos &&
                        kMarks.find(part.front()) == kMarks.npos;
    if (space && needed) plain += ' ';
    plain += part;
    space = false;
  };
  for (std::size_t at = 0; at < sql.size();) {
    const auto end = end_of_part(sql, at);
    if (end > at && (sql[at] == '-' || sql[at] == '/')) {
      space = true;
      at = end;
    } else if (end > at) {
      add(sql.substr(at, end - at));
      at = end;
    } else {
      if (is_space(sql[at])) {
        space = true;
      } else {
        add(sql.substr(at, 1));
      }
      ++at;
    }
  }
  return plain;
}

Result<std::vector<std::string>> schema_differences(Connection& connection, Schema schema) {
  DISTRICT_TRY(const auto fresh,
               connect(std::string(Location::kScratch), schema, OpenMode::create));
  return differences_from(*fresh, connection);
}

Result<std::vector<std::string>> damaged_pages(Connection& connection) {
  DISTRICT_TRY(const auto row, connection.prepare("PRAGMA integrity_check(100)"));
  std::vector<std::string> damages;
  while (true) {
    DISTRICT_TRY(const bool more, row->step());
    if (!more) return damages;
    std::string text(row->text(0));
    // SQLite puts several on one row, a line each.
    std::ranges::replace(text, '\n', ';');
    if (text != "ok") damages.push_back("integrity of the file: " + text);
  }
}

}  // namespace district::store::sqlite
