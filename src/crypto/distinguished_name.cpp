#include "crypto/distinguished_name.h"

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

// One value with its escapes: \, and \2C and "quoted".
std::optional<std::string> unescape(std::string_view text) {
  text = trim(text);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  std::string value;
  for (std::size_t i = 0; i < text.size(); ++i) {
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
