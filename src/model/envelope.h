// What came in: the raw envelope, and what of it is kept beside the octets.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/byte_source.h"
#include "base/bytes.h"

namespace district {

enum class SoapVersion : std::uint8_t { v11, v12 };

// The request's octets after transfer and content decoding, exactly as received otherwise, with
// what the transport said of them. Digest, archive, replay and evidence mean these octets.
// Made by receive/; nothing changes the octets again.
struct RawEnvelope {
  Bytes octets;  // all of them, or what comes before `rest`
  // What follows `octets` in a large envelope; null: nothing. Read once, by the verifier, which
  // looks at the header first.
  // Errors of next(): too_large, xml_malformed (broken gzip stream), request_cut (the peer is
  // gone).
  std::shared_ptr<ByteSource> rest;
  std::string content_type;      // as sent, with its parameters
  std::string content_encoding;  // as sent; empty: identity
  std::string soap_action;       // as sent, without quotes; in SOAP 1.2 the action parameter
  std::string charset;           // charset parameter of the content type, lower case; may be empty
  SoapVersion soap_version =
      SoapVersion::v11;  // by media type: text/xml 1.1, application/soap+xml 1.2
  std::string peer;      // address of the client, for the log
};

enum class KeyFamily : std::uint8_t { rsa, ecdsa };

}  // namespace district
