// Where in a request's Body a stream of elements is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "xml/element_handler.h"

namespace district::validate {

// The elements that the reader treats in some way. One level below gcontent is `value`, two levels
// below it is `part`; everything else is `other`.
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
  // Without namespaces: "/Body", "/" for the request, "/messages/message[3]/content/gcontent". An
  // element has a number only if it is not the first of its name; a message always has one.
  std::string text() const;
  // Like text(), for a child of the innermost element.
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
  // How many children of each name there are so far, of all open elements one after the other.
  std::vector<Name> names_;
};

}  // namespace district::validate
