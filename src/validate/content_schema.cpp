#include "validate/content_schema.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "validate/schema_bounds.h"
#include "xml/document.h"

namespace district::validate {
namespace {

using Role = ElementMeaning::Role;

constexpr std::string_view kXs = "http://www.w3.org/2001/XMLSchema";
constexpr std::string_view kAnnotations = "http://urb-grade.eu/annotations";

constexpr std::array<std::pair<std::string_view, ValueKind>, 4> kKinds{{
    {"interval", ValueKind::interval},
    {"mean", ValueKind::mean},
    {"instant", ValueKind::instant},
    {"register", ValueKind::reading},
}};
constexpr std::array<std::pair<std::string_view, Role>, 5> kRoles{{
    {"period-start", Role::period_start},
    {"period-end", Role::period_end},
    {"meter", Role::meter},
    {"estimated", Role::estimated},
    {"attribute", Role::attribute},
}};

// Where in which schema something is wrong.
struct Place {
  const std::string& file;

  tl::unexpected<Error> wrong(xml::Element at, const std::string& what) const {
    const std::string name = at.attribute("", "name").value_or(std::string(at.name()));
    return fail(ErrorCode::config_invalid,
                file + ": line " + std::to_string(at.line()) + ": element " + name + ": " + what,
                "xsd/annotations.xsd explains the annotations of content schemas");
  }
};

// The annotation elements of our vocabulary on an element declaration.
std::vector<xml::Element> annotations_of(xml::Element declaration) {
  std::vector<xml::Element> result;
  const xml::Element annotation = declaration.child(kXs, "annotation");
  if (!annotation) return result;
  for (const xml::Element info : annotation.children()) {
    if (!info.is(kXs, "appinfo")) continue;
    for (const xml::Element item : info.children()) {
      if (item.namespace_uri() == kAnnotations) result.push_back(item);
    }
  }
  return result;
}

Result<Ok> read_meaning(const Place& place, xml::Element declaration, xml::Element meaning,
                        ElementMeaning& result) {
  const std::string kind = meaning.attribute("", "kind").value_or("");
  if (kind == "none") return Ok{};
  const auto* known =
      std::ranges::find(kKinds, kind, &std::pair<std::string_view, ValueKind>::first);
  if (known == kKinds.end()) return place.wrong(declaration, "kind '" + kind + "' is unknown");
  result.role = Role::value;
  result.kind = known->second;
  result.quantity = meaning.attribute("", "quantity").value_or("");
  result.unit = meaning.attribute("", "unit").value_or("");
  if (result.quantity.empty()) return place.wrong(declaration, "a value needs a quantity");
  if (result.unit.empty()) return place.wrong(declaration, "a value needs a unit");
  return Ok{};
}

ElementMeaning::Form form_of(const std::string& type) {
  if (type == "ZonedDateTime") return ElementMeaning::Form::instant;
  if (type == "Quantity" || type == "FiniteDouble") return ElementMeaning::Form::number;
  return type == "Name" ? ElementMeaning::Form::name : ElementMeaning::Form::text;
}

Result<ElementMeaning> read_declaration(const Place& place, xml::Element declaration) {
  ElementMeaning result;
  result.element = declaration.attribute("", "name").value_or("");
  if (result.element.empty())
    return place.wrong(declaration, "only declarations with a name can be annotated");
  result.form = form_of(declaration.attribute("", "type").value_or(""));
  const auto annotations = annotations_of(declaration);
  if (annotations.size() != 1)
    return place.wrong(declaration, "needs exactly one annotation, a:meaning or a:role");
  const xml::Element annotation = annotations.front();
  if (annotation.name() == "meaning") {
    DISTRICT_CHECK(read_meaning(place, declaration, annotation, result));
    return result;
  }
  if (annotation.name() != "role") {
    return place.wrong(declaration,
                       "annotation a:" + std::string(annotation.name()) + " is unknown here");
  }
  const std::string role = annotation.trimmed_text();
  const auto* known = std::ranges::find(kRoles, role, &std::pair<std::string_view, Role>::first);
  if (known == kRoles.end()) return place.wrong(declaration, "role '" + role + "' is unknown");
  result.role = known->second;
  return result;
}

bool same_meaning(const ElementMeaning& a, const ElementMeaning& b) {
  return a.role == b.role && a.kind == b.kind && a.quantity == b.quantity && a.unit == b.unit;
}

// Reads every declaration below an element or type, `depth` element declarations below gcontent.
Result<Ok> read_below(const Place& place, xml::Element above, std::size_t depth,
                      ContentType& content) {
  for (const xml::Element child : above.children()) {
    if (!child.is(kXs, "element")) {
      DISTRICT_CHECK(read_below(place, child, depth, content));
      continue;
    }
    DISTRICT_TRY(auto meaning, read_declaration(place, child));
    // Values stand in gcontent itself, statements in its records: nowhere else are they looked for.
    const std::size_t expected_depth = content.master_data ? 2 : 1;
    if (meaning.role != Role::none && depth + 1 != expected_depth) {
      return place.wrong(child, "stands too deep or too high for its annotation");
    }
    const auto same_name =
        std::ranges::find(content.elements, meaning.element, &ElementMeaning::element);
    // By the name alone it could not be told which form is meant.
    if (same_name != content.elements.end() && same_name->form != meaning.form)
      same_name->form = ElementMeaning::Form::text;
    if (same_name == content.elements.end()) {
      content.elements.push_back(std::move(meaning));
    } else if (!same_meaning(*same_name, meaning)) {
      return place.wrong(child, "has another meaning elsewhere in the schema");
    }
    DISTRICT_CHECK(read_below(place, child, depth + 1, content));
  }
  return Ok{};
}

std::size_t count(const ContentType& content, Role role) {
  return static_cast<std::size_t>(
      std::ranges::count(content.elements, role, &ElementMeaning::role));
}

// What no single annotation shows.
Result<Ok> check_sense(const Place& place, xml::Element gcontent, const ContentType& content) {
  for (const Role role : {Role::period_start, Role::period_end, Role::meter, Role::estimated}) {
    // Records of master data have one each: a meter_id, a site_id.
    if (count(content, role) > 1 && !(content.master_data && role == Role::meter))
      return place.wrong(gcontent, "a role of period, meter or estimated occurs twice");
  }
  const bool has_period =
      count(content, Role::period_start) == 1 && count(content, Role::period_end) == 1;
  for (const ElementMeaning& meaning : content.elements) {
    const std::string name = "its element " + meaning.element + ": ";
    if (content.master_data && meaning.role == Role::value) {
      return place.wrong(gcontent, name + "master data holds statements, not values");
    }
    if (content.master_data && meaning.role == Role::estimated) {
      return place.wrong(gcontent, name + "statements are not estimated");
    }
    if (!content.master_data && meaning.role == Role::attribute) {
      return place.wrong(gcontent, name + "role attribute is for master data");
    }
    if (meaning.role == Role::attribute && !has_period) {
      return place.wrong(gcontent,
                         name + "a statement needs elements of roles period-start and period-end");
    }
    const bool over_period = meaning.kind == ValueKind::interval || meaning.kind == ValueKind::mean;
    if (meaning.role == Role::value && over_period && !has_period) {
      return place.wrong(
          gcontent,
          name + "a value over a period needs elements of roles period-start and period-end");
    }
  }
  return Ok{};
}

// content/TYPE-VERSION.xsd
Result<ContentType> named(const std::string& file) {
  constexpr std::string_view kFolder = "content/";
  constexpr std::string_view kEnding = ".xsd";
  ContentType content;
  content.schema_file = file;
  std::string_view name = file;
  const auto dash = name.find('-');
  if (!name.starts_with(kFolder) || !name.ends_with(kEnding) || dash == std::string_view::npos) {
    return fail(ErrorCode::config_invalid, file + ": not of the form content/TYPE-VERSION.xsd");
  }
  content.type = name.substr(kFolder.size(), dash - kFolder.size());
  content.version = name.substr(dash + 1, name.size() - kEnding.size() - dash - 1);
  return content;
}

}  // namespace

Result<ContentType> read_content_schema(const std::string& file, std::string_view text) {
  const Place place{file};
  DISTRICT_TRY(auto content, named(file));
  auto document = xml::Document::parse(as_bytes(text));
  if (!document) return fail(ErrorCode::config_invalid, file + ": " + document.error().detail);
  const xml::Element schema = (*document)->root();
  if (const auto too_much = find_too_much(schema)) {
    return fail(ErrorCode::config_invalid,
                file + ": line " + std::to_string(too_much->at.line()) + ": " + too_much->what,
                "docs/how-to/add-a-content-type.md has the bounds of a content schema");
  }
  xml::Element gcontent;
  for (const xml::Element child : schema.children()) {
    if (child.is(kXs, "element") && child.attribute("", "name") == "gcontent") gcontent = child;
  }
  if (!gcontent) return place.wrong(schema, "declares no element gcontent");
  for (const xml::Element annotation : annotations_of(gcontent)) {
    const auto master_data = annotation.attribute("", "master-data");
    if (annotation.name() != "content" || !master_data ||
        (*master_data != "true" && *master_data != "false")) {
      return place.wrong(gcontent,
                         "only a:content master-data=\"true\" or \"false\" can stand here");
    }
    content.master_data = *master_data == "true";
  }
  DISTRICT_CHECK(read_below(place, gcontent, 0, content));
  // Without types.xsd its names of types are the schema's own.
  const bool shared_types = std::ranges::any_of(schema.children(), [](xml::Element child) {
    return child.is(kXs, "include") && child.attribute("", "schemaLocation") == "../types.xsd";
  });
  for (auto& element : content.elements)
    if (!shared_types) element.form = ElementMeaning::Form::text;
  DISTRICT_CHECK(check_sense(place, gcontent, content));
  return content;
}

}  // namespace district::validate
