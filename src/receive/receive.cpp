#include "receive/receive.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/limits.h"
#include "receive/gzip.h"
#include "receive/media_type.h"

namespace district::receive {
namespace {

constexpr std::string_view kAction = "http://urb-grade.eu/AggregateMessage";
constexpr std::string_view kSoap11 = "text/xml";
constexpr std::string_view kSoap12 = "application/soap+xml";

using limits::kWholeOctetsMax;

Error too_large(std::size_t octets_max) {
  return {ErrorCode::too_large,
          "the body has more than " + std::to_string(octets_max) + " octets",
          {},
          {},
          {}};
}

// Octets in memory from `begin` on, then those of another source; `octets_max` of all together.
class BodySource final : public ByteSource {
 public:
  BodySource(Bytes octets, std::size_t begin, std::shared_ptr<ByteSource> rest,
             std::size_t octets_max)
      : octets_(std::move(octets)), used_(begin), rest_(std::move(rest)), octets_max_(octets_max) {}

  Result<ByteView> next() override {
    auto block = ByteView(octets_).subspan(std::min(used_, octets_.size()));
    block = block.first(std::min(block.size(), limits::kBlockOctets));
    if (block.empty() && rest_ != nullptr) {
      DISTRICT_TRY(block, rest_->next());
    }
    used_ += block.size();
    if (used_ > octets_max_) return fail(too_large(octets_max_));
    return block;
  }

 private:
  const Bytes octets_;
  std::size_t used_;
  const std::shared_ptr<ByteSource> rest_;
  const std::size_t octets_max_;
};

bool is_gzip(std::string_view coding) { return coding == "gzip" || coding == "x-gzip"; }

bool is_known_coding(std::string_view coding) {
  return coding.empty() || coding == "identity" || is_gzip(coding);
}

// nullopt: not one that SOAP comes in.
std::optional<MediaType> soap_media_type(std::string_view content_type) {
  auto media = parse_media_type(content_type);
  if (media && media->name != kSoap11 && media->name != kSoap12) return std::nullopt;
  return media;
}

Result<Ok> gunzip_body(RawEnvelope& raw, HttpRequest& request, std::size_t octets_max) {
  auto plain = std::make_shared<Gunzip>(
      std::make_unique<BodySource>(std::move(request.body), 0, std::move(request.rest), octets_max),
      octets_max);
  raw.octets.resize(limits::kBlockOctets);
  DISTRICT_TRY(const auto used, plain->read(raw.octets));
  raw.octets.resize(used);
  if (used == limits::kBlockOctets) raw.rest = std::move(plain);
  return Ok{};
}

Result<Ok> decode_body(RawEnvelope& raw, HttpRequest& request, std::size_t octets_max) {
  const auto coding = to_lower(trim(request.content_encoding));
  if (is_gzip(coding)) return gunzip_body(raw, request, octets_max);
  if (request.body.size() > octets_max) return fail(too_large(octets_max));
  if (request.body.size() <= kWholeOctetsMax && request.rest == nullptr) {
    raw.octets = std::move(request.body);
    return Ok{};
  }
  const auto whole = std::min(request.body.size(), kWholeOctetsMax);
  raw.octets.assign(request.body.begin(),
                    request.body.begin() + static_cast<std::ptrdiff_t>(whole));
  raw.rest = std::make_shared<BodySource>(std::move(request.body), whole, std::move(request.rest),
                                          octets_max);
  return Ok{};
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

// What the fields say of the body, whatever it is.
Result<Ok> read_fields(RawEnvelope& raw, std::string_view content_type,
                       std::string_view content_encoding, std::string_view soap_action) {
  const auto media = soap_media_type(content_type);
  if (!media) {
    return fail(ErrorCode::unsupported_media, "content type " + std::string(content_type),
                "send text/xml (SOAP 1.1) or application/soap+xml (SOAP 1.2), without attachments");
  }
  raw.soap_version = media->name == kSoap12 ? SoapVersion::v12 : SoapVersion::v11;
  // A SOAPAction beside an action parameter must not name another operation to a filter on the way.
  DISTRICT_TRY(raw.soap_action, known_action(unquote(soap_action)));
  if (raw.soap_version == SoapVersion::v12) {
    const auto* action = media->find("action");
    DISTRICT_TRY(raw.soap_action, known_action(action != nullptr ? std::string_view(*action) : ""));
  }
  if (const auto* charset = media->find("charset")) raw.charset = to_lower(*charset);
  const auto coding = to_lower(trim(content_encoding));
  if (is_known_coding(coding)) return Ok{};
  return fail(ErrorCode::unsupported_media, "content coding " + coding,
              "send the body as it is or with gzip");
}

}  // namespace

Result<Ok> check_fields(std::string_view content_type, std::string_view content_encoding,
                        std::string_view soap_action) {
  RawEnvelope unread;
  return read_fields(unread, content_type, content_encoding, soap_action);
}

SoapVersion soap_version(std::string_view content_type) {
  const auto name = to_lower(trim(content_type.substr(0, content_type.find(';'))));
  return name == kSoap12 ? SoapVersion::v12 : SoapVersion::v11;
}

bool refuses_coding_only(std::string_view content_type, std::string_view content_encoding) {
  return soap_media_type(content_type) && !is_known_coding(to_lower(trim(content_encoding)));
}

Result<RawEnvelope> make_raw_envelope(HttpRequest&& request, std::size_t octets_max) {
  return make_raw_envelope(request, octets_max);
}

Result<RawEnvelope> make_raw_envelope(HttpRequest& request, std::size_t octets_max) {
  RawEnvelope raw;
  DISTRICT_CHECK(
      read_fields(raw, request.content_type, request.content_encoding, request.soap_action));
  DISTRICT_CHECK(decode_body(raw, request, octets_max));
  raw.content_type = request.content_type;
  raw.content_encoding = request.content_encoding;
  raw.peer = request.peer;
  return raw;
}

bool claims_to_be_large(std::string_view content_encoding, ByteView body) {
  if (body.size() > kWholeOctetsMax) return true;
  constexpr std::size_t kSizeOctets = 4;
  if (body.size() < kSizeOctets || !is_gzip(to_lower(trim(content_encoding)))) return false;
  std::uint32_t size = 0;  // least significant octet first
  for (const auto octet : body.last(kSizeOctets)) {
    size = size >> 8 | std::to_integer<std::uint32_t>(octet) << 24;
  }
  return size > kWholeOctetsMax;
}

Result<Ok> collect_rest(RawEnvelope& raw) {
  while (raw.rest != nullptr) {
    DISTRICT_TRY(const auto block, raw.rest->next());
    if (block.empty()) raw.rest.reset();
    raw.octets.insert(raw.octets.end(), block.begin(), block.end());
  }
  return Ok{};
}

}  // namespace district::receive
