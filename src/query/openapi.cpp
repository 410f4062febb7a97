#include "query/openapi.h"

#include "base/text.h"
#include "model/api.h"
#include "query/rendering.h"
#include "query/resource.h"

namespace district::query {
namespace {

Json type_of(const Column& column) {
  const auto simple = [&column](const char* name) {
    return Json{{"type", column.nullable ? Json{name, "null"} : Json(name)}};
  };
  switch (column.type) {
    case Type::integer:
      return simple("integer");
    case Type::number:
      return simple("number");
    case Type::boolean:
      return simple("boolean");
    case Type::texts:
      return {{"type", "array"}, {"items", {{"type", "string"}}}};
    case Type::members:
      return {{"type", "object"}, {"additionalProperties", {{"type", "string"}}}};
    case Type::instant: {
      auto type = simple("string");
      type["format"] = "date-time";
      return type;
    }
    case Type::text:
      break;
  }
  return simple("string");
}

Json row_schema(const Resource& resource) {
  Json properties = Json::object(), required = Json::array();
  for (const auto& column : resource.columns) {
    auto type = type_of(column);
    if (!column.description.empty()) type["description"] = column.description;
    const auto name = camel_case(column.name);
    properties[name] = std::move(type);
    required.push_back(name);
  }
  return {{"type", "object"},
          {"properties", properties},
          {"required", required},
          {"additionalProperties", false}};
}

Json page_schema(const Resource& resource) {
  Json next{{"type", {"string", "null"}},
            {"description", "Target of the next page; null: this is the last one"}};
  return {{"type", "object"},
          {"properties",
           {{"items", {{"type", "array"}, {"items", row_schema(resource)}}}, {"next", next}}},
          {"required", {"items", "next"}},
          {"additionalProperties", false}};
}

Json parameter_of(const Parameter& parameter, const Resource& resource) {
  const bool in_path =
      resource.path.find("{" + std::string(parameter.name) + "}") != std::string_view::npos;
  Json schema{{"type", "string"}};
  if (parameter.name == "limit") {
    schema = {{"type", "integer"}, {"minimum", 1}, {"maximum", kRowsMax}, {"default", kRowsUsual}};
  }
  if (!parameter.values.empty()) schema["enum"] = parameter.values;
  Json described{{"name", parameter.name},
                 {"in", in_path ? "path" : "query"},
                 {"description", parameter.description},
                 {"required", in_path || parameter.required},
                 {"schema", schema}};
  if (!in_path) described["allowEmptyValue"] = parameter.name == "meter";
  return described;
}

Json success_of(const Resource& resource) {
  Json header{{"ETag", {{"$ref", "#/components/headers/ETag"}}}};
  Json content = Json::object();
  if (resource.read_octets != nullptr) {
    header["Repr-Digest"] = {{"description", "SHA-256 of the octets (RFC 9530)"},
                             {"schema", {{"type", "string"}}}};
    content["application/octet-stream"] = Json::object();
  } else {
    if (!resource.single) {
      header["Link"] = {{"description", "rel=next: the next page (RFC 8288)"},
                        {"schema", {{"type", "string"}}}};
    }
    content["application/json"] = {
        {"schema", resource.single ? row_schema(resource) : page_schema(resource)}};
    content["text/csv"] = {{"schema", {{"type", "string"}}}};
  }
  return {{"description", "Found"}, {"headers", header}, {"content", content}};
}

Json range_header(std::string_view name) {
  return {
      {"name", name},
      {"in", "header"},
      {"description", name == "Range" ? "One range of octets, to go on with an answer that was cut"
                                      : "The ETag of that answer"},
      {"required", false},
      {"schema", {{"type", "string"}}}};
}

Json operation_of(const Resource& resource) {
  Json parameters = Json::array();
  for (const auto& each : resource.parameters) parameters.push_back(parameter_of(each, resource));
  for (const auto& each : common_parameters()) {
    if (takes(resource, each)) parameters.push_back(parameter_of(each, resource));
  }
  Json responses{{"200", success_of(resource)},
                 {"304", {{"description", "As the If-None-Match names it"}}}};
  for (const auto* status : {"400", "401", "404", "406", "503"}) {
    responses[status] = {{"$ref", "#/components/responses/problem"}};
  }
  if (resource.read_octets != nullptr) {
    for (const auto* name : {"Range", "If-Range"}) parameters.push_back(range_header(name));
    responses["206"] = success_of(resource);
    responses["206"]["description"] = "The part that the Range names";
    for (const auto* status : {"403", "416"}) {
      responses[status] = {{"$ref", "#/components/responses/problem"}};
    }
  }
  Json operation{{"operationId", resource.id}, {"summary", resource.summary}};
  if (!resource.description.empty()) operation["description"] = resource.description;
  operation["parameters"] = parameters;
  operation["responses"] = responses;
  return operation;
}

Json components() {
  const Json text{{"type", "string"}};
  const Json problem{{"type", "object"},
                     {"properties",
                      {{"title", text},
                       {"status", {{"type", "integer"}}},
                       {"detail", text},
                       {"hint", text},
                       {"code", {{"type", "integer"}}}}},
                     {"required", {"title", "status"}}};
  return {
      {"securitySchemes",
       {{"apiKey",
         {{"type", "http"}, {"scheme", "bearer"}, {"description", "districtctl apikey create"}}},
        {"certificate",
         {{"type", "mutualTLS"}, {"description", "A certificate enrolled for a tenant"}}}}},
      {"headers", {{"ETag", {{"description", "For If-None-Match"}, {"schema", text}}}}},
      {"responses",
       {{"problem",
         {{"description", "Why not (RFC 9457)"},
          {"content", {{"application/problem+json", {{"schema", problem}}}}}}}}}};
}

}  // namespace

std::string openapi_document(const std::string& public_url) {
  Json paths = Json::object();
  for (const auto& resource : resources()) {
    paths[std::string(resource.path)] = {{"get", operation_of(resource)}};
  }
  const Json document{
      {"openapi", "3.1.0"},
      {"info",
       {{"title", "District query API"},
        {"version", DISTRICT_VERSION},
        {"description",
         "Measurements, KPIs and envelopes, read only. Instants have an offset; days need `zone`."},
        {"license", {{"name", "GPL-2.0-or-later"}, {"identifier", "GPL-2.0-or-later"}}}}},
      {"servers", {{{"url", public_url + std::string(kApiPath)}}}},
      {"security", {{{"apiKey", Json::array()}}, {{"certificate", Json::array()}}}},
      {"paths", paths},
      {"components", components()}};
  return document.dump(1) + "\n";
}

}  // namespace district::query
