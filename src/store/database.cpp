#include "store/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <system_error>
#include <thread>
#include <vector>

#include "base/c_handle.h"

namespace district::store {

// Written by cmake/embed.py from migrations/*.sql, in the order of their numbers.
extern const std::span<const std::pair<std::string_view, std::string_view>> kMigrations;
extern const std::span<const std::pair<std::string_view, std::string_view>> kRejectionMigrations;
extern const std::span<const std::pair<std::string_view, std::string_view>> kSeriesMigrations;

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
constexpr int kBusyTimeoutMs = 10'000;  // longer than any transaction of ours takes
constexpr auto kScratch = Location::kScratch;

// One for all connections of this process to a path. Scratch databases have nothing in common.
std::shared_ptr<std::timed_mutex> writers_of(const std::string& path) {
  if (path == kScratch) return std::make_shared<std::timed_mutex>();
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<std::timed_mutex>> known;
  const std::lock_guard lock(mutex);
  std::erase_if(known, [](const auto& entry) { return entry.second.expired(); });
  auto writers = known[path].lock();
  if (!writers) known[path] = writers = std::make_shared<std::timed_mutex>();
  return writers;
}

using StatementHandle = CHandle<sqlite3_stmt, sqlite3_finalize>;

// 12 from "0012_name.sql".
std::int64_t number_of(std::string_view migration) {
  std::int64_t number = 0;
  std::from_chars(migration.data(), migration.data() + migration.size(), number);
  return number;
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
  return kMigrations;
}

std::int64_t newest_version(Schema schema) {
  const auto& migrations = migrations_of(schema);
  return migrations.empty() ? 0 : number_of(migrations.back().first);
}

std::string system_text(int code) {
  return std::error_code(code, std::generic_category()).message();
}

// What can be told of a path before SQLite sees it, whose "unable to open database file" says
// little.
Result<Ok> check_path(const std::string& path, OpenMode mode) {
  namespace fs = std::filesystem;
  std::error_code status;
  const auto folder =
      fs::path(path).has_parent_path() ? fs::path(path).parent_path() : fs::path(".");
  if (!fs::is_directory(folder, status)) {
    return fail(ErrorCode::file_unreadable, "no folder " + folder.string() + " for the database",
                "make it (mkdir -p) or correct the setting of the data folder");
  }
  const auto kind = fs::status(path, status).type();
  if (kind == fs::file_type::regular) return Ok{};
  if (kind != fs::file_type::not_found) {
    return fail(ErrorCode::file_unreadable, path + " is not a regular file",
                "name a regular file; the server keeps district.db in the data folder");
  }
  if (mode != OpenMode::create) {
    return fail(ErrorCode::file_unreadable, "no database at " + path,
                "start districtd once, which makes it, or correct the setting of the data folder");
  }
  // Made here so that others on the machine cannot read it; SQLite gives its side files the same
  // mode.
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (file < 0) {
    return fail(ErrorCode::file_unreadable, "cannot make " + path + ": " + system_text(errno),
                "the folder must be writable for the user who runs this");
  }
  ::close(file);
  return Ok{};
}

// As SQLite takes the name of a file in a URI. Source: sqlite.org/uri.html section 3.1.
std::string uri_of(const std::string& path) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    if (kPlain.find(c) != std::string_view::npos) {
      uri += c;
      continue;
    }
    uri += '%' + to_hex(as_bytes(std::string_view(&c, 1)));
  }
  return uri + "?immutable=1";
}

bool cannot_write_beside(const std::string& path) {
  const auto folder = std::filesystem::absolute(path).parent_path();
  return ::access(folder.c_str(), W_OK) != 0 && (errno == EACCES || errno == EROFS);
}

