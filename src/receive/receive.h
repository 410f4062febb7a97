// Stage 1: from an HTTP request's head and body octets to the raw envelope.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "model/envelope.h"

namespace district::receive {

struct HttpRequest {
  // Header values as sent; empty when absent. They must outlive the call that takes the request.
  std::string_view content_type;
  std::string_view content_encoding;
  std::string_view soap_action;
  std::string_view peer;
  Bytes body;  // dechunked, still encoded
};

// Decodes gzip and identity (RFC 9110 section 8.4), reads media type and charset, takes the
// SOAPAction. `octets_max` holds for the decoded size too.
// Errors: unsupported_media (415), too_large (413), xml_malformed (broken gzip stream), not_soap (a
// SOAPAction that is not ours).
Result<RawEnvelope> make_raw_envelope(HttpRequest request, std::size_t octets_max);

// The version to answer in when a request is refused before its envelope is read: by media type,
// 1.1 for whatever is not application/soap+xml.
SoapVersion soap_version(std::string_view content_type);

}  // namespace district::receive
