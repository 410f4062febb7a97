// The table of what can be read. The API runs from it, and openapi.json is made from it. A new
// resource is a new entry.
// Private to query/. Threads: any.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/local_time.h"
#include "base/time.h"
#include "model/http.h"
#include "query/caller.h"
#include "query/parameters.h"
#include "store/database.h"
#include "trust/snapshot.h"

namespace district::query {

using Json = nlohmann::ordered_json;

enum class Type : std::uint8_t {
  text,
  integer,
  number,
  boolean,
  instant,  // xs:dateTime, with the offset of the zone that was asked for
  texts,    // CSV: joined by blanks
  members,  // texts by name; in CSV each is a column of its own
};

struct Column {
  std::string_view name;  // snake_case, as in CSV; JSON has it in lowerCamelCase
  Type type = Type::text;
  std::string_view description;
  bool nullable = false;
};

struct Parameter {
  std::string_view name;
  std::string_view description;
  std::vector<std::string_view> values = {};  // the allowed values; empty: any
  bool required = false;
};

using Row = std::vector<Json>;  // as many as the resource has columns

struct RowPage {
  std::vector<Row> rows;
  Json next = nullptr;  // where the next page begins; null: there is none
};

// A question to the API, with its parameters read, and its caller.
struct Question {
  store::ArchiveDatabase& archive;  // as it is at one moment
  store::SeriesDatabase& series;    // likewise; not at an earlier moment
  const trust::TrustSnapshot& trust;
  const Caller& caller;
  const Parameters& parameters;
  std::optional<LocalTime> zone;  // none: UTC
  std::size_t limit = 0;          // rows of a page
  Json after;                     // the `next` of the previous page; null: the first page
  Instant now{};

  std::string spell(Instant at) const;
  Json spell(const std::optional<Instant>& at) const;
  // A day of `zone`, or an instant. Errors: admin_invalid, also for a day without a zone.
  Result<std::optional<Instant>> instant(std::string_view name) const;
  // What the parameters `from` and `to` say. Errors: those of instant(); admin_invalid (`to` is
  // before `from`).
  struct Span {
    std::optional<Instant> from, to;
  };
  Result<Span> span() const;
  // The parameter `tenant`, or all tenants that the caller sees, sorted. Errors: not_found (it is
  // not among them).
  Result<std::vector<std::string>> tenants() const;
};

// How a resource is answered: rows of a table, or octets.
using ReadRows = Result<RowPage> (*)(const Question&);
using ReadOctets = Result<HttpResponse> (*)(const Question&);

struct Resource {
  std::string_view path;  // below /api/v1; {name} is a parameter
  std::string_view id;    // operationId
  std::string_view summary;
  std::string_view description;
  std::vector<Parameter> parameters;  // without those that every resource has
  std::vector<Column> columns;
  ReadRows read_rows = nullptr;
  ReadOctets read_octets = nullptr;  // in place of read_rows
  bool single = false;               // one row, found or not
};
const std::vector<Resource>& resources();

// Resources with rows have these as well. Single ones have neither `limit` nor `cursor`.
const std::vector<Parameter>& common_parameters();
bool takes(const Resource& resource, const Parameter& common);
inline constexpr std::size_t kRowsUsual = 1000, kRowsMax = 10'000;
// How many parts of the database a page may read. After that it ends, even if it has no row yet.
inline constexpr std::size_t kPartsMax = 2000;

// The functions that the table in resources.cpp names, with the file of each.
Result<RowPage> read_status(const Question& question);         // read_trust.cpp
Result<RowPage> read_tenants(const Question& question);        // read_trust.cpp
Result<RowPage> read_sites(const Question& question);          // read_meters.cpp
Result<RowPage> read_meters(const Question& question);         // read_meters.cpp
Result<RowPage> read_series(const Question& question);         // read_meters.cpp
Result<RowPage> read_measurements(const Question& question);   // read_measurements.cpp
Result<RowPage> read_kpis(const Question& question);           // read_kpis.cpp
Result<RowPage> read_quality(const Question& question);        // read_kpis.cpp
Result<RowPage> read_kpi_inputs(const Question& question);     // read_kpis.cpp
Result<RowPage> read_kpi_catalogue(const Question& question);  // read_kpis.cpp
Result<RowPage> read_envelopes(const Question& question);      // read_envelopes.cpp
Result<RowPage> read_envelope(const Question& question);       // read_envelopes.cpp
Result<RowPage> read_failures(const Question& question);       // read_envelopes.cpp
Result<HttpResponse> read_raw(const Question& question);       // read_envelopes.cpp

}  // namespace district::query
