#include "validate/schema_bounds.h"

#include <algorithm>
#include <vector>

namespace district::validate {
namespace {

constexpr std::string_view kXs = "http://www.w3.org/2001/XMLSchema";

// Goes through a pattern as far as it must to find its groups and how often they repeat. Whether it
// is a pattern at all is for libxml2 to say.
class PatternScanner {
 public:
  explicit PatternScanner(std::string_view pattern) : rest_(pattern) {}

  std::optional<std::string> complaint() {
    while (!rest_.empty()) {
      const char c = take();
      std::size_t repeats = 1;
      if (c == '(') {
        groups_.push_back(1);
        if (groups_.size() > kPatternNestingMax + 1) {
          return "a pattern has more than " + std::to_string(kPatternNestingMax) +
                 " groups in each other";
        }
        continue;
      }
      if (c == ')' && groups_.size() > 1) {
        repeats = groups_.back();
        groups_.pop_back();
      }
      if (c == '\\' && !rest_.empty()) take();
      if (c == '[') skip_class();
      repeats *= count();
      if (repeats > kPatternRepeatsMax) {
        return "a pattern counts to more than " + std::to_string(kPatternRepeatsMax);
      }
      groups_.back() = std::max(groups_.back(), repeats);
    }
    return std::nullopt;
  }

 private:
  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  void skip_class() {
    for (std::size_t depth = 1; depth > 0 && !rest_.empty();) {
      const char c = take();
      if (c == '\\' && !rest_.empty()) take();
      if (c == '[') ++depth;
      if (c == ']') --depth;
    }
  }

  // The largest number of {n,m}, if that follows.
  std::size_t count() {
    if (!rest_.starts_with('{')) return 1;
    std::size_t largest = 1, number = 0;
    while (!rest_.empty()) {
      const char c = take();
      const bool digit = c >= '0' && c <= '9';
      number =
          digit ? std::min(number * 10 + static_cast<std::size_t>(c - '0'), kPatternRepeatsMax + 1)
                : 0;
      largest = std::max(largest, number);
      if (c == '}') break;
    }
    return largest;
  }

  std::string_view rest_;
  std::vector<std::size_t> groups_{1};  // the open ones: how often the most frequent part repeats
};

bool is_particle(xml::Element element) {
  return element.is(kXs, "element") || element.is(kXs, "any");
}

}  // namespace

std::optional<std::string> too_much_in_pattern(std::string_view pattern) {
  if (pattern.size() > kPatternBytesMax) {
    return "a pattern has more than " + std::to_string(kPatternBytesMax) + " octets";
  }
  return PatternScanner(pattern).complaint();
}

std::optional<TooMuch> find_too_much(xml::Element schema) {
  std::size_t particles = 0, patterns = 0;
  for (auto element = schema.next_below(schema); element; element = element.next_below(schema)) {
    if (is_particle(element) && ++particles > kSchemaParticlesMax) {
      return TooMuch{
          element, "the schema has more than " + std::to_string(kSchemaParticlesMax) + " elements"};
    }
    // A group of groups of groups grows without bound where it is put in.
    if (element.is(kXs, "group")) {
      return TooMuch{element, "xs:group is not read; write its elements where they belong"};
    }
    if (!element.is(kXs, "pattern")) continue;
    const auto pattern = element.attribute("", "value").value_or("");
    if (auto what = too_much_in_pattern(pattern)) return TooMuch{element, *std::move(what)};
    patterns += pattern.size();
    if (patterns > kSchemaPatternBytesMax) {
      return TooMuch{element, "the schema's patterns have more than " +
                                  std::to_string(kSchemaPatternBytesMax) + " octets in all"};
    }
  }
  return std::nullopt;
}

}  // namespace district::validate
