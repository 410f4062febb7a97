#include "xml/guard.h"

#include <algorithm>
#include <string>

#include "base/limits.h"
#include "base/text.h"

namespace district::xml {

Result<Ok> Guard::check(std::string_view piece) {
  std::string_view rest = piece;
  auto checked = look_through(rest);
  done_ += piece.size() - rest.size();
  if (checked) return checked;
  auto error = std::move(checked).error();
  error.detail += " near octet " + std::to_string(done_);
  return fail(std::move(error));
}

Result<Ok> Guard::look_through(std::string_view& rest) {
  while (!rest.empty()) {
    DISTRICT_CHECK(step(rest));
    if (tag_octets_ > limits::kXmlTagBytesMax)
      return fail(ErrorCode::limit_exceeded, "a tag with too many octets");
    if (text_octets_ > limits::kXmlTextBytesMax)
      return fail(ErrorCode::limit_exceeded, "too much text between two tags");
  }
  return Ok{};
}

Result<Ok> Guard::finish() const {
  if (at_ == At::text && depth_ == 0) return Ok{};
  return fail(ErrorCode::xml_malformed, "the document ends with " + std::to_string(depth_) +
                                            (depth_ == 1 ? " element" : " elements") + " open" +
                                            (at_ == At::text ? "" : ", within markup"));
}

Result<Ok> Guard::step(std::string_view& rest) {
  switch (at_) {
    case At::text:
      return text(rest);
    case At::open:
      return open(rest);
    case At::bang:
      return bang(rest);
    case At::comment:
      section(rest, '-');
      break;
    case At::cdata:
      section(rest, ']');
      break;
    case At::end_tag:
      return end_tag(rest);
    case At::tag:
      return tag(rest);
    case At::value:
      value(rest);
      break;
  }
  return Ok{};
}

Result<Ok> Guard::text(std::string_view& rest) {
  const std::size_t length = std::min(rest.find('<'), rest.size());
  const std::string_view piece = rest.substr(0, length);
  // XML 1.0 section 2.4. The parser sees it only where its buffer does not end within.
  for (auto at = piece.find('>'); at != std::string_view::npos; at = piece.find('>', at + 1)) {
    if (brackets_at_end(piece.substr(0, at)) >= 2)
      return fail(ErrorCode::xml_malformed, "']]>' in text");
  }
  repeated_ = brackets_at_end(piece);
  outside_of_tags(length);
  rest.remove_prefix(length);
  if (rest.empty()) return Ok{};
  rest.remove_prefix(1);
  at_ = At::open;
  return Ok{};
}

// Of the text up to the end of `piece`.
std::size_t Guard::brackets_at_end(std::string_view piece) const {
  const auto last_other = piece.find_last_not_of(']');
  if (last_other != std::string_view::npos) return piece.size() - last_other - 1;
  return repeated_ + piece.size();
}

// Behind '<'.
Result<Ok> Guard::open(std::string_view& rest) {
  const char first = rest.front();
  if (first == '?') {
    // Templates put whole documents into elements. Where the piece is cut here it is told less.
    const bool declaration = rest.starts_with("?xml") && rest.size() > 4 && is_xml_space(rest[4]);
    return fail(ErrorCode::xml_forbidden,
                declaration ? "an XML declaration within the document" : "a processing instruction",
                declaration ? "put what follows the <?xml ...?> into the element, without it" : "");
  }
  repeated_ = 0;
  if (first == '!') {
    rest.remove_prefix(1);
    awaited_ = {};
    at_ = At::bang;
    return Ok{};
  }
  // Only behind a tag does text start anew; a comment would cut it in pieces.
  text_octets_ = 0;
  tag_octets_ = 0;
  attributes_ = 0;
  slash_ = false;
  at_ = first == '/' ? At::end_tag : At::tag;
  return Ok{};
}

// Behind '<!'.
Result<Ok> Guard::bang(std::string_view& rest) {
  constexpr std::string_view kComment = "--";
  constexpr std::string_view kCdata = "[CDATA[";
  if (awaited_.empty()) awaited_ = rest.front() == '-' ? kComment : kCdata;
  const bool comment = awaited_.back() == '-';
  while (!rest.empty() && !awaited_.empty()) {
    if (rest.front() != awaited_.front()) {
      return fail(ErrorCode::xml_forbidden, "a document type or other markup declaration");
    }
    rest.remove_prefix(1);
    awaited_.remove_prefix(1);
  }
  if (!awaited_.empty()) return Ok{};
  at_ = comment ? At::comment : At::cdata;
  return Ok{};
}

// A comment or CDATA section: to two or more of a character and '>'.
void Guard::section(std::string_view& rest, char twice) {
  std::size_t i = 0;
  while (i < rest.size()) {
    const char c = rest[i++];
    if (c == twice) {
      ++repeated_;
      continue;
    }
    if (c == '>' && repeated_ >= 2) {
      repeated_ = 0;
      at_ = At::text;
      break;
    }
    repeated_ = 0;
    // The next that may be the end.
    i = std::min(rest.find(twice, i), rest.size());
  }
  outside_of_tags(i);
  rest.remove_prefix(i);
}

Result<Ok> Guard::end_tag(std::string_view& rest) {
  const std::size_t length = std::min(rest.find('>'), rest.size());
  tag_octets_ += length;
  rest.remove_prefix(length);
  if (rest.empty()) return Ok{};
  if (depth_ == 0) return fail(ErrorCode::xml_malformed, "an end tag of no element");
  --depth_;
  rest.remove_prefix(1);
  at_ = At::text;
  return Ok{};
}

Result<Ok> Guard::tag(std::string_view& rest) {
  const char* const begin = rest.data();
  const char* const end = begin + rest.size();
  const char* at = begin;
  while (at != end && *at != '>' && *at != '"' && *at != '\'' && *at != '<') ++at;
  const auto length = static_cast<std::size_t>(at - begin);
  tag_octets_ += length;
  if (length > 0) slash_ = at[-1] == '/';
  rest.remove_prefix(length);
  if (rest.empty()) return Ok{};
  const char last = rest.front();
  if (last == '<') return fail(ErrorCode::xml_malformed, "a tag within a tag");
  rest.remove_prefix(1);
  if (last == '>') return end_of_tag();
  if (++attributes_ > limits::kXmlAttributesPerTagMax)
    return fail(ErrorCode::limit_exceeded, "too many attributes in one tag");
  ++tag_octets_;
  slash_ = false;
  quote_ = last;
  at_ = At::value;
  return Ok{};
}

Result<Ok> Guard::end_of_tag() {
  if (depth_ == limits::kXmlDepthMax) return fail(ErrorCode::limit_exceeded, "too many levels");
  if (!slash_) ++depth_;
  at_ = At::text;
  return Ok{};
}

void Guard::value(std::string_view& rest) {
  const std::size_t length = std::min(rest.find(quote_), rest.size());
  tag_octets_ += length;
  rest.remove_prefix(length);
  if (rest.empty()) return;
  ++tag_octets_;
  rest.remove_prefix(1);
  at_ = At::tag;
}

}  // namespace district::xml
