#include "xml/encoding.h"

#include <algorithm>
#include <cctype>
#include <cstdint>

#include "base/text.h"

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

Result<std::string> from_utf16(std::string_view text, bool big_endian) {
  if (text.size() % 2 != 0)
    return fail(ErrorCode::xml_malformed, "UTF-16 with an odd number of octets");
  const auto unit = [&](std::size_t i) {
    const auto first = static_cast<unsigned char>(text[i]);
    const auto second = static_cast<unsigned char>(text[i + 1]);
    return static_cast<std::uint32_t>(big_endian ? (first << 8) | second : (second << 8) | first);
  };
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); i += 2) {
    std::uint32_t code = unit(i);
    if (code >= 0xD800 && code <= 0xDFFF) {
      const bool pair =
          code <= 0xDBFF && i + 2 < text.size() && unit(i + 2) >= 0xDC00 && unit(i + 2) <= 0xDFFF;
      if (!pair) return fail(ErrorCode::xml_malformed, "UTF-16 with a lone surrogate");
      code = 0x10000 + ((code - 0xD800) << 10U) + (unit(i + 2) - 0xDC00);
      i += 2;
    }
    append_code_point(out, code);
  }
  return out;
}

std::string from_latin1(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 16);
  for (const char c : text) append_code_point(out, static_cast<unsigned char>(c));
  return out;
}

// RFC 3629 section 4: no overlong forms, no surrogates, nothing beyond U+10FFFF.
std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto tail = [&](std::size_t i) { return (at(i) & 0xC0U) == 0x80U; };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && at(1) < 0xA0;
    const bool surrogate = first == 0xED && at(1) >= 0xA0;
    return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && at(1) < 0x90;
    const bool beyond = first == 0xF4 && at(1) >= 0x90;
    return tail(1) && tail(2) && tail(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

// What the parser will be given must mean to it what it meant to us. libxml2 takes a NUL for the
// end, skips another byte order mark, and looks for other encodings' patterns at the start, all of
// which have a NUL or are not UTF-8.
Result<Ok> check_utf8(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF"))
    return fail(ErrorCode::xml_malformed, "a second byte order mark");
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i, 4));
    if (length == 0)
      return fail(ErrorCode::xml_malformed, "not UTF-8 at octet " + std::to_string(i));
    if (text[i] == '\0') return fail(ErrorCode::xml_malformed, "NUL at octet " + std::to_string(i));
    i += length;
  }
  return Ok{};
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
  Declaration result{end + 2, pseudo_attribute(rest, "encoding").value_or(std::string_view{})};
  if (const auto standalone = pseudo_attribute(rest, "standalone");
      standalone && *standalone != "yes" && *standalone != "no") {
    return fail(ErrorCode::xml_malformed, "XML declaration with a bad standalone");
  }
  if (!std::all_of(rest.begin(), rest.end(), is_xml_space)) {
    return fail(ErrorCode::xml_malformed, "XML declaration with unknown parts");
  }
  return result;
}

Result<Utf8Text> decode(ByteView octets, std::string_view charset) {
  std::string_view text = as_text(octets);
  const ByteOrderMark mark = byte_order_mark(text);
  text.remove_prefix(mark.size);
  DISTRICT_TRY(const Encoding transport, named(charset));
  if (!agree(mark.encoding, transport)) {
    return fail(ErrorCode::xml_malformed, "byte order mark and transport's charset disagree");
  }
  Encoding encoding = mark.encoding != Encoding::none ? mark.encoding : transport;
  if (encoding == Encoding::utf16) {
    return fail(ErrorCode::xml_malformed, "UTF-16 without a byte order mark");
  }
  Utf8Text result;
  if (is_utf16(encoding)) {
    DISTRICT_TRY(result.converted, from_utf16(text, encoding == Encoding::utf16be));
    text = *result.converted;
  }
  DISTRICT_TRY(const Declaration declared, declaration(text));
  DISTRICT_TRY(const Encoding by_declaration, named(declared.encoding));
  if (!agree(encoding, by_declaration)) {
    return fail(ErrorCode::xml_malformed,
                "XML declaration's encoding and " +
                    std::string(mark.size > 0 ? "byte order mark" : "transport's charset") +
                    " disagree");
  }
  if (encoding == Encoding::none) encoding = by_declaration;
  if (is_utf16(encoding) && !result.converted) {
    return fail(ErrorCode::xml_malformed, "declared UTF-16, but it is not");
  }
  result.lines_skipped =
      std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(declared.size), '\n');
  if (encoding == Encoding::latin1) {
    result.converted = from_latin1(text.substr(declared.size));
    return result;
  }
  if (encoding == Encoding::ascii &&
      std::any_of(text.begin(), text.end(), [](char c) { return c < 0; })) {
    return fail(ErrorCode::xml_malformed, "octets above 127 in US-ASCII");
  }
  if (result.converted) result.converted->erase(0, declared.size);
  if (!result.converted) result.original = text.substr(declared.size);
  return result;
}

}  // namespace

Result<Utf8Text> to_utf8(ByteView octets, std::string_view charset) {
  DISTRICT_TRY(Utf8Text result, decode(octets, charset));
  DISTRICT_CHECK(check_utf8(result.text()));
  return result;
}

}  // namespace district::xml
