// Distinguished names as text. Private to crypto/.
// Source: RFC 4514 (and its predecessor 2253); XMLDSig 1.1 section 4.5.4.1 for ds:X509IssuerName.
#pragma once

#include <compare>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

struct X509_name_st;

namespace district::crypto {

struct NamePart {
  std::string type;   // the attribute's object identifier, in dots
  std::string value;  // UTF-8, unescaped, white space collapsed, ASCII in lower case; of what is no
                      // text '#' and its DER in hex
  auto operator<=>(const NamePart&) const = default;
};

// A relative name: nearly always one part. A set, whose order means nothing.
using RelativeName = std::set<NamePart>;

// In the order of the text; nullopt where it is not a name. Read are RFC 4514 and 2253, with
// escapes, hex pairs and #hex, and the quoted values and spaces of RFC 1779 and of Java's and
// .NET's names.
std::optional<std::vector<RelativeName>> parse_name(std::string_view text);
// "/C=ES/O=X/CN=Y", as OpenSSL writes it for people: to explain it, never to accept it.
std::optional<std::vector<RelativeName>> parse_slashed_name(std::string_view text);
// In the order of the certificate, most significant first.
std::vector<RelativeName> name_parts(const X509_name_st* name);

}  // namespace district::crypto
