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
  int nid = 0;        // OpenSSL's number of the attribute type
  std::string value;  // UTF-8, unescaped, white space collapsed, ASCII in lower case
  auto operator<=>(const NamePart&) const = default;
};

// A relative name: nearly always one part. A set, whose order means nothing.
using RelativeName = std::set<NamePart>;

// In the order of the text; nullopt where it is not a name.
std::optional<std::vector<RelativeName>> parse_name(std::string_view text);
// In the order of the certificate, most significant first.
std::vector<RelativeName> name_parts(const X509_name_st* name);

}  // namespace district::crypto
