#include "xml/canonicalizer.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace district::xml {
namespace {

constexpr std::size_t kPieceOctets = std::size_t{32} * 1024;

// The latest of those with the prefix; empty where there is none.
template <typename Bindings>
std::string_view uri_of(const Bindings& bindings, std::string_view prefix) {
  for (auto at = bindings.rbegin(); at != bindings.rend(); ++at) {
    if (at->prefix == prefix) return at->uri;
  }
  return {};
}

std::string_view text_entity(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '\r':
      return "&#xD;";
    default:
      return {};
  }
}

std::string_view attribute_entity(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '"':
      return "&quot;";
    case '\t':
      return "&#x9;";
    case '\n':
      return "&#xA;";
    case '\r':
      return "&#xD;";
    default:
      return {};
  }
}

using Escaped = std::array<bool, 256>;
constexpr Escaped those_with(std::string_view characters) {
  Escaped escaped{};
  for (const char c : characters) escaped[static_cast<unsigned char>(c)] = true;
  return escaped;
}
constexpr Escaped kInText = those_with("&<>\r");
constexpr Escaped kInAttribute = those_with("&<\"\t\n\r");

// Nearly all text has nothing to escape and is copied in one piece.
template <typename Entity>
void append_escaped(std::string& out, std::string_view text, const Escaped& escaped,
                    Entity entity) {
  const char* copied = text.data();
  const char* const end = copied + text.size();
  for (const char* at = copied; at != end; ++at) {
    if (!escaped[static_cast<unsigned char>(*at)]) continue;
    out.append(copied, at).append(entity(*at));
    copied = at + 1;
  }
  out.append(copied, end);
}

}  // namespace

void append_escaped_text(std::string& out, std::string_view text) {
  append_escaped(out, text, kInText, text_entity);
}

void append_escaped_attribute(std::string& out, std::string_view value) {
  append_escaped(out, value, kInAttribute, attribute_entity);
}

Canonicalizer::Canonicalizer(const std::vector<std::string>& inclusive_prefixes, Sink sink)
    : sink_(std::move(sink)) {
  for (const auto& prefix : inclusive_prefixes) {
    if (prefix != "xml") inclusive_.push_back(prefix == "#default" ? std::string() : prefix);
  }
}

void Canonicalizer::enter_scope(std::string_view prefix, std::string_view uri) {
  declared_.push_back({prefix, uri});
}

void Canonicalizer::declare(const StartTag& tag) {
  for (std::size_t i = 0; i < tag.namespace_count(); ++i) {
    const auto [prefix, uri] = tag.declared(i);
    declared_.push_back({prefix, uri});
  }
}

void Canonicalizer::start_element(const StartTag& tag) {
  levels_.push_back({declared_.size(), rendered_.size(), open_names_.size()});
  declare(tag);
  buffer_ += '<';
  const std::size_t name_at = buffer_.size();
  if (!tag.prefix().empty()) buffer_.append(tag.prefix()) += ':';
  buffer_.append(tag.local());
  open_names_.append(buffer_, name_at);
  render_namespaces(tag);
  if (tag.attribute_count() > 0) render_attributes(tag);
  buffer_ += '>';
  if (buffer_.size() >= kPieceOctets) flush();
}

// Whether the output, as it stands around the element, must say what the prefix means.
void Canonicalizer::use(std::string_view prefix, std::string_view uri) {
  if (prefix == "xml" || uri_of(rendered_, prefix) == uri) return;
  const bool there = std::ranges::any_of(
      to_render_, [&](const Binding& binding) { return binding.prefix == prefix; });
  if (!there) to_render_.push_back({prefix, uri});
}

void Canonicalizer::render_namespaces(const StartTag& tag) {
  to_render_.clear();
  use(tag.prefix(), tag.uri());
  for (std::size_t i = 0; i < tag.attribute_count(); ++i) {
    const auto attribute = tag.attribute(i);
    if (!attribute.prefix.empty()) use(attribute.prefix, attribute.uri);
  }
  // Canonical XML's rule: whatever is in scope. A prefix without a namespace means nothing.
  for (const auto& prefix : inclusive_) {
    const auto uri = uri_of(declared_, prefix);
    if (!uri.empty() || prefix.empty()) use(prefix, uri);
  }
  if (to_render_.empty()) return;
  std::ranges::sort(to_render_, {}, &Binding::prefix);
  for (const auto& [prefix, uri] : to_render_) {
    buffer_.append(prefix.empty() ? " xmlns" : " xmlns:").append(prefix).append("=\"");
    append_escaped_attribute(buffer_, uri);
    buffer_ += '"';
    rendered_.push_back({prefix, uri});
  }
}

void Canonicalizer::render_attributes(const StartTag& tag) {
  attributes_.clear();
  for (std::size_t i = 0; i < tag.attribute_count(); ++i) attributes_.push_back(tag.attribute(i));
  std::ranges::sort(attributes_, {}, [](const StartTag::Attribute& attribute) {
    return std::tie(attribute.uri, attribute.local);
  });
  for (const auto& attribute : attributes_) {
    buffer_ += ' ';
    if (!attribute.prefix.empty()) buffer_.append(attribute.prefix) += ':';
    buffer_.append(attribute.local).append("=\"");
    append_escaped_attribute(buffer_, attribute.value);
    buffer_ += '"';
  }
}

void Canonicalizer::text(std::string_view text) {
  append_escaped_text(buffer_, text);
  if (buffer_.size() >= kPieceOctets) flush();
}

void Canonicalizer::end_element() {
  const Level level = levels_.back();
  levels_.pop_back();
  buffer_.append("</").append(open_names_, level.name_at) += '>';
  open_names_.resize(level.name_at);
  declared_.resize(level.declared);
  rendered_.resize(level.rendered);
  if (levels_.empty() || buffer_.size() >= kPieceOctets) flush();
}

void Canonicalizer::flush() {
  sink_(buffer_);
  buffer_.clear();
}

}  // namespace district::xml