// SQLite cannot make the -shm file that it needs for a database in WAL mode. It is not needed where
// the file alone is the database: after a clean shutdown, and in a backup.
Result<Ok> check_is_whole(const std::string& path) {
  for (const auto& file : {path, path + "-wal", path + "-shm"}) {
    if (::access(file.c_str(), R_OK) == 0 || errno == ENOENT) continue;
    return fail(ErrorCode::archive_unavailable, "cannot read " + file + ": " + system_text(errno),
                "this user must be allowed to read the database with its -wal and -shm files; or "
                "run it as the user of the server: sudo -u district districtctl ...");
  }
  std::error_code no_log, unknown;
  const auto size = std::filesystem::file_size(path + "-wal", no_log);
  const bool in_use = std::filesystem::exists(path + "-shm", unknown);
  if (!in_use && (no_log || size == 0)) return Ok{};
  return fail(ErrorCode::archive_unavailable,
              path +
                  "-wal holds commits that are not in the database file yet, and here they "
                  "cannot be read: nothing can be written beside it",
              "copy the database and its -wal file to a folder that you may write, and name that "
              "by --data; or make a backup, which is one file: sqlite3 " +
                  path + " \".backup COPY\"");
}

}  // namespace

struct Database::Cache {
  // Statements at rest. One that is lent is not here, so a text may be in use twice at a time.
  std::map<std::string, std::vector<StatementHandle>, std::less<>> idle;
  bool immutable = false;    // to be read without locks and without a file beside it
  bool was_refused = false;  // error() has told of a file that cannot be made or written
};

Database::Database(std::string path, Schema schema)
    : path_(std::move(path)),
      schema_(schema),
      writers_(writers_of(path_)),
      cache_(std::make_unique<Cache>()) {}

Database::~Database() {
  cache_.reset();  // SQLite closes only when its statements are finalised
  sqlite3_close(db_);
}

template <typename Kind>
Result<std::unique_ptr<Kind>> Database::open_as(const std::string& path, OpenMode mode) {
  const auto make = [](const std::string& at) { return std::unique_ptr<Database>(new Kind(at)); };
  DISTRICT_TRY(auto opened, open(path, mode, make));
  return std::unique_ptr<Kind>(static_cast<Kind*>(opened.release()));
}

Result<std::unique_ptr<ArchiveDatabase>> ArchiveDatabase::open(const Location& location,
                                                               OpenMode mode) {
  return open_as<ArchiveDatabase>(location.archive(), mode);
}

Result<std::unique_ptr<SeriesDatabase>> SeriesDatabase::open(const Location& location,
                                                             OpenMode mode) {
  return open_as<SeriesDatabase>(location.series(), mode);
}

