// Stage 1: from an HTTP request's head and body octets to the raw envelope.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_source.h"
#include "base/error.h"
#include "model/envelope.h"

namespace district::receive {

struct HttpRequest {
  // Header values as sent; empty when absent.
  std::string content_type;
  std::string content_encoding;
  std::string soap_action;
  std::string peer;
  Bytes body;  // dechunked, still encoded: all of it, or what comes before `rest`
  // What follows in a large body; null: nothing. Errors of next(): request_cut, too_large.
  std::shared_ptr<ByteSource> rest = nullptr;
};

// Decodes gzip and identity (RFC 9110 section 8.4), reads media type and charset, takes the
// SOAPAction. Of a compressed envelope it decodes the first kBlockOctets octets, of a large one it
// takes the first kWholeOctetsMax; the raw envelope's `rest` gives the others when they are asked
// for, so that a gzip bomb costs nothing before its sender is known. `octets_max` holds for the
// decoded size too.
// Errors: unsupported_media (415), too_large (413), xml_malformed (broken gzip stream), not_soap (a
// SOAPAction that is not ours); those of the request's `rest`.
Result<RawEnvelope> make_raw_envelope(HttpRequest&& request, std::size_t octets_max);
// The same; it takes `body` and `rest`, and leaves the header values where they are.
Result<RawEnvelope> make_raw_envelope(HttpRequest& request, std::size_t octets_max);

// Whether these fields alone, before the body is there, are a reason to refuse a request.
// Errors: unsupported_media, not_soap.
Result<Ok> check_fields(std::string_view content_type, std::string_view content_encoding,
                        std::string_view soap_action);

// Whether it is the content coding, and not the media type, for which a request is refused.
bool refuses_coding_only(std::string_view content_type, std::string_view content_encoding);

// Whether a body that has come whole claims to decode to more than kWholeOctetsMax. A claim that is
// too low shows when the body is decoded.
// Source: RFC 1952 section 2.3.1 (ISIZE).
bool claims_to_be_large(std::string_view content_encoding, ByteView body);

// For those who need a large envelope as a whole in memory, such as the auditor's verifier: moves
// `rest` into `octets`. Errors: those of `rest`.
Result<Ok> collect_rest(RawEnvelope& raw);

// The version to answer in when a request is refused before its envelope is read: by media type,
// 1.1 for whatever is not application/soap+xml.
SoapVersion soap_version(std::string_view content_type);

}  // namespace district::receive
