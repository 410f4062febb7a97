#include "xml/encoding.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

#include "base/text.h"
#include "base/utf8.h"

namespace district::xml {
namespace {

enum class Encoding { none, utf8, utf16be, utf16le, utf16, latin1, ascii };

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

Result<Encoding> named(std::string_view name) {
  const std::string folded = lower(name);
  if (folded.empty()) return Encoding::none;
  if (folded == "utf-8" || folded == "utf8") return Encoding::utf8;
  if (folded == "utf-16") return Encoding::utf16;
  if (folded == "utf-16be") return Encoding::utf16be;
  if (folded == "utf-16le") return Encoding::utf16le;
  if (folded == "iso-8859-1" || folded == "latin1") return Encoding::latin1;
  if (folded == "us-ascii" || folded == "ascii") return Encoding::ascii;
  return fail(ErrorCode::xml_malformed, "encoding is none of UTF-8, UTF-16, ISO-8859-1");
}

bool is_utf16(Encoding encoding) {
  return encoding == Encoding::utf16 || encoding == Encoding::utf16be ||
         encoding == Encoding::utf16le;
}

// Whether one source of the encoding may stand beside another.
bool agree(Encoding a, Encoding b) {
  if (a == Encoding::none || b == Encoding::none || a == b) return true;
  return is_utf16(a) && is_utf16(b) && (a == Encoding::utf16 || b == Encoding::utf16);
}

struct ByteOrderMark {
  Encoding encoding = Encoding::none;
  std::size_t size = 0;
};

ByteOrderMark byte_order_mark(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) return {Encoding::utf8, 3};
  if (text.starts_with("\xFE\xFF")) return {Encoding::utf16be, 2};
  if (text.starts_with("\xFF\xFE")) return {Encoding::utf16le, 2};
  return {};
}

void append_code_point(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0U | (code >> 6U));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0U | (code >> 12U));
    out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else {
    out += static_cast<char>(0xF0U | (code >> 18U));
    out += static_cast<char>(0x80U | ((code >> 12U) & 0x3FU));
    out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  }
}

bool is_ascii(std::string_view text) {
  // Eight octets at a time, which is how nearly all text passes.
  std::uint64_t seen = 0;
  std::size_t i = 0;
  for (; i + sizeof seen <= text.size(); i += sizeof seen) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, sizeof word);
    seen |= word;
  }
  for (; i < text.size(); ++i) seen |= static_cast<unsigned char>(text[i]);
  return (seen & 0x8080808080808080U) == 0;
}

// The ASCII characters at the start of UTF-16; a zero for any other.
std::string narrowed(std::string_view text, bool big_endian) {
  std::string out;
  for (std::size_t i = 0; i + 2 <= text.size(); i += 2) {
    const char high = text[big_endian ? i : i + 1];
    const char low = text[big_endian ? i + 1 : i];
    out += high == 0 && low > 0 ? low : '\0';
  }
  return out;
}

// Reads `name = "value"` at the start of `rest` and moves past it.
std::optional<std::string_view> pseudo_attribute(std::string_view& rest, std::string_view name) {
  std::string_view text = rest;
  const auto skip = [&] {
    while (!text.empty() && is_xml_space(text.front())) text.remove_prefix(1);
  };
  if (text.empty() || !is_xml_space(text.front())) return std::nullopt;
  skip();
  if (!text.starts_with(name)) return std::nullopt;
  text.remove_prefix(name.size());
  skip();
  if (!text.starts_with('=')) return std::nullopt;
  text.remove_prefix(1);
  skip();
  if (text.empty() || (text.front() != '"' && text.front() != '\'')) return std::nullopt;
  const auto end = text.find(text.front(), 1);
  if (end == std::string_view::npos) return std::nullopt;
  const auto value = text.substr(1, end - 1);
  rest = text.substr(end + 1);
  return value;
}

struct Declaration {
  std::size_t size = 0;  // 0: there is none
  std::string_view encoding;
};

