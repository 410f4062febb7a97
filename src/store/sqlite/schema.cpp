#include "store/sqlite/schema.h"

#include <charconv>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace district::store {

// Written by cmake/embed.py from migrations/*.sql, in the order of their numbers.
extern const std::span<const std::pair<std::string_view, std::string_view>> kArchiveMigrations;
extern const std::span<const std::pair<std::string_view, std::string_view>> kRejectionMigrations;
extern const std::span<const std::pair<std::string_view, std::string_view>> kSeriesMigrations;

namespace sqlite {
namespace {

// In the file's header: "DIST", "DISS" and "DISR".
constexpr std::int64_t application_id_of(Schema schema) {
  switch (schema) {
    case Schema::archive:
      return 0x44495354;
    case Schema::series:
      return 0x44495353;
    case Schema::rejections:
      return 0x44495352;
  }
  return 0;
}

const auto& migrations_of(Schema schema) {
  switch (schema) {
    case Schema::series:
      return kSeriesMigrations;
    case Schema::rejections:
      return kRejectionMigrations;
    case Schema::archive:
      break;
  }
  return kArchiveMigrations;
}

// 12 from "0012_name.sql".
std::int64_t number_of(std::string_view migration) {
  std::int64_t number = 0;
  std::from_chars(migration.data(), migration.data() + migration.size(), number);
  return number;
}

std::int64_t newest_version(Schema schema) {
  const auto& migrations = migrations_of(schema);
  return migrations.empty() ? 0 : number_of(migrations.back().first);
}

Result<std::int64_t> number(Connection& connection, const char* sql) {
  DISTRICT_TRY(const auto statement, connection.prepare(sql));
  DISTRICT_TRY(const bool row, statement->step());
  return row ? statement->integer(0) : 0;
}

Result<std::int64_t> version_of(Connection& connection) {
  return number(connection, "PRAGMA user_version");
}

Result<Ok> set(Connection& connection, const std::string& pragma, std::int64_t value) {
  return connection.execute(("PRAGMA " + pragma + " = " + std::to_string(value)).c_str());
}

Result<Ok> run(Connection& connection, Schema schema, std::string_view name, std::string_view sql) {
  DISTRICT_CHECK(connection.begin_writing());
  // Another process may have done it while we waited for the lock.
  DISTRICT_TRY(const auto current, version_of(connection));
  if (number_of(name) <= current) return Ok{};
  DISTRICT_CHECK(connection.execute(std::string(sql).c_str()));
  DISTRICT_CHECK(set(connection, "application_id", application_id_of(schema)));
  DISTRICT_CHECK(set(connection, "user_version", number_of(name)));
  return connection.commit();
}

}  // namespace

Result<Ok> check_identity(Connection& connection, const std::string& path, Schema schema,
                          OpenMode mode) {
  // As of one moment: another process may be making the database right now.
  DISTRICT_CHECK(connection.execute("BEGIN"));
  const auto application_read = number(connection, "PRAGMA application_id");
  const auto version_read = version_of(connection);
  const auto tables_read = number(connection, "SELECT count(*) FROM sqlite_schema");
  DISTRICT_CHECK(connection.execute("COMMIT"));
  DISTRICT_TRY(const auto application, application_read);
  DISTRICT_TRY(const auto version, version_read);
  DISTRICT_TRY(const auto tables, tables_read);
  const bool empty = application == 0 && version == 0 && tables == 0;
  if (empty && mode == OpenMode::create) return Ok{};
  if (application != application_id_of(schema)) {
    return fail(ErrorCode::archive_foreign,
                path + (empty ? " is an empty database" : " is not a District database"),
                "check the path; districtd makes a new database where there is no file");
  }
  const auto newest = newest_version(schema);
  if (version > newest) {
    return fail(ErrorCode::archive_foreign,
                path + " has schema version " + std::to_string(version) +
                    ", this program knows versions up to " + std::to_string(newest),
                "use the newer District that wrote it");
  }
  if (mode == OpenMode::read_only && version < newest) {
    return fail(ErrorCode::archive_foreign,
                path + " has schema version " + std::to_string(version) +
                    ", this program reads version " + std::to_string(newest),
                "start districtd of this version once, which brings it up to date");
  }
  return Ok{};
}

Result<Ok> migrate(Connection& connection, Schema schema) {
  for (const auto& [name, sql] : migrations_of(schema)) {
    DISTRICT_TRY(const auto before, version_of(connection));
    if (number_of(name) <= before) continue;
    const auto done = run(connection, schema, name, sql);
    connection.roll_back();  // what was not committed, and the lock
    DISTRICT_CHECK(done);
  }
  return Ok{};
}

}  // namespace sqlite
}  // namespace district::store
