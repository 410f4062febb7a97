// Distinguished names as text. Private to crypto/.
// Source: RFC 4514 (and its predecessor 2253); XMLDSig 1.1 section 4.5.4.1 for ds:X509IssuerName.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace district::crypto {

struct NamePart {
  int nid = 0;        // OpenSSL's number of the attribute type
  std::string value;  // UTF-8, unescaped, white space collapsed, ASCII in lower case
  bool operator==(const NamePart&) const = default;
};

// In the order of the text; nullopt where it is not a name.
std::optional<std::vector<NamePart>> parse_name(std::string_view text);
// As values are compared: RFC 5280 section 7.1, for ASCII.
std::string fold_value(std::string_view value);

}  // namespace district::crypto