// <?xml version="1.0" encoding="…" standalone="…"?>; `ascii` needs only be ASCII so far.
Result<Declaration> declaration(std::string_view ascii) {
  if (!ascii.starts_with("<?xml") || ascii.size() < 6 || !is_xml_space(ascii[5]))
    return Declaration{};
  constexpr std::size_t kDeclarationBytesMax = 256;
  const auto end = ascii.substr(0, kDeclarationBytesMax).find("?>");
  if (end == std::string_view::npos)
    return fail(ErrorCode::xml_malformed, "XML declaration without an end");
  std::string_view rest = ascii.substr(5, end - 5);
  const auto version = pseudo_attribute(rest, "version");
  if (!version || *version != "1.0")
    return fail(ErrorCode::xml_malformed, "XML version is not 1.0");
  const auto encoding = pseudo_attribute(rest, "encoding");
  if (encoding && encoding->empty())
    return fail(ErrorCode::xml_malformed, "XML declaration with an empty encoding");
  if (const auto standalone = pseudo_attribute(rest, "standalone");
      standalone && *standalone != "yes" && *standalone != "no") {
    return fail(ErrorCode::xml_malformed, "XML declaration with a bad standalone");
  }
  if (!std::all_of(rest.begin(), rest.end(), is_xml_space)) {
    return fail(ErrorCode::xml_malformed, "XML declaration with unknown parts");
  }
  return Declaration{end + 2, encoding.value_or(std::string_view{})};
}

// What stands before an XML declaration that is not at the start, as far as it is seen; empty:
// there is no such declaration. A parser would take it for a processing instruction.
std::string before_declaration(std::string_view ascii) {
  bool space = false, comment = false;
  while (!ascii.empty()) {
    if (is_xml_space(ascii.front())) {
      ascii.remove_prefix(1);
      space = true;
    } else if (ascii.starts_with("<!--")) {
      ascii.remove_prefix(std::min(ascii.find("-->", 4), ascii.size() - 3) + 3);
      comment = true;
    } else {
      break;
    }
  }
  if ((!space && !comment) || !ascii.starts_with("<?xml") || ascii.size() < 6 ||
      !is_xml_space(ascii[5])) {
    return {};
  }
  return comment ? "a comment" : "white space";
}

// Whether `text` could be the start of a character that has more octets.
bool may_be_cut(std::string_view text) {
  if (text.empty() || text.size() > 3) return false;
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 1;
  return text.size() < length;
}

}  // namespace

struct Utf8Decoder::Start {
  Form form = Form::utf8;
  std::size_t skip = 0;
  long lines = 0;
};

Result<Utf8Decoder::Start> Utf8Decoder::find_start(ByteView first, std::string_view charset) {
  const std::string_view text = as_text(first.first(std::min(first.size(), kDeclarationOctetsMax)));
  const ByteOrderMark mark = byte_order_mark(text);
  DISTRICT_TRY(const Encoding transport, named(charset));
  if (!agree(mark.encoding, transport)) {
    return fail(ErrorCode::xml_malformed, "byte order mark and transport's charset disagree");
  }
  Encoding encoding = mark.encoding != Encoding::none ? mark.encoding : transport;
  if (encoding == Encoding::utf16) {
    return fail(ErrorCode::xml_malformed, "UTF-16 without a byte order mark");
  }
  const bool wide = is_utf16(encoding);
  std::string ascii(text.substr(mark.size));
  if (wide) ascii = narrowed(ascii, encoding == Encoding::utf16be);
  if (const auto before = before_declaration(ascii); !before.empty()) {
    return fail(ErrorCode::xml_forbidden,
                before + " before the XML declaration: it must be the first octets" +
                    (mark.size > 0 ? " behind the byte order mark" : ""),
                "let the document begin with <?xml, with no blank and no line end before it");
  }
  DISTRICT_TRY(const Declaration declared, declaration(ascii));
  if (!before_declaration("\n" + ascii.substr(declared.size)).empty() && declared.size > 0) {
    return fail(ErrorCode::xml_forbidden, "a second XML declaration", "leave one of the two out");
  }
  DISTRICT_TRY(const Encoding by_declaration, named(declared.encoding));
  if (!agree(encoding, by_declaration)) {
    return fail(ErrorCode::xml_malformed,
                "XML declaration's encoding and " +
                    std::string(mark.size > 0 ? "byte order mark" : "transport's charset") +
                    " disagree");
  }
  if (encoding == Encoding::none) encoding = by_declaration;
  if (is_utf16(encoding) && !wide) {
    return fail(ErrorCode::xml_malformed, "declared UTF-16, but it is not");
  }
  Start start;
  start.form = encoding == Encoding::utf16be   ? Form::utf16be
               : encoding == Encoding::utf16le ? Form::utf16le
               : encoding == Encoding::latin1  ? Form::latin1
               : encoding == Encoding::ascii   ? Form::ascii
                                               : Form::utf8;
  start.skip = mark.size + (wide ? 2 : 1) * declared.size;
  start.lines =
      std::count(ascii.begin(), ascii.begin() + static_cast<std::ptrdiff_t>(declared.size), '\n');
  return start;
}