Result<std::unique_ptr<RejectionDatabase>> RejectionDatabase::open(const std::string& path,
                                                                   OpenMode mode) {
  return open_as<RejectionDatabase>(path, mode);
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path, OpenMode mode,
                                                 Make make) {
  if (path != kScratch) DISTRICT_CHECK(check_path(path, mode));
  // Where another process is making the database at the same moment, SQLite gives up at once
  // instead of waiting: to change the journal's mode it would need the file for itself.
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(kBusyTimeoutMs);
  while (true) {
    auto database = make(path);
    auto ready = database->prepare_for(mode);
    if (!ready && mode == OpenMode::read_only && database->cache_->was_refused &&
        cannot_write_beside(path)) {
      DISTRICT_CHECK(check_is_whole(path));
      database = make(path);
      database->cache_->immutable = true;
      ready = database->prepare_for(mode);
    }
    if (ready) return database;
    if (!database->was_busy_ || std::chrono::steady_clock::now() > deadline) {
      return fail(ready.error());
    }
    database.reset();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

Result<Ok> Database::prepare_for(OpenMode mode) {
  DISTRICT_CHECK(connect(mode));
  DISTRICT_CHECK(check_identity(mode));
  DISTRICT_CHECK(configure(mode));
  if (mode != OpenMode::read_only) DISTRICT_CHECK(migrate());
  return Ok{};
}

Result<Ok> Database::connect(OpenMode mode) {
  const int access = mode == OpenMode::read_only ? SQLITE_OPEN_READONLY
                                                 : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const auto name = cache_->immutable ? uri_of(path_) : path_;
  const int status = sqlite3_open_v2(name.c_str(), &db_,
                                     access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                                         (cache_->immutable ? SQLITE_OPEN_URI : 0),
                                     nullptr);
  if (db_ == nullptr) return fail(ErrorCode::internal, "no memory for a database connection");
  if (status != SQLITE_OK) return fail(error("opening the database"));
  if (mode != OpenMode::read_only && sqlite3_db_readonly(db_, "main") == 1) {
    return fail(ErrorCode::archive_unavailable, path_ + " is read-only",
                "the user who runs this must be allowed to write the file and its folder");
  }
  sqlite3_busy_timeout(db_, kBusyTimeoutMs);
  // A database that somebody tampered with must not run functions of its own by triggers or views,
  // nor show or change rows by them. Ours has neither; foreign keys work without.
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  return Ok{};
}

// Nothing is written before this has passed: a file of somebody else's stays as it is.
Result<Ok> Database::check_identity(OpenMode mode) {
  // As of one moment: another process may be making the database right now.
  DISTRICT_CHECK(execute("BEGIN"));
  const auto application_read = pragma("PRAGMA application_id");
  const auto version_read = schema_version();
  const auto tables_read = pragma("SELECT count(*) FROM sqlite_schema");
  DISTRICT_CHECK(execute("COMMIT"));
  DISTRICT_TRY(const auto application, application_read);
  DISTRICT_TRY(const auto version, version_read);
  DISTRICT_TRY(const auto tables, tables_read);
  const bool empty = application == 0 && version == 0 && tables == 0;
  if (empty && mode == OpenMode::create) return Ok{};
  if (application != application_id_of(schema_)) {
    return fail(ErrorCode::archive_foreign,
                path_ + (empty ? " is an empty database" : " is not a District database"),
                "check the path; districtd makes a new database where there is no file");
  }
  const auto newest = newest_version(schema_);
  if (version > newest) {
    return fail(ErrorCode::archive_foreign,
                path_ + " has schema version " + std::to_string(version) +
                    ", this program knows versions up to " + std::to_string(newest),
                "use the newer District that wrote it");
  }
  if (mode == OpenMode::read_only && version < newest) {
    return fail(ErrorCode::archive_foreign,
                path_ + " has schema version " + std::to_string(version) +
                    ", this program reads version " + std::to_string(newest),
                "start districtd of this version once, which brings it up to date");
  }
  return Ok{};
}

Result<Ok> Database::configure(OpenMode mode) {
  DISTRICT_CHECK(execute("PRAGMA foreign_keys = ON"));
  if (mode == OpenMode::read_only) return Ok{};
  // Of a new file only. Compressed envelopes of 1 to 4 KB leave less of a page empty than they do
  // of SQLite's 4096 octets.
  DISTRICT_CHECK(execute("PRAGMA page_size = 8192"));
  {
    DISTRICT_TRY(auto statement, prepare("PRAGMA journal_mode = WAL"));
    DISTRICT_TRY(const bool row, statement.step());
    const auto journal = row ? statement.text(0) : std::string();
    if (journal != "wal" && path_ != kScratch) {
      return fail(ErrorCode::archive_unavailable,
                  "no write-ahead log for " + path_ + ": journal mode is " + journal,
                  "the database must be on a local file system, not on a network share");
    }
  }
  // FULL: a commit returns when it is on the disk. This is what a receipt promises.
  if (schema_ == Schema::rejections) {
    DISTRICT_CHECK(execute("PRAGMA synchronous = NORMAL"));
  } else {
    DISTRICT_CHECK(execute("PRAGMA synchronous = FULL"));
  }
  // Pages at the end of the tables are written by nearly every commit: folding the log back at
  // 16 MiB instead of 4 copies them less often.
  DISTRICT_CHECK(execute("PRAGMA wal_autocheckpoint = 2000"));
  // A log that grew under a long reader is cut back to 64 MiB.
  return execute("PRAGMA journal_size_limit = 67108864");
}

Result<Ok> Database::migrate() {
  for (const auto& [name, sql] : migrations_of(schema_)) {
    DISTRICT_TRY(const auto before, schema_version());
    if (number_of(name) <= before) continue;
    DISTRICT_TRY(auto transaction, Transaction::begin(*this));
    // Another process may have done it while we waited for the lock.
    DISTRICT_TRY(const auto current, schema_version());
    if (number_of(name) <= current) continue;
    DISTRICT_CHECK(execute(std::string(sql).c_str()));
    DISTRICT_CHECK(
        execute(("PRAGMA application_id = " + std::to_string(application_id_of(schema_))).c_str()));
    DISTRICT_CHECK(execute(("PRAGMA user_version = " + std::to_string(number_of(name))).c_str()));
    DISTRICT_CHECK(transaction.commit());
  }
  return Ok{};
}

Result<std::int64_t> Database::pragma(const char* sql) {
  DISTRICT_TRY(auto statement, prepare(sql));
  DISTRICT_TRY(const bool row, statement.step());
  return row ? statement.integer(0) : 0;
}

Result<std::int64_t> Database::schema_version() { return pragma("PRAGMA user_version"); }

Result<Ok> Database::execute(const char* sql) {
  if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return fail(error("executing SQL"));
  return Ok{};
}

Result<Statement> Database::prepare(std::string_view sql) {
  if (const auto found = cache_->idle.find(sql);
      found != cache_->idle.end() && !found->second.empty()) {
    auto handle = std::move(found->second.back());
    found->second.pop_back();
    return Statement(*this, handle.release());  // the Statement gives it back
  }
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                         &statement, nullptr) != SQLITE_OK) {
    return fail(error("preparing SQL"));
  }
  return Statement(*this, statement);
}

