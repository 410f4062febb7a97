#include "gateway/compose.h"

#include "xml/document.h"
#include "xml/namespaces.h"

namespace district::gateway {
namespace {

// Instants of whole seconds are written without a fraction, as the pilots do.
std::string spell(Instant instant) {
  const bool whole = instant == std::chrono::floor<std::chrono::seconds>(instant);
  return format_instant(instant, whole ? 0 : 6);
}

void append_element(std::string& out, std::string_view name, std::string_view text) {
  out.append("<").append(name).append(">");
  out.append(xml::escape_text(text));
  out.append("</").append(name).append(">");
}

void append_optional(std::string& out, std::string_view name, std::string_view text) {
  if (!text.empty()) append_element(out, name, text);
}

struct Head {
  Instant timestamp{};
  std::string_view type, version;
  std::string_view source;
};

std::string message(const Head& head, std::string_view content) {
  std::string out = "<message><head>";
  append_element(out, "timestamp", spell(head.timestamp));
  out.append("<messageType>");
  append_element(out, "type", head.type);
  append_element(out, "version", head.version);
  out.append("</messageType><messageSource>");
  append_element(out, "messageSourceElement", head.source);
  out.append("</messageSource></head><content><gcontent>");
  out.append(content);
  out.append("</gcontent></content></message>");
  return out;
}

std::string_view or_else(const std::string& preferred, const std::string& otherwise) {
  return preferred.empty() ? otherwise : preferred;
}

Error source_missing(const std::string& meter) {
  return Error{ErrorCode::gateway_input,
               "no source for meter " + meter + ": the file does not name its house",
               "--source NAME names it, e.g. --source KAL-1",
               {},
               {}};
}

struct Composer {
  const ComposeOptions& options;

  Result<std::string> operator()(const IntervalRow& row) const {
    std::string content;
    append_element(content, "measure_timestamp_start", spell(row.start));
    append_element(content, "measure_timestamp_end", spell(row.end));
    append_element(content, "energy_measure", row.energy_kwh);
    append_optional(content, "energy_price", row.price_eur_per_kwh);
    append_optional(content, "temperature_in", row.temperature_in_c);
    append_optional(content, "temperature_out", row.temperature_out_c);
    return message({row.end, "001", "0.0.1", or_else(options.source, row.meter)}, content);
  }

  Result<std::string> operator()(const PowerRow& row) const {
    std::string content;
    append_element(content, "consumer_measure", row.power_w);
    return message({row.at, "001", "001", or_else(options.source, row.installation)}, content);
  }

  Result<std::string> operator()(const RegisterRow& row) const {
    if (options.source.empty()) return fail(source_missing(row.meter));
    std::string content;
    append_element(content, "ID_Meter_consumption", row.meter);
    append_element(content, "Consumer_measure", row.reading);
    return message({row.at, "001", "002", options.source}, content);
  }

  Result<std::string> operator()(const MasterRow& row) const {
    const std::string_view source = or_else(options.source, row.source);
    if (source.empty()) return fail(source_missing(row.meter));
    std::string content = "<meter>";
    append_optional(content, "meter_id", row.meter);
    append_element(content, "valid_from", spell(row.valid_from.value_or(options.valid_from)));
    for (const auto& [name, value] : row.attributes) append_element(content, name, value);
    content.append("</meter>");
    return message({options.now, "002", "001", source}, content);
  }

  Result<std::string> operator()(const WrittenMessage& written) const { return written.xml; }
};

}  // namespace

Result<std::string> compose_message(const Row& row, const ComposeOptions& options) {
  return std::visit(Composer{options}, row);
}

std::string compose_body(std::string_view tenant, std::span<const std::string> messages) {
  std::string body = "<urb:AggregateMessageRequest xmlns:urb=\"";
  body.append(xml::ns::kUrb).append("\"><messages>");
  for (const std::string& text : messages) body.append(text);
  body.append("</messages><urb:tenantCode>").append(xml::escape_text(tenant));
  body.append("</urb:tenantCode></urb:AggregateMessageRequest>");
  return body;
}

}  // namespace district::gateway
