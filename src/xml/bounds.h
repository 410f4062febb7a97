// Bounds on a document as a whole, counted from the parser's events. Private to xml/.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "base/limits.h"
#include "xml/element_handler.h"

struct _xmlDict;

namespace district::xml {

class Bounds {
 public:
  // `names`: the parser's dictionary, which holds every name and namespace seen so far.
  // Errors: limit_exceeded (levels, elements, names, namespaces in scope); xml_malformed (a
  // relative namespace name, which canonicalisation cannot take, Canonical XML 1.0 section 1.3; one
  // with '&', which libxml2 writes into the canonical form as it is, and others escape).
  Result<Ok> start_element(const StartTag& tag, _xmlDict* names);
  void end_element();

 private:
  Result<Ok> check_names(const StartTag& tag, _xmlDict* names);

  int names_known_ = 0;
  std::uint64_t elements_ = 0;
  std::size_t namespaces_in_scope_ = 0;
  std::size_t depth_ = 0;
  std::array<std::size_t, limits::kXmlDepthMax> declared_{};  // by each open element
};

}  // namespace district::xml
