// Reads a SOAP envelope as a stream, once: what comes before the Body becomes a small tree, the
// Body is told element by element, in memory that does not grow with it. Locked down as Document
// is.
#pragma once

#include <memory>
#include <string_view>

#include "base/byte_source.h"
#include "base/error.h"
#include "xml/document.h"
#include "xml/element_handler.h"

namespace district::xml {

// What becomes of the envelope. An error from anywhere ends the reading at once.
class EnvelopeHandler : public ElementHandler {
 public:
  // At the start tag of the Body, the root's child of that name in the root's namespace: the
  // document so far, in which the Body has no content. Nothing behind it has been looked at, and no
  // more been read than limits::kHeaderOctetsMax and kHeaderNodesMax in front of it. A document
  // without a Body is given when it is at its end; then an error must be returned. The Body's start
  // tag, its content and its end tag follow as events.
  virtual Result<Ok> body_follows(std::shared_ptr<const Document> head) = 0;
  // Asked after each start tag and at the end: what an event could not return.
  virtual const Result<Ok>& state() { return kGood; }

 private:
  static inline const Result<Ok> kGood{};
};

// `source`: its first block has at least Utf8Decoder::kDeclarationOctetsMax octets, or all.
// `charset`: as of Document::parse.
// Errors: those of the source and of the handler; xml_malformed, xml_forbidden, limit_exceeded;
// not_soap (an element or text behind the Body).
Result<Ok> read_envelope(ByteSource& source, std::string_view charset, EnvelopeHandler& handler);

// The same bound on what comes before the Body, for whoever has the document as a tree.
// Errors: limit_exceeded.
Result<Ok> check_head(const Document& document);

// Tells an element of a tree and what is in it, as the reader would.
void walk(Element element, ElementHandler& handler);

}  // namespace district::xml
