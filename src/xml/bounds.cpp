#include "xml/bounds.h"

#include <libxml/parser.h>  // dict.h does not include what it needs

#include <algorithm>
#include <string>
#include <string_view>

namespace district::xml {
namespace {

tl::unexpected<Error> too_many(const char* what, const StartTag& tag) {
  return fail(ErrorCode::limit_exceeded,
              std::string("too many ") + what + " at line " + std::to_string(tag.line()));
}

// RFC 3986 section 3.1.
bool has_scheme(std::string_view uri) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto colon = uri.find(':');
  if (colon == std::string_view::npos || !is_letter(uri.front())) return false;
  return std::all_of(uri.begin(), uri.begin() + static_cast<std::ptrdiff_t>(colon), [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  });
}

std::size_t longest_name(const StartTag& tag) {
  std::size_t longest = std::max(tag.local().size(), tag.prefix().size());
  for (std::size_t i = 0; i < tag.attribute_count(); ++i) {
    const auto attribute = tag.attribute(i);
    longest = std::max({longest, attribute.local.size(), attribute.prefix.size()});
  }
  for (std::size_t i = 0; i < tag.namespace_count(); ++i) {
    const auto [prefix, uri] = tag.declared(i);
    longest = std::max({longest, prefix.size(), uri.size()});
  }
  return longest;
}

}  // namespace

Result<Ok> Bounds::check_names(const StartTag& tag, _xmlDict* names) {
  if (::xmlDictSize(names) > static_cast<int>(limits::kXmlDistinctNamesMax))
    return too_many("different names", tag);
  if (::xmlDictGetUsage(names) > limits::kXmlNamesBytesMax) return too_many("octets in names", tag);
  if (longest_name(tag) > limits::kXmlNameBytesMax) return too_many("octets in one name", tag);
  return Ok{};
}

Result<Ok> Bounds::start_element(const StartTag& tag, _xmlDict* names) {
  if (++elements_ > limits::kXmlElementsMax) return too_many("elements", tag);
  if (depth_ == declared_.size()) return too_many("levels", tag);
  const int known = ::xmlDictSize(names);
  if (known != names_known_) DISTRICT_CHECK(check_names(tag, names));
  names_known_ = known;
  declared_[depth_++] = tag.namespace_count();
  namespaces_in_scope_ += tag.namespace_count();
  if (namespaces_in_scope_ > limits::kXmlNamespacesInScopeMax)
    return too_many("namespaces in scope", tag);
  for (std::size_t i = 0; i < tag.namespace_count(); ++i) {
    const auto uri = tag.declared(i).uri;
    if (!uri.empty() && !has_scheme(uri)) {
      return fail(ErrorCode::xml_malformed,
                  "a relative namespace name at line " + std::to_string(tag.line()));
    }
    if (uri.find('&') != std::string_view::npos) {
      return fail(ErrorCode::xml_malformed,
                  "a namespace name with '&' at line " + std::to_string(tag.line()));
    }
  }
  return Ok{};
}

void Bounds::end_element() {
  if (depth_ > 0) namespaces_in_scope_ -= declared_[--depth_];
}

}  // namespace district::xml
