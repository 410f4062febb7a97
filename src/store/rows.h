// Reads the rows of a statement. A result is read whole before anything else happens, so that it
// does not matter how an engine delivers it. A result that can be long is read in parts, with a
// LIMIT and from the last key on. Private to store/.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "store/database.h"

namespace district::store {

namespace detail {
template <typename T>
struct Unwrapped {
  using type = T;
};
template <typename T>
struct Unwrapped<Result<T>> {
  using type = T;
};
template <typename Read>
using ValueOf = typename Unwrapped<std::invoke_result_t<Read&, const Statement&>>::type;
}  // namespace detail

// Calls `take` with each row. It gives nothing, or a Result<Ok>, whose error ends it.
template <typename Take>
Result<Ok> for_each_row(Statement& statement, Take take) {
  while (true) {
    DISTRICT_TRY(const bool row, statement.step());
    if (!row) return Ok{};
    if constexpr (std::is_void_v<std::invoke_result_t<Take&, const Statement&>>) {
      take(statement);
    } else {
      DISTRICT_CHECK(take(statement));
    }
  }
}

// The rows as values: `read` makes one, or a Result of one, of a row.
template <typename Read>
Result<std::vector<detail::ValueOf<Read>>> all_rows(Statement& statement, Read read) {
  std::vector<detail::ValueOf<Read>> values;
  DISTRICT_CHECK(for_each_row(statement, [&](const Statement& row) -> Result<Ok> {
    Result<detail::ValueOf<Read>> value = read(row);
    if (!value) return fail(std::move(value).error());
    values.push_back(*std::move(value));
    return Ok{};
  }));
  return values;
}

// The first row as a value; nullopt: there is none.
template <typename Read>
Result<std::optional<detail::ValueOf<Read>>> one_row(Statement& statement, Read read) {
  DISTRICT_TRY(const bool found, statement.step());
  if (!found) return std::nullopt;
  Result<detail::ValueOf<Read>> value = read(std::as_const(statement));
  if (!value) return fail(std::move(value).error());
  return std::optional(*std::move(value));
}

// For the check of the log: a damaged digest agrees with no leaf, and is reported like that.
inline Sha256Digest digest_or_zero(ByteView stored) {
  return to_digest(stored).value_or(Sha256Digest{});
}

}  // namespace district::store