void Database::give_back(sqlite3_stmt* statement) {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  const std::string_view sql = sqlite3_sql(statement);
  auto place = cache_->idle.find(sql);
  if (place == cache_->idle.end()) place = cache_->idle.try_emplace(std::string(sql)).first;
  place->second.emplace_back(statement);
}

Error Database::error(std::string_view doing) const {
  const int status = sqlite3_extended_errcode(db_);
  auto detail = std::string(doing) + " (" + path_ + "): " + sqlite3_errmsg(db_);
  const auto made = [&](ErrorCode code, std::string hint) {
    return Error{code, std::move(detail), std::move(hint), {}, {}};
  };
  const int system = sqlite3_system_errno(db_);
  const int primary = status & 0xff;
  if ((primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN) && system != 0) {
    detail += ": " + system_text(system);
  }
  switch (primary) {
    case SQLITE_FULL:
      return made(ErrorCode::archive_unavailable, "the disk is full: free space; nothing was lost");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      was_busy_ = true;
      return made(
          ErrorCode::archive_unavailable,
          "another process holds the database locked; wait, or find it with: fuser " + path_);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      cache_->was_refused = true;
      return made(ErrorCode::archive_unavailable,
                  "the user who runs this must be allowed to write the file and its folder");
    case SQLITE_CANTOPEN:
      cache_->was_refused = true;
      return made(ErrorCode::archive_unavailable,
                  "the user who runs this must be allowed to write the folder, where SQLite keeps "
                  "its -wal and -shm files");
    case SQLITE_IOERR:
      return made(ErrorCode::archive_unavailable, "check the disk and its free space (df, dmesg)");
    case SQLITE_CORRUPT:
      return made(ErrorCode::archive_corrupt,
                  "restore the database from a backup; keep the damaged file");
    case SQLITE_NOTADB:
      return made(ErrorCode::archive_foreign, "check the path; this is not a District database");
    default:
      detail += " (SQLite " + std::to_string(status) + ")";
      return made(ErrorCode::internal, {});
  }
}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      statement_(std::exchange(other.statement_, nullptr)),
      bind_status_(other.bind_status_) {}

Statement::~Statement() {
  if (statement_ != nullptr) database_->give_back(statement_);
}

