// What tests of streams of XML need: sources cut anywhere, and handlers that keep what they hear.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_source.h"
#include "xml/document.h"
#include "xml/element_handler.h"
#include "xml/encoding.h"
#include "xml/envelope_reader.h"

namespace district::test {

// Octets in blocks whose sizes are asked for one by one; each block is a copy of its own, so that
// the sanitizer sees who reads one for too long. The first has what a decoder wants.
class Blocks final : public ByteSource {
 public:
  using NextSize = std::function<std::size_t()>;
  Blocks(ByteView octets, NextSize next_size) : octets_(octets), next_size_(std::move(next_size)) {}
  Blocks(ByteView octets, std::size_t size) : Blocks(octets, [size] { return size; }) {}

  Result<ByteView> next() override {
    std::size_t size = std::max<std::size_t>(next_size_(), 1);
    if (asked++ == 0) size = std::max(size, xml::Utf8Decoder::kDeclarationOctetsMax);
    size = std::min(size, octets_.size());
    block_ = std::make_unique<Bytes>(octets_.begin(),
                                     octets_.begin() + static_cast<std::ptrdiff_t>(size));
    octets_ = octets_.subspan(size);
    return ByteView(*block_);
  }

  std::size_t asked = 0;

 private:
  ByteView octets_;
  NextSize next_size_;
  std::unique_ptr<Bytes> block_;
};

// Events as text, one in a line.
class EventText : public xml::ElementHandler {
 public:
  void start_element(const xml::StartTag& tag) override {
    events += "start " + name(tag.prefix(), tag.uri(), tag.local()) + " line " +
              std::to_string(tag.line()) + "\n";
    for (std::size_t i = 0; i < tag.namespace_count(); ++i) {
      const auto [prefix, uri] = tag.declared(i);
      events.append("  xmlns:").append(prefix).append("=").append(uri) += '\n';
    }
    for (std::size_t i = 0; i < tag.attribute_count(); ++i) {
      const auto attribute = tag.attribute(i);
      events += "  " + name(attribute.prefix, attribute.uri, attribute.local) + "=" +
                std::string(attribute.value) + "\n";
    }
  }
  void text(std::string_view text) override { events.append("text ").append(text) += '\n'; }
  void end_element() override { events += "end\n"; }

  std::string events;

 private:
  static std::string name(std::string_view prefix, std::string_view uri, std::string_view local) {
    return std::string(prefix).append("{").append(uri).append("}").append(local);
  }
};

// Keeps the head in canonical form, and the Body's events.
class EnvelopeText final : public xml::EnvelopeHandler {
 public:
  Result<Ok> body_follows(std::shared_ptr<const xml::Document> document) override {
    ++heads;
    const auto parts = document->root().children();
    if (parts.empty() || parts.back().name() != "Body")
      return fail(ErrorCode::not_soap, "without a Body");
    DISTRICT_TRY(head, xml::canonicalize(document->root()));
    return refuse_head ? fail(ErrorCode::authentication_failed, "nobody") : Result<Ok>(Ok{});
  }
  void start_element(const xml::StartTag& tag) override { body.start_element(tag); }
  void text(std::string_view text) override { body.text(text); }
  void end_element() override { body.end_element(); }
  const Result<Ok>& state() override {
    ++states;
    if (states == refuse_state) now = fail(ErrorCode::overloaded, "enough");
    return now;
  }

  bool refuse_head = false;
  int refuse_state = 0;  // at which call of state(); 0: never
  Result<Ok> now;
  int heads = 0, states = 0;
  std::string head;
  EventText body;
};

}  // namespace district::test
