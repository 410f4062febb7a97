// A linear pass over UTF-8 text before any parser sees it: refuses what has no place in a message,
// a document that is too deep or cut off, and bounds what the parser would do more than linear work
// for. Private to xml/ and its tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace district::xml {

// It need not find every error of well-formedness, since the parser follows. What is counted over
// the whole document is counted from the parser's events (bounds.h).
class Guard {
 public:
  // The next piece of the text, cut anywhere.
  // Errors: xml_forbidden (document type, processing instruction), limit_exceeded, xml_malformed.
  Result<Ok> check(std::string_view piece);
  // When there are no more pieces. Errors: xml_malformed where the text ends before its elements;
  // a parser says so, too, but has to come to the end first.
  Result<Ok> finish() const;

 private:
  enum class At : std::uint8_t { text, open, bang, comment, cdata, end_tag, tag, value };

  // Each reads from the front of `rest` and leaves what it did not look at.
  Result<Ok> look_through(std::string_view& rest);
  Result<Ok> step(std::string_view& rest);
  Result<Ok> text(std::string_view& rest);
  Result<Ok> open(std::string_view& rest);
  Result<Ok> bang(std::string_view& rest);
  void section(std::string_view& rest, char twice);
  Result<Ok> end_tag(std::string_view& rest);
  Result<Ok> tag(std::string_view& rest);
  Result<Ok> end_of_tag();
  void value(std::string_view& rest);
  std::size_t brackets_at_end(std::string_view piece) const;
  void outside_of_tags(std::size_t octets) { text_octets_ += octets; }

  At at_ = At::text;
  char quote_ = 0;               // At::value: what ends it
  std::string_view awaited_;     // At::bang: what must still come
  std::size_t repeated_ = 0;     // hyphens (At::comment) or brackets (text, At::cdata) just before
  std::size_t depth_ = 0;        // elements that are open
  bool slash_ = false;           // At::tag: it is the last octet so far
  std::size_t tag_octets_ = 0;   // of the tag, or of the last one
  std::size_t attributes_ = 0;   // of the tag
  std::size_t text_octets_ = 0;  // since the last tag
  std::uint64_t done_ = 0;       // octets, up to where it stopped
};

}  // namespace district::xml
