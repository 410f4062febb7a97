#include <algorithm>
#include <array>

#include "fuzz_target.h"

namespace district::fuzz {
namespace {

constexpr std::array kTokens = {"<!-- c -->",
                                "<![CDATA[x]]>",
                                "<![CDATA[",
                                "]]>",
                                "&amp;",
                                "&lt;",
                                "&#13;",
                                "&#xA;",
                                "&#x1F50C;",
                                "\r\n",
                                "\r",
                                "\t",
                                " ",
                                "<x/>",
                                "<x>",
                                "</x>",
                                "<?x?>",
                                "<!DOCTYPE x>",
                                "\xEF\xBB\xBF",
                                "\xC3\xA6",
                                "\xC3",
                                " xmlns='urn:x'",
                                " xmlns=''",
                                " xmlns:soap='urn:x'",
                                " xmlns:a='urn:1'",
                                " xmlns:b='urn:2'",
                                " wsu:Id='x'",
                                " Id='x'",
                                " xml:id='x'",
                                " a:x='1'",
                                " b:x='2'",
                                "a:",
                                "b:",
                                "<soap:Body/>",
                                "<soap:Header/>",
                                "<soap:Body>",
                                "</soap:Body>",
                                "<?xml version='1.0'?>",
                                "<?xml version='1.0' encoding='ISO-8859-1'?>",
                                "'",
                                "\"",
                                ">",
                                "<",
                                "&",
                                "]",
                                "--",
                                " xsi:type='x'",
                                "<ds:Reference URI='#x'/>",
                                "#default"};

struct Span {
  std::size_t from = 0, to = 0;
};

class Change {
 public:
  Change(std::string& text, const std::string& other, std::mt19937& random)
      : text_(text), other_(other), random_(random) {}

  void make() {
    switch (below(9)) {
      case 0:
        if (!text_.empty()) text_[below(text_.size())] = static_cast<char>(below(256));
        return;
      case 1:
        text_.erase(below(text_.size() + 1), 1 + below(60));
        return;
      case 2:
        text_.insert(below(text_.size() + 1), some_of(text_));
        return;
      case 3:
        text_.insert(below(text_.size() + 1), some_of(other_));
        return;
      case 4:
      case 5:
        text_.insert(token_place(), kTokens[below(kTokens.size())]);
        return;
      default:
        change_element();
    }
  }

 private:
  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }
  std::string some_of(const std::string& text) {
    return text.empty() ? "" : text.substr(below(text.size()), 1 + below(200));
  }
  // Near markup, mostly.
  std::size_t token_place() {
    const auto at = below(text_.size() + 1);
    if (below(4) == 0) return at;
    const auto place = text_.find_first_of("<> \"/", at);
    return place == std::string::npos ? at : place + below(2);
  }

  // A start tag and all to the next end tag of that name.
  Span element(const std::string& text) {
    if (text.empty()) return {};
    const auto from = text.find('<', below(text.size()));
    if (from == std::string::npos) return {};
    const auto name_end = text.find_first_of(" \t\r\n/>", from + 1);
    if (name_end == std::string::npos || name_end == from + 1) return {};
    const std::string end = "</" + text.substr(from + 1, name_end - from - 1);
    const auto end_tag = text.find(end, name_end);
    const auto to = text.find('>', end_tag == std::string::npos ? name_end : end_tag);
    return to == std::string::npos ? Span{} : Span{from, to + 1};
  }

  void change_element() {
    const std::string& source = below(4) == 0 ? other_ : text_;
    const Span span = element(source);
    const std::string whole = source.substr(span.from, span.to - span.from);
    if (&source == &text_ && below(3) == 0) text_.erase(span.from, whole.size());
    if (below(4) == 0) return;
    const Span place = element(text_);
    text_.insert(below(2) == 0 ? place.from : place.to, whole);
  }

  std::string& text_;
  const std::string& other_;
  std::mt19937& random_;
};

}  // namespace

std::string mutated(std::string text, const std::string& other, std::mt19937& random) {
  const auto colon = text.substr(0, 16).find(':');
  const bool has_word = colon != std::string::npos &&
                        std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon),
                                    [](char c) { return c >= 'a' && c <= 'z'; });
  const std::string word = has_word ? text.substr(0, colon + 1) : "";
  text.erase(0, word.size());
  for (auto changes = 1 + random() % 3; changes > 0; --changes) Change(text, other, random).make();
  return word + text;
}

}  // namespace district::fuzz
