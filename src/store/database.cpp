#include "store/database.h"

#include "store/sqlite/sqlite.h"

namespace district::store {

Database::Database(std::string name, std::unique_ptr<Connection> connection)
    : name_(std::move(name)), connection_(std::move(connection)) {}

// A connection ends only after its statements.
Database::~Database() { idle_.clear(); }

Result<std::unique_ptr<ArchiveDatabase>> ArchiveDatabase::open(const Location& location,
                                                               OpenMode mode) {
  DISTRICT_TRY(auto connection, sqlite::connect(location.archive(), Schema::archive, mode));
  return std::unique_ptr<ArchiveDatabase>(
      new ArchiveDatabase(location.archive(), std::move(connection)));
}

Result<std::unique_ptr<SeriesDatabase>> SeriesDatabase::open(const Location& location,
                                                             OpenMode mode) {
  DISTRICT_TRY(auto connection, sqlite::connect(location.series(), Schema::series, mode));
  return std::unique_ptr<SeriesDatabase>(
      new SeriesDatabase(location.series(), std::move(connection)));
}

Result<std::unique_ptr<RejectionDatabase>> RejectionDatabase::open(const std::string& path,
                                                                   OpenMode mode) {
  DISTRICT_TRY(auto connection, sqlite::connect(path, Schema::rejections, mode));
  return std::unique_ptr<RejectionDatabase>(new RejectionDatabase(path, std::move(connection)));
}

Result<Ok> Database::execute(const char* sql) { return connection_->execute(sql); }

Result<Statement> Database::prepare(std::string_view sql) {
  if (const auto found = idle_.find(sql); found != idle_.end() && !found->second.empty()) {
    auto prepared = std::move(found->second.back());
    found->second.pop_back();
    return Statement(*this, std::move(prepared));
  }
  DISTRICT_TRY(auto prepared, connection_->prepare(sql));
  return Statement(*this, std::move(prepared));
}

void Database::give_back(std::unique_ptr<Prepared> prepared) {
  prepared->clear();
  const auto sql = prepared->sql();
  auto place = idle_.find(sql);
  if (place == idle_.end()) place = idle_.try_emplace(std::string(sql)).first;
  place->second.push_back(std::move(prepared));
}

Statement::~Statement() {
  if (prepared_) database_->give_back(std::move(prepared_));
}

Statement& Statement::bind(int index, std::int64_t value) {
  prepared_->bind_integer(index, value);
  return *this;
}

Statement& Statement::bind(int index, double value) {
  prepared_->bind_real(index, value);
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  prepared_->bind_text(index, text);
  return *this;
}

Statement& Statement::bind(int index, ByteView blob) {
  prepared_->bind_octets(index, blob);
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
  prepared_->bind_null(index);
  return *this;
}

Result<bool> Statement::step() { return prepared_->step(); }

Result<Ok> Statement::run() {
  while (true) {
    DISTRICT_TRY(const bool row, step());
    if (!row) break;
  }
  prepared_->rewind();
  return Ok{};
}

std::optional<Instant> Statement::optional_instant(int column) const {
  if (is_null(column)) return std::nullopt;
  return instant(column);
}

Result<Sha256Digest> Statement::digest(int column) const {
  const auto digest = to_digest(blob(column));
  if (!digest) {
    return fail(ErrorCode::archive_corrupt,
                database_->name() + ": a digest does not have 32 octets",
                "districtctl log verify names what is damaged");
  }
  return *digest;
}

}  // namespace district::store
