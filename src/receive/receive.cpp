#include "receive/receive.h"

#include <optional>
#include <utility>

#include "receive/gzip.h"
#include "receive/media_type.h"

namespace district::receive {
namespace {

constexpr std::string_view kAction = "http://urb-grade.eu/AggregateMessage";
constexpr std::string_view kSoap11 = "text/xml";
constexpr std::string_view kSoap12 = "application/soap+xml";

Result<Bytes> decode_body(std::string_view content_encoding, Bytes body, std::size_t octets_max) {
  const auto coding = to_lower(trim(content_encoding));
  if (coding == "gzip" || coding == "x-gzip") return gunzip(body, octets_max);
  if (!coding.empty() && coding != "identity") {
    return fail(ErrorCode::unsupported_media, "content coding " + coding,
                "send the body as it is or with gzip");
  }
  if (body.size() > octets_max) {
    return fail(ErrorCode::too_large,
                "the body has more than " + std::to_string(octets_max) + " octets");
  }
  return body;
}

// SOAP 1.1 section 6.1.1 has the value in quotes; clients send it bare, too, or not at all.
// nullopt: a quote without its partner.
std::optional<std::string_view> unquote(std::string_view value) {
  value = trim(value);
  const bool opens = value.starts_with('"');
  if (!opens && !value.ends_with('"')) return value;
  if (value.size() < 2 || !opens || !value.ends_with('"')) return std::nullopt;
  return value.substr(1, value.size() - 2);
}

Result<std::string> known_action(std::optional<std::string_view> action) {
  if (action && (action->empty() || *action == kAction)) return std::string(*action);
  return fail(ErrorCode::not_soap,
              "SOAPAction is not " + std::string(kAction) +
                  (action ? ": " + std::string(*action) : ": unbalanced quotes"));
}

}  // namespace

SoapVersion soap_version(std::string_view content_type) {
  const auto name = to_lower(trim(content_type.substr(0, content_type.find(';'))));
  return name == kSoap12 ? SoapVersion::v12 : SoapVersion::v11;
}

Result<RawEnvelope> make_raw_envelope(HttpRequest request, std::size_t octets_max) {
  const auto media = parse_media_type(request.content_type);
  if (!media || (media->name != kSoap11 && media->name != kSoap12)) {
    return fail(ErrorCode::unsupported_media, "content type " + std::string(request.content_type),
                "send text/xml (SOAP 1.1) or application/soap+xml (SOAP 1.2), without attachments");
  }
  RawEnvelope raw;
  raw.soap_version = media->name == kSoap12 ? SoapVersion::v12 : SoapVersion::v11;
  // A SOAPAction beside an action parameter must not name another operation to a filter on the way.
  DISTRICT_TRY(raw.soap_action, known_action(unquote(request.soap_action)));
  if (raw.soap_version == SoapVersion::v12) {
    const auto* action = media->find("action");
    DISTRICT_TRY(raw.soap_action, known_action(action != nullptr ? std::string_view(*action) : ""));
  }
  if (const auto* charset = media->find("charset")) raw.charset = to_lower(*charset);
  DISTRICT_TRY(raw.octets,
               decode_body(request.content_encoding, std::move(request.body), octets_max));
  raw.content_type = request.content_type;
  raw.content_encoding = request.content_encoding;
  raw.peer = request.peer;
  return raw;
}

}  // namespace district::receive