namespace {
void keep_first(int& kept, int status) {
  if (kept == SQLITE_OK) kept = status;
}
}  // namespace

Statement& Statement::bind(int index, std::int64_t value) {
  keep_first(bind_status_, sqlite3_bind_int64(statement_, index, value));
  return *this;
}

Statement& Statement::bind(int index, double value) {
  keep_first(bind_status_, sqlite3_bind_double(statement_, index, value));
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  // A null pointer would bind NULL instead of the empty text.
  keep_first(bind_status_, sqlite3_bind_text64(statement_, index, text.empty() ? "" : text.data(),
                                               text.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind(int index, ByteView blob) {
  keep_first(bind_status_, blob.empty() ? sqlite3_bind_zeroblob(statement_, index, 0)
                                        : sqlite3_bind_blob64(statement_, index, blob.data(),
                                                              blob.size(), SQLITE_STATIC));
  return *this;
}

Statement& Statement::bind(int index, Instant instant) { return bind(index, to_micros(instant)); }

Statement& Statement::bind(int index, std::optional<Instant> instant) {
  return instant ? bind(index, *instant) : bind_null(index);
}

Statement& Statement::bind(int index, std::optional<double> value) {
  return value ? bind(index, *value) : bind_null(index);
}

Statement& Statement::bind_null(int index) {
  keep_first(bind_status_, sqlite3_bind_null(statement_, index));
  return *this;
}

Result<bool> Statement::step() {
  if (bind_status_ != SQLITE_OK) {
    return fail(ErrorCode::internal, std::string("binding a parameter: ") +
                                         sqlite3_errstr(bind_status_) + ": " +
                                         sqlite3_sql(statement_));
  }
  const int status = sqlite3_step(statement_);
  if (status == SQLITE_ROW) return true;
  if (status == SQLITE_DONE) return false;
  return fail(database_->error("using the database"));
}

Result<Ok> Statement::run() {
  while (true) {
    DISTRICT_TRY(const bool row, step());
    if (!row) break;
  }
  sqlite3_reset(statement_);
  return Ok{};
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }

std::string Statement::text(int column) const {
  const auto* text = sqlite3_column_text(statement_, column);
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(text),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

ByteView Statement::blob(int column) const {
  const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(statement_, column));
  return {data,
          data == nullptr ? 0 : static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Instant Statement::instant(int column) const { return from_micros(integer(column)); }

std::optional<Instant> Statement::optional_instant(int column) const {
  if (is_null(column)) return std::nullopt;
  return instant(column);
}

Result<Sha256Digest> Statement::digest(int column) const {
  const auto digest = to_digest(blob(column));
  if (!digest) {
    return fail(ErrorCode::archive_corrupt,
                database_->path() + ": a digest does not have 32 octets",
                "districtctl log verify names what is damaged");
  }
  return *digest;
}

Result<Transaction> Transaction::begin(Database& database) {
  Turn turn(*database.writers_, std::chrono::milliseconds(kBusyTimeoutMs));
  if (!turn) {
    database.was_busy_ = true;
    return fail(ErrorCode::archive_unavailable,
                "another thread has been writing to " + database.path_ + " for too long",
                "the disk may be slow or failing (dmesg)");
  }
  DISTRICT_CHECK(database.execute("BEGIN IMMEDIATE"));
  return Transaction(database, std::move(turn));
}

Result<Ok> Transaction::begin_again(Database& database) {
  DISTRICT_TRY(auto begun, begin(database));
  database_ = std::exchange(begun.database_, nullptr);
  turn_ = std::move(begun.turn_);
  return Ok{};
}

Transaction::~Transaction() {
  // After some errors SQLite has rolled back by itself.
  if (database_ != nullptr && sqlite3_get_autocommit(database_->native()) == 0) {
    sqlite3_exec(database_->native(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

Result<Ok> Transaction::commit() {
  DISTRICT_CHECK(database_->execute("COMMIT"));
  database_ = nullptr;
  turn_.unlock();
  return Ok{};
}

}  // namespace district::store
