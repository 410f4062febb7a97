#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/text.h"
#include "xml/document.h"

namespace district::xml {
namespace {

// One pass over UTF-8 text that looks at nothing but markup. It need not find every error of
// well-formedness, since the parser follows; it must bound what the parser will be made to do.
class Guard {
 public:
  explicit Guard(std::string_view text) : text_(text) {}

  Result<Ok> run() {
    for (at_ = text_.find('<'); at_ != std::string_view::npos; at_ = text_.find('<', at_)) {
      DISTRICT_CHECK(markup());
    }
    return Ok{};
  }

 private:
  Result<Ok> markup() {
    const std::string_view rest = text_.substr(at_);
    if (rest.starts_with("<!--")) return skip_past("-->", 4, "comment");
    if (rest.starts_with("<![CDATA[")) return skip_past("]]>", 9, "CDATA section");
    if (rest.starts_with("<!")) {
      return fail(ErrorCode::xml_forbidden,
                  "document type or other markup declaration at octet " + std::to_string(at_));
    }
    if (rest.starts_with("<?")) {
      return fail(ErrorCode::xml_forbidden,
                  "processing instruction at octet " + std::to_string(at_));
    }
    if (rest.starts_with("</")) {
      leave();
      return skip_past(">", 2, "end tag");
    }
    return start_tag();
  }

  Result<Ok> skip_past(std::string_view end, std::size_t from, const char* what) {
    const auto found = text_.find(end, at_ + from);
    if (found == std::string_view::npos) {
      return fail(ErrorCode::xml_malformed,
                  std::string(what) + " without an end at octet " + std::to_string(at_));
    }
    at_ = found + end.size();
    return Ok{};
  }

  Result<Ok> start_tag() {
    if (++elements_ > limits::kXmlElementsMax) return limit("elements");
    if (namespaces_.size() == limits::kXmlDepthMax) return limit("levels");
    namespaces_.push_back(0);
    const std::size_t end_max = std::min(text_.size(), at_ + limits::kXmlTagBytesMax);
    std::size_t attributes = 0;
    bool declaration = false;
    std::size_t i = at_ + 1;
    DISTRICT_CHECK(name(i));
    while (i < end_max) {
      const char c = text_[i];
      if (c == '>') {
        if (text_[i - 1] == '/') leave();
        at_ = i + 1;
        return Ok{};
      }
      if (c == '"' || c == '\'') {
        const auto close = text_.find(c, i + 1);
        if (close == std::string_view::npos) return open_tag();
        if (declaration) DISTRICT_CHECK(count_name(text_.substr(i + 1, close - i - 1)));
        declaration = false;
        i = close + 1;
      } else if (is_xml_space(c) || c == '/' || c == '=') {
        ++i;
      } else {
        if (++attributes > limits::kXmlAttributesPerTagMax) return limit("attributes in one tag");
        declaration = text_.substr(i).starts_with("xmlns");
        if (declaration && !declare()) return limit("namespaces in scope");
        DISTRICT_CHECK(name(i));
      }
    }
    if (i >= text_.size()) return open_tag();
    return limit("octets in one tag");
  }

  // A namespace declaration in the innermost element; false when there are too many.
  bool declare() {
    ++namespaces_.back();
    return ++namespaces_in_scope_ <= limits::kXmlNamespacesInScopeMax;
  }

  void leave() {
    if (namespaces_.empty()) return;
    namespaces_in_scope_ -= namespaces_.back();
    namespaces_.pop_back();
  }

  tl::unexpected<Error> open_tag() const {
    return fail(ErrorCode::xml_malformed, "tag without an end at octet " + std::to_string(at_));
  }

  // Reads a name at `i` and moves past it.
  Result<Ok> name(std::size_t& i) {
    const std::size_t start = i;
    while (i < text_.size() && !is_xml_space(text_[i]) && text_[i] != '=' && text_[i] != '>' &&
           text_[i] != '/' && text_[i] != '"' && text_[i] != '\'' && text_[i] != '<') {
      ++i;
    }
    const auto found = text_.substr(start, i - start);
    if (found.empty()) {
      return fail(ErrorCode::xml_malformed,
                  "markup without a name at octet " + std::to_string(start));
    }
    return count_name(found);
  }

  // Names of elements, attributes and namespaces are what the parser keeps in its dictionary.
  Result<Ok> count_name(std::string_view name) {
    if (name.size() > limits::kXmlNameBytesMax) return limit("octets in one name");
    names_.insert(name);
    if (names_.size() > limits::kXmlDistinctNamesMax) return limit("different names");
    return Ok{};
  }

  tl::unexpected<Error> limit(const char* what) const {
    return fail(ErrorCode::limit_exceeded,
                std::string("too many ") + what + " at octet " + std::to_string(at_));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t elements_ = 0;
  // A tree: a sender could choose names that fall on one place of a hash table.
  std::set<std::string_view> names_;
  std::vector<std::size_t> namespaces_;  // declared by each open element
  std::size_t namespaces_in_scope_ = 0;
};

}  // namespace

Result<Ok> guard(std::string_view utf8) { return Guard(utf8).run(); }

}  // namespace district::xml
