#include "validate/statements.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "base/near_name.h"
#include "validate/findings.h"
#include "xml/document.h"
#include "xml/schema.h"

namespace district::validate {
namespace {

// Element names of XML, as far as schemas of contents use them.
bool is_element_name(std::string_view name) {
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
  return !name.empty() && name.find_first_not_of(kLetters) == std::string_view::npos &&
         !(name.front() >= '0' && name.front() <= '9');
}

// The elements that the content schema lets a record of this kind have.
std::vector<std::string> elements_of(const std::string& schema_file, const std::string& kind) {
  std::vector<std::string> names;
  const auto text = xml::contract_file(schema_file);
  const auto schema = text ? xml::Document::parse(as_bytes(*text))
                           : fail(ErrorCode::config_invalid, "no schema " + schema_file);
  if (!schema) return names;
  const xml::Element root = (*schema)->root();
  const auto is_element = [](xml::Element element) { return element.name() == "element"; };
  for (auto at = root.next_below(root); at; at = at.next_below(root)) {
    if (!is_element(at) || at.attribute("", "name") != kind) continue;
    for (auto below = at.next_below(at); below; below = below.next_below(at)) {
      const auto name = below.attribute("", "name");
      if (is_element(below) && name) names.push_back(*name);
    }
  }
  return names;
}

// Checks the names before the schema does, because a schema cannot say which name was meant.
Result<Ok> check_names(const StatedRecord& record, std::size_t number,
                       const std::vector<std::string>& known) {
  for (const auto& [name, value] : record.fields) {
    if (known.empty() || std::ranges::find(known, name) != known.end()) continue;
    return fail(ErrorCode::config_invalid,
                "record " + std::to_string(number) + ", a " + record.kind + " of " + record.source +
                    ": unknown attribute '" + name + "'" + did_you_mean(name, known));
  }
  return Ok{};
}

// Usually the value that was received last counts; of two values in one file neither is later.
Result<Ok> check_contradictions(const std::vector<MasterFact>& facts) {
  std::map<std::tuple<std::string, std::string, std::string, Instant>, const MasterFact*> first;
  for (const MasterFact& fact : facts) {
    const auto [held, is_new] =
        first.emplace(std::tuple{fact.source, fact.meter, fact.attribute, fact.valid_from}, &fact);
    if (is_new) continue;
    const auto& other = *held->second;
    if (other.value == fact.value && other.valid_to == fact.valid_to) continue;
    return fail(ErrorCode::config_invalid,
                "records " + std::to_string(other.message_index) + " and " +
                    std::to_string(fact.message_index) + " state two values for " + fact.attribute +
                    " of " + fact.source + (fact.meter.empty() ? "" : "/" + fact.meter) + " from " +
                    format_instant(fact.valid_from, 0) + ": " + other.value + " and " + fact.value,
                "leave one of them out, or give it another valid_from");
  }
  return Ok{};
}

Result<std::string> content_of(const StatedRecord& record, std::size_t number) {
  std::string xml = "<gcontent><" + record.kind + ">";
  for (const auto& [name, value] : record.fields) {
    if (!is_element_name(name)) {
      return fail(ErrorCode::config_invalid,
                  "record " + std::to_string(number) + ": '" + name + "' is no name of an element");
    }
    xml += "<" + name + ">" + xml::escape_text(value) + "</" + name + ">";
  }
  return xml + "</" + record.kind + "></gcontent>";
}

}  // namespace

Result<std::vector<MasterFact>> read_statements(const Validator& validator,
                                                const std::vector<StatedRecord>& records) {
  const auto& types = validator.content_types();
  const auto type = std::ranges::find_if(types, &ContentType::master_data);
  if (type == types.end())
    return fail(ErrorCode::config_invalid, "no content schema is annotated as master data");
  DISTRICT_TRY(const auto schema, xml::Schema::compile(type->schema_file));
  std::string messages;
  for (std::size_t i = 0; i < records.size(); ++i) {
    DISTRICT_CHECK(check_names(records[i], i + 1, elements_of(type->schema_file, records[i].kind)));
    DISTRICT_TRY(const auto content, content_of(records[i], i + 1));
    DISTRICT_TRY(const auto document, xml::Document::parse(as_bytes(content)));
    auto violations = schema.validate(document->root());
    if (!violations.empty()) {
      auto error = fail(ErrorCode::config_invalid,
                        "record " + std::to_string(i + 1) + ", a " + records[i].kind + " of " +
                            records[i].source + ": " + violations.front().path + ": " +
                            in_words(violations.front().reason),
                        type->schema_file + " has what can be stated");
      return error;
    }
    messages += "<message><head><timestamp>2000-01-01T00:00:00Z</timestamp><messageType><type>" +
                type->type + "</type><version>" + type->version +
                "</version></messageType><messageSource><messageSourceElement>" +
                xml::escape_text(records[i].source) +
                "</messageSourceElement></messageSource></head><content>" + content +
                "</content></message>";
  }
  const auto envelope =
      "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Header/><s:Body>"
      "<u:AggregateMessageRequest xmlns:u='http://urb-grade.eu'><messages>" +
      messages +
      "</messages><u:tenantCode>0</u:tenantCode></u:AggregateMessageRequest></s:Body></s:Envelope>";
  std::vector<MasterFact> facts;
  MemorySource source(as_bytes(envelope));
  const auto taken = validator.extract(source, "", Instant{}, [&](const Batch& part) -> Result<Ok> {
    facts.insert(facts.end(), part.master_facts.begin(), part.master_facts.end());
    return Ok{};
  });
  if (!taken) return fail(taken.error());
  DISTRICT_CHECK(check_contradictions(facts));
  return facts;
}

}  // namespace district::validate
