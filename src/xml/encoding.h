// Finds a document's encoding and gives its text as UTF-8. Private to xml/ and its tests.
// Source: XML 1.0 sections 2.8, 4.3.3 and appendix F; RFC 7303 section 3.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace district::xml {

// The document without byte order mark and XML declaration.
struct Utf8Text {
  std::string_view text() const { return converted ? std::string_view(*converted) : original; }

  std::optional<std::string> converted;  // where the octets are not UTF-8 already
  std::string_view original;             // else: a part of the octets
  long lines_skipped = 0;                // line breaks within the declaration
};

// UTF-8, UTF-16 (with a byte order mark, or as the transport says), ISO-8859-1, US-ASCII. Transport
// charset (lower case, may be empty), byte order mark and declaration must agree. The result is
// valid UTF-8 without NUL. Errors: xml_malformed.
Result<Utf8Text> to_utf8(ByteView octets, std::string_view charset);

}  // namespace district::xml
