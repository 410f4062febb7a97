// A reader of Bodies that keeps what it was told.
#pragma once

#include <string>

#include "verify/verifier.h"
#include "xml/canonicalizer.h"

namespace district::test {

// The Body in exclusive canonical form, without a PrefixList.
class BodyText final : public verify::BodyReader {
 public:
  void begin(const verify::Sender&, const verify::TrustPtr&, Instant) override { ++begun; }
  void start_element(const xml::StartTag& tag) override { canonicalizer_.start_element(tag); }
  void text(std::string_view text) override { canonicalizer_.text(text); }
  void end_element() override { canonicalizer_.end_element(); }

  int begun = 0;
  std::string text_read;

 private:
  xml::Canonicalizer canonicalizer_{{}, [this](std::string_view octets) { text_read += octets; }};
};

}  // namespace district::test
