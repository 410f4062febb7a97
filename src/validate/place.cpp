#include "validate/place.h"

#include "xml/namespaces.h"

namespace district::validate {
namespace {

// The child of that name, in no namespace; docs/reference/contract.md section 2.
Place below(Place parent, const xml::StartTag& tag) {
  const auto named = [&](std::string_view local, Place place) {
    return tag.is("", local) ? place : Place::other;
  };
  switch (parent) {
    case Place::outside:
      return Place::body;
    case Place::body:
      return tag.is(xml::ns::kUrb, "AggregateMessageRequest") ? Place::request : Place::other;
    case Place::request:
      return tag.is(xml::ns::kUrb, "tenantCode") ? Place::tenant_code
                                                 : named("messages", Place::messages);
    case Place::messages:
      return named("message", Place::message);
    case Place::message:
      return tag.local() == "head" ? named("head", Place::head) : named("content", Place::content);
    case Place::head:
      if (tag.local() == "timestamp") return named("timestamp", Place::timestamp);
      return tag.local() == "messageType" ? named("messageType", Place::message_type)
                                          : named("messageSource", Place::message_source);
    case Place::message_type:
      return tag.local() == "type" ? named("type", Place::type) : named("version", Place::version);
    case Place::message_source:
      return named("messageSourceElement", Place::source);
    case Place::content:
      return named("gcontent", Place::gcontent);
    case Place::gcontent:
      return Place::value;
    case Place::value:
      return Place::part;
    default:
      return Place::other;
  }
}

void append_step(std::string& text, std::string_view local, std::size_t position, bool numbered) {
  text.append("/").append(local);
  if (numbered || position > 1) text.append("[").append(std::to_string(position)).append("]");
}

}  // namespace

void Path::enter(const xml::StartTag& tag) {
  const Place place = below(this->place(), tag);
  const std::string_view local = tag.local();
  std::size_t at = open_.empty() ? 0 : open_.back().names_before;
  while (at < names_.size() && names_[at].local != local) ++at;
  if (at == names_.size()) names_.push_back({local, 0});
  const std::size_t position = ++names_[at].count;
  open_.push_back({place, local, tag.line(), position, names_.size()});
}

void Path::leave() {
  names_.resize(open_.back().names_before);
  open_.pop_back();
}

std::string Path::text() const {
  if (open_.size() == 1) return "/Body";
  std::string text;
  for (std::size_t i = 2; i < open_.size(); ++i) {
    append_step(text, open_[i].local, open_[i].position, open_[i].place == Place::message);
  }
  return text.empty() ? "/" : text;
}

std::string Path::text_of_child(std::string_view local, std::size_t position) const {
  std::string path = text();
  append_step(path, local, position, false);
  return path;
}

}  // namespace district::validate
