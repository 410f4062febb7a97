#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "base/limits.h"
#include "xml/document.h"

namespace district::xml {
namespace {

bool space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

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
      return fail(ErrorCode::xml_forbidden, "document type or other markup declaration at octet " + std::to_string(at_));
    }
    if (rest.starts_with("<?")) {
      return fail(ErrorCode::xml_forbidden, "processing instruction at octet " + std::to_string(at_));
    }
    if (rest.starts_with("</")) {
      if (depth_ > 0) --depth_;
      return skip_past(">", 2, "end tag");
    }
    return start_tag();
  }

  Result<Ok> skip_past(std::string_view end, std::size_t from, const char* what) {
    const auto found = text_.find(end, at_ + from);
    if (found == std::string_view::npos) {
      return fail(ErrorCode::xml_malformed, std::string(what) + " without an end at octet " + std::to_string(at_));
    }
    at_ = found + end.size();
    return Ok{};
  }

  Result<Ok> start_tag() {
    if (++elements_ > limits::kXmlElementsMax) return limit("elements");
    if (++depth_ > limits::kXmlDepthMax) return limit("depth");
    const std::size_t end_max = std::min(text_.size(), at_ + limits::kXmlTagBytesMax);
    std::size_t attributes = 0;
    std::size_t i = at_ + 1;
    DISTRICT_CHECK(name(i));
    while (i < end_max) {
      const char c = text_[i];
      if (c == '>') {
        if (text_[i - 1] == '/') --depth_;
        at_ = i + 1;
        return Ok{};
      }
      if (c == '"' || c == '\'') {
        const auto close = text_.find(c, i + 1);
        if (close == std::string_view::npos) break;
        i = close + 1;
      } else if (space(c) || c == '/' || c == '=') {
        ++i;
      } else {
        if (++attributes > limits::kXmlAttributesPerTagMax) return limit("attributes in one tag");
        DISTRICT_CHECK(name(i));
      }
    }
    if (i >= text_.size()) {
      return fail(ErrorCode::xml_malformed, "tag without an end at octet " + std::to_string(at_));
    }
    return limit("octets in one tag");
  }

  // Reads a name at `i` and moves past it.
  Result<Ok> name(std::size_t& i) {
    const std::size_t start = i;
    while (i < text_.size() && !space(text_[i]) && text_[i] != '=' && text_[i] != '>' && text_[i] != '/' &&
           text_[i] != '"' && text_[i] != '\'' && text_[i] != '<') {
      ++i;
    }
    const auto found = text_.substr(start, i - start);
    if (found.empty()) {
      return fail(ErrorCode::xml_malformed, "markup without a name at octet " + std::to_string(start));
    }
    if (found.size() > limits::kXmlNameBytesMax) return limit("octets in one name");
    names_.insert(found);
    if (names_.size() > limits::kXmlDistinctNamesMax) return limit("different names");
    return Ok{};
  }

  tl::unexpected<Error> limit(const char* what) const {
    return fail(ErrorCode::limit_exceeded, std::string("too many ") + what + " at octet " + std::to_string(at_));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::size_t elements_ = 0;
  std::unordered_set<std::string_view> names_;
};

}  // namespace

Result<Ok> guard(std::string_view utf8) { return Guard(utf8).run(); }

}  // namespace district::xml
