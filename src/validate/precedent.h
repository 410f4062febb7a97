// Messages like one that the schemas have accepted. libxml2 judges the first message of an
// envelope, and each one that is in any way unlike those it has accepted; of the others only the
// texts are looked at. docs/adr/0011-precedents.md says why this is safe, and what it is worth.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "validate/validator.h"
#include "xml/element_handler.h"

namespace district::validate {

// The elements and texts of one message, kept until it is at its end. Only what is plain can be
// kept: no attributes, no namespaces, bounded in number and size.
class MessageBuffer {
 public:
  // Takes the message's start tag. This and the next two give false if the buffer cannot keep the
  // call; the caller then has to replay() what was kept before it.
  bool begin(const xml::StartTag& tag);
  bool start_element(const xml::StartTag& tag);
  bool text(std::string_view text);
  // true: that was the end of the message.
  bool end_element();

  // Calls the handler for everything that was kept, in the order in which it came.
  void replay(xml::ElementHandler& handler) const;

  // An element that holds no other.
  struct Leaf {
    std::string_view local;
    std::string_view text;
    long line = 0;
  };
  std::size_t leaf_count() const { return leaves_.size(); }
  Leaf leaf(std::size_t i) const;
  std::string leaf_path(std::size_t i) const;  // from the message on: "head/timestamp"
  // The same for two messages with the same elements in the same order, whatever their texts.
  const std::string& shape() const { return shape_; }
  xml::StartTag message_tag() const { return tag_of(events_.front()); }

 private:
  enum class Kind : std::uint8_t { start, text, end };
  struct Event {
    Kind kind;
    const unsigned char* local;  // start
    long line;                   // start
    std::size_t from, size;      // text: in texts_
  };
  static xml::StartTag tag_of(const Event& event);
  std::string_view text_of(const Event& event) const;

  std::vector<Event> events_;
  std::vector<std::size_t> leaves_;  // their start events
  std::string texts_, shape_;
  std::size_t depth_ = 0;
};

// What is known of one shape of message.
struct Precedent {
  enum class Place : std::uint8_t { timestamp, type, version, source, field, other };
  struct Leaf {
    Place place = Place::other;
    const ElementMeaning* meaning = nullptr;  // of a field
    // How its text is judged: by its form, or by being one that was accepted before.
    ElementMeaning::Form form = ElementMeaning::Form::text;
    std::vector<std::string> accepted;
  };
  std::string shape;
  std::size_t content = 0;  // index of the (type, version)
  std::vector<Leaf> leaves;
};

class Precedents {
 public:
  // The precedent whose shape the message has; null: none.
  const Precedent* find(const MessageBuffer& message) const;
  // Whether each text of the message would be accepted as those of the precedent were.
  static bool admits(const Precedent& precedent, const MessageBuffer& message);
  // The schemas have accepted the message, which is of that content.
  void learn(const MessageBuffer& message, std::size_t content_index, const ContentType& content);

 private:
  std::vector<Precedent> precedents_;
};

}  // namespace district::validate
