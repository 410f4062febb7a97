// Where in a request's Body a stream of elements is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "xml/element_handler.h"

namespace district::validate {

// The elements that something is done with. What is below gcontent is `value` one level down and
// `part` two levels down; all else is `other`.
enum class Place : std::uint8_t {
  outside,
  body,
  request,
  messages,
  tenant_code,
  message,
  head,
  timestamp,
  message_type,
  type,
  version,
  message_source,
  source,
  content,
  gcontent,
  value,
  part,
  other,
};

// The open elements, from the Body on, with what is needed to tell where they are.
class Path {
 public:
  void enter(const xml::StartTag& tag);
  void leave();

  Place place() const { return open_.empty() ? Place::outside : open_.back().place; }
  std::size_t depth() const { return open_.size(); }  // 1: in the Body
  std::string_view local() const { return open_.back().local; }
  long line() const { return open_.back().line; }
  // Among its siblings of the same name, from 1.
  std::size_t position() const { return open_.back().position; }
  // Namespaces are left out, and the place among siblings of a name where it is the first; but a
  // message has its number always: "/messages/message[3]/content/gcontent". "/Body", "/" (the
  // request).
  std::string text() const;
  // As text(), of a child of the innermost element.
  std::string text_of_child(std::string_view local, std::size_t position) const;

 private:
  struct Open {
    Place place;
    std::string_view local;
    long line;
    std::size_t position;
    std::size_t names_before;  // in names_, its children's excluded
  };
  struct Name {
    std::string_view local;
    std::size_t count;
  };
  std::vector<Open> open_;
  // Of the children so far of each open element, one behind the other.
  std::vector<Name> names_;
};

}  // namespace district::validate
