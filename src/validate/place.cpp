#include "validate/place.h"

#include <algorithm>
#include <array>

#include "xml/namespaces.h"

namespace district::validate {
namespace {

struct Step {
  Place from;
  std::string_view uri, local;
  Place to;
};

// contract.md "Request body".
constexpr std::array kSteps = {
    Step{Place::body, xml::ns::kUrb, "AggregateMessageRequest", Place::request},
    Step{Place::request, "", "messages", Place::messages},
    Step{Place::request, xml::ns::kUrb, "tenantCode", Place::tenant_code},
    Step{Place::messages, "", "message", Place::message},
    Step{Place::message, "", "head", Place::head},
    Step{Place::message, "", "content", Place::content},
    Step{Place::head, "", "timestamp", Place::timestamp},
    Step{Place::head, "", "messageType", Place::message_type},
    Step{Place::head, "", "messageSource", Place::message_source},
    Step{Place::message_type, "", "type", Place::type},
    Step{Place::message_type, "", "version", Place::version},
    Step{Place::message_source, "", "messageSourceElement", Place::source},
    Step{Place::content, "", "gcontent", Place::gcontent},
};

Place below(Place parent, const xml::StartTag& tag) {
  if (parent == Place::outside) return Place::body;
  if (parent == Place::gcontent) return Place::value;
  if (parent == Place::value) return Place::part;
  for (const Step& step : kSteps) {
    if (step.from == parent && tag.is(step.uri, step.local)) return step.to;
  }
  return Place::other;
}

void append_step(std::string& text, std::string_view local, std::size_t position, bool numbered) {
  text.append("/").append(local);
  if (numbered || position > 1) text.append("[").append(std::to_string(position)).append("]");
}

}  // namespace

void Path::enter(const xml::StartTag& tag) {
  const Place place = below(this->place(), tag);
  const std::string_view local = tag.local();
  const auto siblings =
      names_.begin() + static_cast<std::ptrdiff_t>(open_.empty() ? 0 : open_.back().names_before);
  auto found =
      std::find_if(siblings, names_.end(), [&](const Name& name) { return name.local == local; });
  if (found == names_.end()) found = names_.insert(found, {local, 0});
  const std::size_t position = ++found->count;
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
