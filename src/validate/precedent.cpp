#include "validate/precedent.h"

#include <algorithm>

#include "base/text.h"
#include "base/time.h"

namespace district::validate {
namespace {

constexpr std::size_t kEventsMax = 256;
constexpr std::size_t kTextsMax = std::size_t{16} * 1024;
constexpr std::size_t kPrecedentsMax = 8;
constexpr std::size_t kAcceptedMax = 64;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Surely a value of ZonedDateTime: that type's other values are for libxml2 to judge.
bool is_plain_instant(std::string_view text) {
  constexpr std::size_t kLongest = 35;
  if (text.size() < 20 || text.size() > kLongest || is_xml_space(text.front()) ||
      is_xml_space(text.back())) {
    return false;
  }
  return text.substr(11, 2) != "24" && parse_date_time(text).has_value();
}

// Takes at most `digits_max` digits from the front; gives how many.
std::size_t take_digits(std::string_view& text, std::size_t digits_max) {
  std::size_t count = 0;
  while (count < text.size() && count < digits_max && is_digit(text[count])) ++count;
  text.remove_prefix(count);
  return count;
}

// Surely a value of Quantity: below 1e15. 5, -0.0005, 5.0E-4, 1.2345678901234567E7.
bool is_plain_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::size_t whole = take_digits(text, 15);
  if (whole == 0) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (take_digits(text, 17) == 0) return false;
  }
  if (text.empty()) return true;
  if (text.front() != 'e' && text.front() != 'E') return false;
  text.remove_prefix(1);
  if (text.starts_with('-')) {
    text.remove_prefix(1);
    return take_digits(text, 2) > 0 && text.empty();
  }
  // One digit before the point, and at most nine places to move it.
  return whole == 1 && take_digits(text, 1) == 1 && text.empty();
}

// Surely a value of Name.
bool is_plain_name(std::string_view text) {
  constexpr std::size_t kLongest = 64;
  return !text.empty() && text.size() <= kLongest && std::ranges::all_of(text, [](char c) {
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '_' || c == '.';
  });
}

bool has_form(std::string_view text, ElementMeaning::Form form) {
  switch (form) {
    case ElementMeaning::Form::instant:
      return is_plain_instant(text);
    case ElementMeaning::Form::number:
      return is_plain_number(text);
    case ElementMeaning::Form::name:
      return is_plain_name(text);
    case ElementMeaning::Form::text:
      break;
  }
  return false;
}

Precedent::Leaf leaf_at(const std::string& path, const ContentType& content) {
  using Place = Precedent::Place;
  using Form = ElementMeaning::Form;
  constexpr std::string_view kContent = "content/gcontent/";
  if (path == "head/timestamp") return {Place::timestamp, nullptr, Form::instant, {}};
  if (path == "head/messageType/type") return {Place::type, nullptr, Form::text, {}};
  if (path == "head/messageType/version") return {Place::version, nullptr, Form::text, {}};
  if (path == "head/messageSource/messageSourceElement")
    return {Place::source, nullptr, Form::name, {}};
  if (!path.starts_with(kContent)) return {};
  const auto found =
      std::ranges::find(content.elements, path.substr(kContent.size()), &ElementMeaning::element);
  if (found == content.elements.end()) return {};
  return {Place::field, &*found, found->form, {}};
}

}  // namespace

bool MessageBuffer::begin(const xml::StartTag& tag) {
  events_.clear();
  leaves_.clear();
  texts_.clear();
  shape_.clear();
  depth_ = 0;
  return start_element(tag);
}

bool MessageBuffer::start_element(const xml::StartTag& tag) {
  if (tag.attribute_count() > 0 || tag.namespace_count() > 0 || !tag.uri().empty() ||
      !tag.prefix().empty() || events_.size() >= kEventsMax) {
    return false;
  }
  events_.push_back({Kind::start, tag.parsed().local, tag.line(), 0, 0});
  shape_.append(tag.local()) += '(';
  ++depth_;
  return true;
}

