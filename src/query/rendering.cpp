#include "query/rendering.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>
#include <sstream>

#include "base/csv.h"
#include "base/text.h"

namespace district::query {
namespace {

constexpr std::string_view kJsonType = "application/json", kCsvType = "text/csv";

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

// A weight in an Accept field, in thousandths: "0.5" is 500. Anything that is not a weight counts
// as 1000.
int weight_of(std::string_view parameters) {
  const auto begin = parameters.find("q=");
  if (begin == std::string_view::npos) return 1000;
  int weight = 0, unit = 1000;
  for (const char c : parameters.substr(begin + 2)) {
    if (c == '.') continue;
    if (c < '0' || c > '9' || unit == 0) break;
    weight += (c - '0') * unit;
    unit /= 10;
  }
  return std::min(weight, 1000);
}

// How much a client wants a type. The most specific range that fits decides.
int wish_for(std::string_view type, const std::string& accept) {
  const auto family = std::string(type.substr(0, type.find('/'))) + "/*";
  int wish = 0, specific = 0;
  std::istringstream ranges(accept);
  for (std::string range; std::getline(ranges, range, ',');) {
    const auto end = std::min(range.find(';'), range.size());
    const auto name = trim_xml_space(std::string_view(range).substr(0, end));
    const int fits = name == type ? 3 : name == family ? 2 : name == "*/*" ? 1 : 0;
    if (fits <= specific) continue;
    specific = fits;
    wish = weight_of(std::string_view(range).substr(end));
  }
  return wish;
}

std::string csv_field(const Json& value, bool exact) {
  if (value.is_null()) return {};
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    return exact ? text : csv_text(text);
  }
  if (!value.is_array()) return value.dump();
  std::string joined;
  for (const auto& part : value) {
    if (!joined.empty()) joined += ' ';
    joined += part.get<std::string>();
  }
  return exact ? joined : csv_text(joined);
}

Json object_of(const Resource& resource, const Row& row) {
  Json object = Json::object();
  for (std::size_t i = 0; i < row.size(); ++i) {
    object[camel_case(resource.columns[i].name)] = row[i];
  }
  return object;
}

}  // namespace

std::optional<Format> format_for(std::string_view accept) {
  if (accept.empty()) return Format::json;
  const auto wanted = lower(accept);
  const int json = wish_for(kJsonType, wanted), csv = wish_for(kCsvType, wanted);
  if (json == 0 && csv == 0) return std::nullopt;
  return csv > json ? Format::csv : Format::json;
}

std::string_view media_type_of(Format format) {
  return format == Format::json ? kJsonType : "text/csv; charset=utf-8; header=present";
}

std::string dump(const Json& json) {
  return with_escapes(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string as_json(const Resource& resource, const std::vector<Row>& rows,
                    const std::optional<std::string>& next) {
  if (resource.single) return dump(object_of(resource, rows.front())) + "\n";
  std::string text = "{\"items\":[";
  const char* separator = "\n";
  for (const auto& row : rows) {
    text += separator + dump(object_of(resource, row));
    separator = ",\n";
  }
  return text + "],\n\"next\":" + (next ? dump(*next) : "null") + "}\n";
}

std::string as_csv(const Resource& resource, const std::vector<Row>& rows, bool exact) {
  const auto& columns = resource.columns;
  const bool open = !columns.empty() && columns.back().type == Type::members;
  const auto fixed = columns.size() - (open ? 1 : 0);
  std::set<std::string> further;
  std::vector<std::string> record;
  for (std::size_t i = 0; i < fixed; ++i) record.emplace_back(columns[i].name);
  for (const auto& row : rows) {
    if (!open) break;
    for (const auto& member : row.back().items()) further.insert(member.key());
  }
  record.insert(record.end(), further.begin(), further.end());
  std::ostringstream out;
  write_csv_record(out, record);
  for (const auto& row : rows) {
    record.clear();
    for (std::size_t i = 0; i < fixed; ++i) record.push_back(csv_field(row[i], exact));
    for (const auto& name : further) {
      const auto member = row.back().find(name);
      record.push_back(member == row.back().end() ? "" : csv_field(*member, exact));
    }
    write_csv_record(out, record);
  }
  return out.str();
}

}  // namespace district::query
