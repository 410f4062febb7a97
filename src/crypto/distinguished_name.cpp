#include "crypto/distinguished_name.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "base/bytes.h"
#include "base/c_handle.h"

namespace district::crypto {
namespace {

constexpr std::size_t kNameBytesMax = 4096;

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// The same for what has escapes: a blank behind a backslash belongs to the value.
std::string_view trim_escaped(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 1 < text.size();
    if (escape) ++i;
    if (escape || !is_space(text[i])) kept = i + 1;
  }
  return text.substr(0, kept);
}

std::string dotted(const ASN1_OBJECT* object) {
  std::array<char, 128> text{};
  const int length = ::OBJ_obj2txt(text.data(), text.size(), object, 1);
  if (length <= 0 || static_cast<std::size_t>(length) >= text.size()) return {};
  return text.data();
}

// Empty: no such type. Java, .NET, BouncyCastle and OpenSSL do not agree on the names of some.
std::string attribute_type(std::string_view type) {
  using Object = CHandle<ASN1_OBJECT, ASN1_OBJECT_free>;
  std::string name(trim(type));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  // The prefix of dotted numbers in RFC 1779 and in Java.
  if (name.starts_with("OID.")) name.erase(0, 4);
  if (!name.empty() && name.front() >= '0' && name.front() <= '9') {
    const Object object{::OBJ_txt2obj(name.c_str(), 1)};
    ::ERR_clear_error();
    return object ? dotted(object.get()) : std::string();
  }
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
                                       {"G", NID_givenName},
                                       {"GIVENNAME", NID_givenName},
                                       {"INITIALS", NID_initials},
                                       {"GENERATION", NID_generationQualifier},
                                       {"DNQ", NID_dnQualifier},
                                       {"DNQUALIFIER", NID_dnQualifier},
                                       {"POSTALCODE", NID_postalCode},
                                       {"I", NID_initials},
                                       {"T", NID_title},
                                       {"TITLE", NID_title},
                                       {"BUSINESSCATEGORY", NID_businessCategory},
                                       {"DESCRIPTION", NID_description},
                                       {"JURISDICTIONC", NID_jurisdictionCountryName},
                                       {"JURISDICTIONCOUNTRYNAME", NID_jurisdictionCountryName},
                                       {"NAME", NID_name},
                                       {"ORGANIZATIONIDENTIFIER", NID_organizationIdentifier},
                                       {"POSTALADDRESS", NID_postalAddress},
                                       {"PSEUDONYM", NID_pseudonym},
                                       {"TELEPHONENUMBER", NID_telephoneNumber},
                                       {"UNIQUEIDENTIFIER", NID_x500UniqueIdentifier},
                                       {"UNSTRUCTUREDADDRESS", NID_pkcs9_unstructuredAddress},
                                       {"UNSTRUCTUREDNAME", NID_pkcs9_unstructuredName}};
  for (const auto& alias : kAliases) {
    if (name == alias.name) return dotted(::OBJ_nid2obj(alias.nid));
  }
  const int nid = ::OBJ_txt2nid(std::string(trim(type)).c_str());
  return nid == NID_undef ? std::string() : dotted(::OBJ_nid2obj(nid));
}

std::optional<std::string> utf8_of(const ASN1_STRING* string) {
  unsigned char* octets = nullptr;
  const int length = ::ASN1_STRING_to_UTF8(&octets, string);
  if (length < 0) {
    ::ERR_clear_error();
    return std::nullopt;
  }
  std::string value(reinterpret_cast<const char*>(octets), static_cast<std::size_t>(length));
  ::OPENSSL_free(octets);
  return value;
}

// nullopt: it is no text.
std::optional<std::string> text_of(const ASN1_TYPE* type) {
  switch (type->type) {
    case V_ASN1_UTF8STRING:
    case V_ASN1_PRINTABLESTRING:
    case V_ASN1_IA5STRING:
    case V_ASN1_T61STRING:
    case V_ASN1_NUMERICSTRING:
    case V_ASN1_VISIBLESTRING:
    case V_ASN1_BMPSTRING:
    case V_ASN1_UNIVERSALSTRING:
      return utf8_of(type->value.asn1_string);
    default:
      return std::nullopt;
  }
}

