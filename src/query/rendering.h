// Rows as JSON or CSV. Private to query/. Threads: any.
#pragma once

#include <string>
#include <string_view>

#include "query/resource.h"

namespace district::query {

// csv_exact is CSV without the guards of csv_text().
enum class Format : std::uint8_t { json, csv, csv_exact };

// Chooses by Accept (RFC 9110 section 12.5.1); nullopt: it accepts neither.
std::optional<Format> format_for(std::string_view accept);
std::string_view media_type_of(Format format);

// {"items": [...], "next": TARGET or null}; for a single resource its only row.
std::string as_json(const Resource& resource, const std::vector<Row>& rows,
                    const std::optional<std::string>& next);
// With a header line (RFC 4180).
std::string as_csv(const Resource& resource, const std::vector<Row>& rows, bool exact = false);
// JSON on one line, with invisible characters as \uXXXX.
std::string dump(const Json& json);

}  // namespace district::query
