// Documents with all that canonicalisation and validation of streams may stumble over, made by
// choices from outside: a generator of random numbers, or a fuzzer's octets.
#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace district::test {

class RandomXml {
 public:
  // A number below the bound.
  using Choose = std::function<std::size_t(std::size_t bound)>;
  explicit RandomXml(Choose choose) : choose_(std::move(choose)) {}

  // A root with two to four children, the last of which is called Body and has the root's prefix.
  std::string document() {
    std::string text = pick({"", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n", "<!-- c -->\n"});
    const Scope scope = {{"", ""}, {"xml", kXml}};
    text += element(scope, 0, "");
    return text + pick({"", "\n", "<!-- x -->"});
  }

  // Content of an element, in which `prefixes` are bound.
  std::string content(const std::vector<std::pair<std::string, std::string>>& prefixes) {
    budget_ = 40;
    return inside(prefixes, 2);
  }

  // Prefixes as in a PrefixList.
  std::vector<std::string> prefix_list() {
    std::vector<std::string> list;
    for (const char* prefix : {"#default", "a", "b", "c", "nowhere", "xml"})
      if (choose_(4) == 0) list.emplace_back(prefix);
    return list;
  }

 private:
  using Scope = std::vector<std::pair<std::string, std::string>>;  // the innermost last
  static constexpr const char* kXml = "http://www.w3.org/XML/1998/namespace";

  std::string pick(std::initializer_list<const char*> from) {
    return *(from.begin() + static_cast<std::ptrdiff_t>(choose_(from.size())));
  }

  static std::string uri_of(const Scope& scope, const std::string& prefix) {
    for (auto at = scope.rbegin(); at != scope.rend(); ++at)
      if (at->first == prefix) return at->second;
    return "";
  }

  // A prefix that is bound to a namespace; or the default one.
  std::string bound_prefix(const Scope& scope) {
    const std::string prefix = pick({"", "", "a", "b", "c", "ab"});
    return uri_of(scope, prefix).empty() ? "" : prefix;
  }

  // Not of prefixes in `declared`.
  std::string declarations(Scope& scope, std::set<std::string> declared) {
    std::string text;
    while (choose_(3) == 0) {
      const std::string prefix = pick({"", "a", "b", "c", "ab"});
      if (!declared.insert(prefix).second) continue;
      const std::string uri = prefix.empty()
                                  ? pick({"", "urn:1", "urn:2", "urn:&#x31;"})
                                  : pick({"urn:1", "urn:2", "urn:3", "http://x/?a=1;b=2"});
      scope.emplace_back(prefix, uri);
      text += space() + (prefix.empty() ? "xmlns" : "xmlns:" + prefix) + "=" + quoted(uri);
    }
    return text;
  }

  std::string attributes(const Scope& scope) {
    std::string text;
    std::set<std::string> names;  // local, whatever the prefix: two prefixes may mean the same
    while (choose_(3) == 0) {
      const std::string local = pick({"x", "y", "z", "lang", "space", "Id", "\xC3\xA6"});
      if (!names.insert(local).second) continue;
      std::string prefix = choose_(2) == 0 ? bound_prefix(scope) : "";
      if (local == "lang" || local == "space") prefix = "xml";
      text += space() + (prefix.empty() ? "" : prefix + ":") + local + "=" +
              quoted(local == "space" ? "preserve" : value());
    }
    return text;
  }

  std::string value() {
    std::string text;
    while (choose_(3) != 0) {
      text += pick({"x",
                    " ",
                    "\t",
                    "\n",
                    "\r\n",
                    "\r",
                    ">",
                    "&lt;",
                    "&amp;",
                    "&quot;",
                    "&apos;",
                    "&#9;",
                    "&#10;",
                    "&#13;",
                    "&#xE6;",
                    "\xC3\xA6",
                    "\xF0\x9F\x94\x8C",
                    "&#x1F50C;",
                    "]]>",
                    "--",
                    "\xEF\xBF\xBD",
                    "&#x7F;",
                    "\x7F",
                    "  "});
    }
    return text;
  }

  std::string quoted(const std::string& text) {
    const std::string quote = pick({"\"", "'"});
    return quote + text + quote;
  }

  std::string space() { return pick({" ", " ", "\n", "\t ", "\r\n"}); }

  std::string element(Scope scope, std::size_t level, const std::string& wanted_name) {
    std::string tags =
        declarations(scope, wanted_name.empty() ? std::set<std::string>() : std::set{root_prefix_});
    std::string prefix = bound_prefix(scope);
    std::string local = pick({"e", "f", "\xC3\xA6", "e.1-2_3"});
    if (level == 0) root_prefix_ = prefix;
    if (wanted_name == "Body") {
      local = wanted_name;
      prefix = root_prefix_;
    }
    tags += attributes(scope);
    const std::string name = prefix.empty() ? local : prefix + ":" + local;
    if (level == 0) {
      std::string text = "<" + name + tags + ">";
      for (std::size_t i = choose_(3); i > 0; --i) {
        budget_ = 12;
        text += element(scope, 1, "");
      }
      budget_ = 30;
      return text + element(scope, 1, "Body") + "</" + name + space_or_nothing() + ">";
    }
    if (choose_(4) == 0) return "<" + name + tags + space_or_nothing() + "/>";
    return "<" + name + tags + space_or_nothing() + ">" + inside(scope, level) + "</" + name +
           space_or_nothing() + ">";
  }

  std::string inside(const Scope& scope, std::size_t level) {
    std::string text;
    while (budget_ > 0 && choose_(5) != 0) {
      --budget_;
      switch (choose_(5)) {
        case 0:
        case 1:
          if (level < 12) text += element(scope, level + 1, "");
          break;
        case 2:
          text += pick({"<!---->", "<!-- & < > \" -->", "<!-- <e> -->", "<!--\xC3\xA6-->"});
          break;
        case 3:
          text += pick({"<![CDATA[]]>", "<![CDATA[<&>\"']]>", "<![CDATA[ ]] > ]]>",
                        "<![CDATA[\r\n\t]]>", "<![CDATA[\xF0\x9F\x94\x8C]]>", "<![CDATA[]]]]>"});
          break;
        default:
          text += pick({"x",
                        " ",
                        "\n",
                        "\t",
                        "\r\n",
                        "\r",
                        "&lt;",
                        "&gt;",
                        "&amp;",
                        "&quot;",
                        "'",
                        "\"",
                        ">",
                        "]",
                        "&#13;",
                        "&#xD;",
                        "&#xA;",
                        "\xC3\xA6",
                        "&#xE6;",
                        "\xF0\x9F\x94\x8C",
                        "&#x10FFFF;",
                        "\xEF\xBB\xBF",
                        "0123456789abcdef"});
      }
    }
    return text;
  }

  std::string space_or_nothing() { return pick({"", "", " ", "\n"}); }

  Choose choose_;
  std::size_t budget_ = 0;  // of nodes, which keeps documents small
  std::string root_prefix_;
};

}  // namespace district::test