// RFC 4514 section 2.4: the BER of a value in hex, as Java writes those of the types that RFC 2253
// has no name for, such as emailAddress and serialNumber.
std::optional<std::string> decoded(std::string_view hex) {
  using Asn1Type = CHandle<ASN1_TYPE, ASN1_TYPE_free>;
  const auto ber = from_hex(hex);
  if (!ber) return std::nullopt;
  const unsigned char* at = as_uchar(*ber);
  const unsigned char* const end = at + ber->size();
  const Asn1Type type{::d2i_ASN1_TYPE(nullptr, &at, static_cast<long>(ber->size()))};
  ::ERR_clear_error();
  if (!type || at != end) return std::nullopt;
  if (auto text = text_of(type.get())) return text;
  return "#" + to_hex(*ber);
}

// One value with its escapes: \, and \2C and "quoted", within which .NET doubles a quote.
std::optional<std::string> unescape(std::string_view text) {
  text = trim_escaped(text);
  if (text.starts_with('#')) return decoded(text.substr(1));
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

// As values are compared: RFC 5280 section 7.1, for ASCII.
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

struct Piece {
  std::string_view text;
  bool belongs_to_last = false;  // behind a '+'
};

// At the separators that are neither escaped nor quoted.
std::vector<Piece> split(std::string_view text) {
  std::vector<Piece> pieces;
  bool quoted = false, belongs = false;
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && (text[i] == ',' || text[i] == ';' || text[i] == '+')) {
      pieces.push_back({text.substr(start, i - start), belongs});
      belongs = text[i] == '+';
      start = i + 1;
    }
  }
  pieces.push_back({text.substr(start), belongs});
  return pieces;
}

// "TYPE=value" to what it means.
std::optional<NamePart> parse_part(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  auto type = attribute_type(text.substr(0, equals));
  const auto value = unescape(text.substr(equals + 1));
  if (type.empty() || !value) return std::nullopt;
  return NamePart{std::move(type), fold_value(*value)};
}

// A certificate's value.
std::string value_of(const ASN1_STRING* string) {
  if (const auto text = utf8_of(string)) return fold_value(*text);
  ASN1_TYPE type{};
  type.type = ::ASN1_STRING_type(string);
  type.value.asn1_string = const_cast<ASN1_STRING*>(string);  // only read
  unsigned char* octets = nullptr;
  const int length = ::i2d_ASN1_TYPE(&type, &octets);
  if (length <= 0) return {};
  const auto* first = reinterpret_cast<const std::byte*>(octets);
  std::string value = "#" + to_hex(Bytes(first, first + length));
  ::OPENSSL_free(octets);
  return value;
}

}  // namespace

std::optional<std::vector<RelativeName>> parse_name(std::string_view text) {
  text = trim_escaped(text);
  if (text.empty() || text.size() > kNameBytesMax) return std::nullopt;
  std::vector<RelativeName> names;
  for (const auto& [piece, belongs_to_last] : split(text)) {
    auto part = parse_part(piece);
    if (!part) return std::nullopt;
    if (!belongs_to_last) names.emplace_back();
    names.back().insert(*std::move(part));
  }
  return names;
}

std::optional<std::vector<RelativeName>> parse_slashed_name(std::string_view text) {
  text = trim(text);
  if (!text.starts_with('/') || text.size() > kNameBytesMax) return std::nullopt;
  std::vector<RelativeName> names;
  while (!text.empty()) {
    text.remove_prefix(1);
    const auto part = parse_part(text.substr(0, text.find('/')));
    if (!part) return std::nullopt;
    names.push_back({*part});
    text.remove_prefix(std::min(text.find('/'), text.size()));
  }
  return names;
}

std::vector<RelativeName> name_parts(const X509_name_st* name) {
  std::vector<RelativeName> names;
  int last = -1;
  for (int i = 0; i < ::X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* entry = ::X509_NAME_get_entry(name, i);
    if (const int set = ::X509_NAME_ENTRY_set(entry); names.empty() || set != last) {
      names.emplace_back();
      last = set;
    }
    names.back().insert(
        {dotted(::X509_NAME_ENTRY_get_object(entry)), value_of(::X509_NAME_ENTRY_get_data(entry))});
  }
  return names;
}

}  // namespace district::crypto
