#include "admin/session.h"

#include <CLI/CLI.hpp>
#include <filesystem>

#include "validate/content_folder.h"
#include "xml/document.h"

namespace district::admin {

Format Session::format() const {
  if (json) return Format::json;
  return csv ? Format::csv : Format::table;
}

Result<config::Config> Session::settings() const {
  if (!config_file.empty()) return config::load(config_file);
  if (data_folder.empty()) {
    return fail(ErrorCode::admin_invalid, "no database is named",
                "give --config FILE, as for districtd, or --data FOLDER");
  }
  config::Config defaults;
  defaults.data.folder = data_folder;
  return defaults;
}

Result<std::unique_ptr<store::Database>> Session::open(store::OpenMode mode) const {
  DISTRICT_TRY(const auto config, settings());
  const auto path = config.database().string();
  std::error_code ignored;
  const bool exists = std::filesystem::exists(path, ignored);
  if (!exists && mode != store::OpenMode::create) {
    return fail(ErrorCode::archive_unavailable, "there is no database " + path,
                "districtd makes it when it starts, and so does 'districtctl tenant add'; "
                "check --config or --data");
  }
  auto database = store::Database::open(path, mode);
  if (!database) {
    // To people at a command line an unreadable database is an unavailable one.
    auto error = std::move(database).error();
    if (error.code == ErrorCode::file_unreadable) error.code = ErrorCode::archive_unavailable;
    return fail(std::move(error));
  }
  if (!exists) terminal.note("made a new database, " + path);
  return database;
}

void add_csv_option(CLI::App& command, Session& session) {
  command.add_flag("--csv", session.csv, "Results as CSV with a header line (RFC 4180)");
}

Result<std::optional<Instant>> read_instant(const std::string& option, const std::string& text) {
  if (text.empty()) return std::optional<Instant>{};
  const auto instant = parse_day_or_instant(text);
  if (!instant) {
    return fail(ErrorCode::admin_invalid, option + ": '" + text + "' is not a day or an instant",
                "write 2018-03-01 (midnight UTC) or 2018-03-01T12:00:00Z");
  }
  return instant;
}

Result<std::unique_ptr<validate::Validator>> Session::validator() const {
  xml::initialize();
  // Without a data folder there are only the built-in ones.
  if (const auto config = settings())
    DISTRICT_CHECK(validate::add_content_folder(config->data.folder / "content"));
  return validate::Validator::create(world.operations);
}

}  // namespace district::admin
