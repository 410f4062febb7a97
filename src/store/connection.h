// What a Database asks of the engine behind it: a connection, its prepared statements, and where
// transactions begin and end. store/sqlite/ implements it. Private to store/.
// Threads: one at a time for each connection.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace district::store {

enum class OpenMode {
  create,     // make the database and bring it to this version's schema where needed
  existing,   // must exist; brought to this version's schema
  read_only,  // must exist and have this version's schema
};

// Each kind of database has its own tables and migrations.
enum class Schema {
  archive,     // evidence: a commit returns when it is on the disk
  series,      // likewise: the archive calls work finished that is stored here
  rejections,  // may lose its last moments in a power failure
};

// A statement that was prepared once and may run many times.
class Prepared {
 public:
  virtual ~Prepared() = default;
  virtual std::string_view sql() const = 0;

  // Parameters from 1. Text and octets must outlive the first step. A failure shows in it.
  virtual void bind_integer(int index, std::int64_t value) = 0;
  virtual void bind_real(int index, double value) = 0;
  virtual void bind_text(int index, std::string_view text) = 0;
  virtual void bind_octets(int index, ByteView octets) = 0;
  virtual void bind_null(int index) = 0;

  // To the next row; false: there is none. Other statements of the connection may run between two
  // steps, so an engine may have to read the result whole at the first one.
  virtual Result<bool> step() = 0;
  virtual void rewind() = 0;  // to run once more; the parameters stay
  virtual void clear() = 0;   // back to the state after prepare()

  // Columns from 0, of the current row.
  virtual std::int64_t integer(int column) const = 0;
  virtual double real(int column) const = 0;
  virtual std::string_view text(int column) const = 0;  // until the next step
  virtual ByteView octets(int column) const = 0;        // until the next step
  virtual bool is_null(int column) const = 0;
};

// Errors of every function: archive_unavailable (disk full, locked too long, I/O error, server
// gone), archive_corrupt, internal (a fault of the program).
class Connection {
 public:
  virtual ~Connection() = default;
  virtual Result<Ok> execute(const char* sql) = 0;  // without parameters or rows
  virtual Result<std::unique_ptr<Prepared>> prepare(std::string_view sql) = 0;

  // Takes the lock of its database: of the log, or of the series. Waits up to 10 s for it.
  virtual Result<Ok> begin_writing() = 0;
  virtual Result<Ok> commit() = 0;
  // Undoes what was written and gives the lock back, also after a commit that failed.
  virtual void roll_back() = 0;

  // Until end_reading(), all reads see the database as it is now.
  virtual Result<Ok> begin_reading() = 0;
  virtual void end_reading() = 0;

  // What is wrong with the engine's own structures, a line each: tables, indexes and triggers that
  // this program does not make, and rows missing from an index. A changed index or planted trigger
  // changes what every other check reads. Reads the whole database.
  virtual Result<std::vector<std::string>> damages() = 0;

  // What statements have cost so far, in the engine's own steps. A statement's are added when it is
  // given back. For tests of bounds: the count does not depend on the machine.
  virtual std::uint64_t steps() const = 0;

  // It is read without locks, so nobody may change the database meanwhile.
  virtual bool is_read_without_locks() const = 0;
};

}  // namespace district::store
