#include "crypto/distinguished_name.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include <algorithm>
#include <cctype>

#include "base/bytes.h"

namespace district::crypto {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.remove_suffix(1);
  }
  return text;
}

// Java, .NET and OpenSSL do not agree on the names of some attribute types.
int attribute_nid(std::string_view type) {
  std::string name(trim(type));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  // The prefix of dotted numbers in RFC 1779 and in Java.
  if (name.starts_with("OID.")) return ::OBJ_txt2nid(name.c_str() + 4);
  struct Alias {
    const char* name;
    int nid;
  };
  static constexpr Alias kAliases[] = {{"CN", NID_commonName},
                                       {"C", NID_countryName},
                                       {"O", NID_organizationName},
                                       {"OU", NID_organizationalUnitName},
                                       {"L", NID_localityName},
                                       {"ST", NID_stateOrProvinceName},
                                       {"S", NID_stateOrProvinceName},
                                       {"SP", NID_stateOrProvinceName},
                                       {"STREET", NID_streetAddress},
                                       {"DC", NID_domainComponent},
                                       {"UID", NID_userId},
                                       {"E", NID_pkcs9_emailAddress},
                                       {"EMAIL", NID_pkcs9_emailAddress},
                                       {"EMAILADDRESS", NID_pkcs9_emailAddress},
                                       {"SERIALNUMBER", NID_serialNumber},
                                       {"SN", NID_surname},
                                       {"SURNAME", NID_surname},
                                       {"GN", NID_givenName},
                                       {"GIVENNAME", NID_givenName},
                                       {"T", NID_title},
                                       {"TITLE", NID_title}};
  for (const auto& alias : kAliases) {
    if (name == alias.name) return alias.nid;
  }
  return ::OBJ_txt2nid(std::string(trim(type)).c_str());
}

bool is_string(int asn1_type) {
  for (const int type : {V_ASN1_UTF8STRING, V_ASN1_PRINTABLESTRING, V_ASN1_IA5STRING,
                         V_ASN1_T61STRING, V_ASN1_BMPSTRING, V_ASN1_UNIVERSALSTRING}) {
    if (asn1_type == type) return true;
  }
  return false;
}

// A value as the hexadecimal octets of its DER (RFC 4514 section 2.4): Java writes so those of
// types for which RFC 2253 has no name, emailAddress among them.
std::optional<std::string> from_hex_der(std::string_view digits) {
  const auto der = from_hex(digits);
  if (!der) return std::nullopt;
  const unsigned char* position = as_uchar(*der);
  ASN1_TYPE* const value = ::d2i_ASN1_TYPE(nullptr, &position, static_cast<long>(der->size()));
  std::optional<std::string> text;
  if (value != nullptr && position == as_uchar(*der) + der->size() &&
      is_string(::ASN1_TYPE_get(value))) {
    unsigned char* utf8 = nullptr;
    const int length = ::ASN1_STRING_to_UTF8(&utf8, value->value.asn1_string);
    if (length >= 0) text.emplace(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(length));
    ::OPENSSL_free(utf8);
  }
  ::ASN1_TYPE_free(value);
  ::ERR_clear_error();
  return text;
}

// One value with its escapes: \, and \2C and "quoted", with "" for a quote in it (.NET).
std::optional<std::string> unescape(std::string_view text) {
  text = trim(text);
  if (text.starts_with('#')) return from_hex_der(text.substr(1));
  const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  if (quoted) text = text.substr(1, text.size() - 2);
  std::string value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text.substr(i, 2) == "\"\"") ++i;
    if (text[i] != '\\') {
      value += text[i];
      continue;
    }
    if (i + 1 >= text.size()) return std::nullopt;
    if (const auto octet = from_hex(text.substr(i + 1, 2)); octet && octet->size() == 1) {
      value += static_cast<char>((*octet)[0]);
      i += 2;
    } else {
      value += text[++i];
    }
  }
  return value;
}

// Positions of the separators that are neither escaped nor quoted.
std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  bool quoted = false;
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && (text[i] == ',' || text[i] == ';' || text[i] == '+')) {
      parts.push_back(text.substr(start, i - start));
      start = i + 1;
    }
  }
  parts.push_back(text.substr(start));
  return parts;
}

}  // namespace

std::string fold_value(std::string_view value) {
  std::string folded;
  for (const char c : trim(value)) {
    const auto octet = static_cast<unsigned char>(c);
    if (std::isspace(octet) != 0) {
      if (!folded.empty() && folded.back() != ' ') folded += ' ';
    } else {
      folded += octet < 0x80 ? static_cast<char>(std::tolower(octet)) : c;
    }
  }
  return folded;
}

std::optional<std::vector<NamePart>> parse_name(std::string_view text) {
  constexpr std::size_t kNameBytesMax = 4096;
  text = trim(text);
  if (text.empty() || text.size() > kNameBytesMax) return std::nullopt;
  std::vector<NamePart> parts;
  for (const std::string_view piece : split(text)) {
    const auto equals = piece.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const int nid = attribute_nid(piece.substr(0, equals));
    const auto value = unescape(piece.substr(equals + 1));
    if (nid == NID_undef || !value) return std::nullopt;
    parts.push_back({nid, fold_value(*value)});
  }
  return parts;
}

}  // namespace district::crypto