bool MessageBuffer::text(std::string_view text) {
  if (events_.size() >= kEventsMax || texts_.size() + text.size() > kTextsMax) return false;
  events_.push_back({Kind::text, nullptr, 0, texts_.size(), text.size()});
  texts_ += text;
  return true;
}

bool MessageBuffer::end_element() {
  const std::size_t count = events_.size();
  const bool text_before = events_.back().kind == Kind::text;
  const std::size_t before = count - (text_before ? 2 : 1);
  if (events_[before].kind == Kind::start) {
    leaves_.push_back(before);
  } else if (text_before && !std::ranges::all_of(text_of(events_.back()), is_xml_space)) {
    shape_ += '!';  // text beside elements: like nothing that was accepted
  }
  events_.push_back({Kind::end, nullptr, 0, 0, 0});
  shape_ += ')';
  return --depth_ == 0;
}

xml::StartTag MessageBuffer::tag_of(const Event& event) {
  return {{event.local, nullptr, nullptr, 0, nullptr, 0, nullptr}, event.line};
}

std::string_view MessageBuffer::text_of(const Event& event) const {
  return std::string_view(texts_).substr(event.from, event.size);
}

void MessageBuffer::replay(xml::ElementHandler& handler) const {
  for (const Event& event : events_) {
    if (event.kind == Kind::start) handler.start_element(tag_of(event));
    if (event.kind == Kind::text) handler.text(text_of(event));
    if (event.kind == Kind::end) handler.end_element();
  }
}

MessageBuffer::Leaf MessageBuffer::leaf(std::size_t i) const {
  const std::size_t at = leaves_[i];
  const Event& content = events_[at + 1];
  return {reinterpret_cast<const char*>(events_[at].local),
          content.kind == Kind::text ? text_of(content) : std::string_view{}, events_[at].line};
}

std::string MessageBuffer::leaf_path(std::size_t i) const {
  std::vector<std::string_view> open;
  for (std::size_t at = 0; at <= leaves_[i]; ++at) {
    if (events_[at].kind == Kind::start)
      open.emplace_back(reinterpret_cast<const char*>(events_[at].local));
    if (events_[at].kind == Kind::end) open.pop_back();
  }
  std::string path;
  for (std::size_t level = 1; level < open.size(); ++level)
    path.append(level > 1 ? "/" : "").append(open[level]);
  return path;
}

const Precedent* Precedents::find(const MessageBuffer& message) const {
  const auto found = std::ranges::find(precedents_, message.shape(), &Precedent::shape);
  return found == precedents_.end() ? nullptr : &*found;
}

bool Precedents::admits(const Precedent& precedent, const MessageBuffer& message) {
  for (std::size_t i = 0; i < precedent.leaves.size(); ++i) {
    const auto& known = precedent.leaves[i];
    const std::string_view text = message.leaf(i).text;
    if (!has_form(text, known.form) &&
        std::ranges::find(known.accepted, text) == known.accepted.end()) {
      return false;
    }
  }
  return true;
}

void Precedents::learn(const MessageBuffer& message, std::size_t content_index,
                       const ContentType& content) {
  auto found = std::ranges::find(precedents_, message.shape(), &Precedent::shape);
  if (found == precedents_.end()) {
    if (precedents_.size() == kPrecedentsMax) return;
    Precedent precedent{message.shape(), content_index, {}};
    for (std::size_t i = 0; i < message.leaf_count(); ++i)
      precedent.leaves.push_back(leaf_at(message.leaf_path(i), content));
    found = precedents_.insert(precedents_.end(), std::move(precedent));
  }
  // What two kinds of content have in common would mix their texts.
  if (found->content != content_index) return;
  for (std::size_t i = 0; i < found->leaves.size(); ++i) {
    auto& leaf = found->leaves[i];
    const std::string_view text = message.leaf(i).text;
    const bool kept = has_form(text, leaf.form) || leaf.accepted.size() == kAcceptedMax ||
                      std::ranges::find(leaf.accepted, text) != leaf.accepted.end();
    if (!kept) leaf.accepted.emplace_back(text);
  }
}

}  // namespace district::validate
