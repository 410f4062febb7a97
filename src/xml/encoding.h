// Finds a document's encoding and gives its text as UTF-8. Private to xml/ and its tests.
// Source: XML 1.0 sections 2.8, 4.3.3 and appendix F; RFC 7303 section 3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace district::xml {

// UTF-8, UTF-16 (with a byte order mark, or as the transport says), ISO-8859-1, US-ASCII. Transport
// charset (lower case, may be empty), byte order mark and declaration must agree.
// Errors of both: xml_malformed; xml_forbidden where something precedes the XML declaration.
class Utf8Decoder {
 public:
  // `first`: the document's start, of kDeclarationOctetsMax octets unless it is shorter.
  static Result<Utf8Decoder> create(ByteView first, std::string_view charset);
  static constexpr std::size_t kDeclarationOctetsMax = 1024;

  // The next octets, cut anywhere, from the document's start on; `last`: none follow. Gives them
  // as valid UTF-8 without NUL, without byte order mark and XML declaration, valid until the next
  // call or as long as `octets`. A character that is cut is kept for the next call.
  Result<std::string_view> decode(ByteView octets, bool last);

  // Line breaks within the declaration that was left out.
  long lines_skipped() const { return lines_skipped_; }

 private:
  enum class Form : std::uint8_t { utf8, ascii, latin1, utf16be, utf16le };
  struct Start;
  Utf8Decoder() = default;
  static Result<Start> find_start(ByteView first, std::string_view charset);
  Result<std::string_view> as_utf8(std::string_view text, bool last);
  Result<std::string_view> from_utf16(std::string_view text, bool last);

  Form form_ = Form::utf8;
  std::size_t skip_ = 0;  // octets still to be left out
  long lines_skipped_ = 0;
  std::uint64_t done_ = 0;  // octets of UTF-8 given
  std::string kept_;        // of the last call: the start of a character
  std::string converted_;
};

}  // namespace district::xml