Result<Utf8Decoder> Utf8Decoder::create(ByteView first, std::string_view charset) {
  DISTRICT_TRY(const Start start, find_start(first, charset));
  Utf8Decoder decoder;
  decoder.form_ = start.form;
  decoder.skip_ = start.skip;
  decoder.lines_skipped_ = start.lines;
  return decoder;
}

Result<std::string_view> Utf8Decoder::decode(ByteView octets, bool last) {
  std::string_view text = as_text(octets);
  const std::size_t skipped = std::min(skip_, text.size());
  text.remove_prefix(skipped);
  skip_ -= skipped;
  switch (form_) {
    case Form::ascii:
      if (!is_ascii(text)) return fail(ErrorCode::xml_malformed, "octets above 127 in US-ASCII");
      return as_utf8(text, last);
    case Form::latin1:
      converted_.clear();
      for (const char c : text) append_code_point(converted_, static_cast<unsigned char>(c));
      return as_utf8(converted_, last);
    case Form::utf16be:
    case Form::utf16le:
      return from_utf16(text, last);
    case Form::utf8:
      break;
  }
  if (!kept_.empty()) {
    converted_ = std::exchange(kept_, {});
    converted_ += text;
    text = converted_;
  }
  return as_utf8(text, last);
}

// What the parser will be given must mean to it what it meant to us. libxml2 takes a NUL for the
// end, skips another byte order mark, and looks for other encodings' patterns at the start, all of
// which have a NUL or are not UTF-8.
Result<std::string_view> Utf8Decoder::as_utf8(std::string_view text, bool last) {
  if (done_ == 0 && text.starts_with("\xEF\xBB\xBF"))
    return fail(ErrorCode::xml_malformed, "a second byte order mark");
  const auto where = [&](std::size_t i) { return " at octet " + std::to_string(done_ + i); };
  if (const auto nul = text.find('\0'); nul != std::string_view::npos)
    return fail(ErrorCode::xml_malformed, "NUL" + where(nul));
  constexpr std::size_t kStretch = 64;
  for (std::size_t i = 0; i < text.size();) {
    if (is_ascii(text.substr(i, kStretch))) {
      i += kStretch;
      continue;
    }
    const std::size_t length = character_length(text.substr(i));
    if (length == 0 && !last && may_be_cut(text.substr(i))) {
      kept_ = text.substr(i);
      text.remove_suffix(kept_.size());
      break;
    }
    if (length == 0) return fail(ErrorCode::xml_malformed, "not UTF-8" + where(i));
    i += length;
  }
  done_ += text.size();
  return text;
}

Result<std::string_view> Utf8Decoder::from_utf16(std::string_view text, bool last) {
  const std::string whole = std::exchange(kept_, {}) + std::string(text);
  const bool big_endian = form_ == Form::utf16be;
  const auto unit = [&](std::size_t i) {
    const auto first = static_cast<unsigned char>(whole[i]);
    const auto second = static_cast<unsigned char>(whole[i + 1]);
    return static_cast<std::uint32_t>(big_endian ? (first << 8) | second : (second << 8) | first);
  };
  converted_.clear();
  std::size_t i = 0;
  for (; i + 2 <= whole.size(); i += 2) {
    std::uint32_t code = unit(i);
    if (code >= 0xD800 && code <= 0xDFFF) {
      if (i + 4 > whole.size() && !last) break;
      const bool pair =
          code <= 0xDBFF && i + 4 <= whole.size() && unit(i + 2) >= 0xDC00 && unit(i + 2) <= 0xDFFF;
      if (!pair) return fail(ErrorCode::xml_malformed, "UTF-16 with a lone surrogate");
      code = 0x10000 + ((code - 0xD800) << 10U) + (unit(i + 2) - 0xDC00);
      i += 2;
    }
    append_code_point(converted_, code);
  }
  if (last && i < whole.size())
    return fail(ErrorCode::xml_malformed, "UTF-16 with an odd number of octets");
  kept_ = whole.substr(std::min(i, whole.size()));
  return as_utf8(converted_, last);
}

}  // namespace district::xml
