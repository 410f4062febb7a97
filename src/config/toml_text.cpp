#include "config/toml_text.h"

#include <algorithm>
#include <string_view>

#include "base/file.h"

namespace district::config {
namespace {

// Goes through a text as far as it must to tell strings and comments from the rest. Where it is
// wrong about a text, that text is not TOML.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  // What is too much; empty: nothing.
  std::string complaint() {
    while (!rest().empty()) {
      if (parts_ > kTomlPartsMax) {
        return "a key has more than " + std::to_string(kTomlPartsMax) + " parts";
      }
      if (nesting_ > kTomlNestingMax) {
        return "more than " + std::to_string(kTomlNestingMax) +
               " lists and tables are in each other";
      }
      step();
    }
    return {};
  }
  std::size_t line() const { return line_; }

 private:
  std::string_view rest() const { return text_.substr(position_); }

  void step() {
    const char c = text_[position_];
    if (c == '"' || c == '\'') return skip_string(c);
    if (c == '#') {
      position_ = std::min(text_.find('\n', position_), text_.size());
      return;
    }
    ++position_;
    if (c == '\n') ++line_;
    if (c == '.') {
      ++parts_;
    } else if (c == '\n' || c == ',' || c == '=' || c == '[' || c == '{') {
      parts_ = 1;
    }
    if (c == '[' || c == '{') ++nesting_;
    if ((c == ']' || c == '}') && nesting_ > 0) --nesting_;
  }

  void skip_string(char quote) {
    const std::string three(3, quote);
    const bool many_lines = rest().starts_with(three);
    const bool empty = !many_lines && rest().starts_with(std::string(2, quote));
    position_ += many_lines ? 3 : 1;
    if (empty) {
      ++position_;
      return;
    }
    for (; !rest().empty(); ++position_) {
      const char c = text_[position_];
      if (c == '\n') {
        if (!many_lines) return;
        ++line_;
      }
      if (c == '\\' && quote == '"' && rest().size() > 1 && text_[position_ + 1] != '\n') {
        ++position_;
        continue;
      }
      if (c != quote || (many_lines && !rest().starts_with(three))) continue;
      position_ += many_lines ? 3 : 1;
      // Of up to five quotes at the end of a long string the first two are its text.
      for (int i = 0; many_lines && i < 2 && rest().starts_with(quote); ++i) ++position_;
      return;
    }
  }

  std::string_view text_;
  std::size_t position_ = 0, line_ = 1, parts_ = 1, nesting_ = 0;
};

}  // namespace

Result<toml::table> parse_toml(const std::string& text, const std::string& name,
                               const char* before_line) {
  Scanner scanner(text);
  if (const auto complaint = scanner.complaint(); !complaint.empty()) {
    return fail(ErrorCode::config_invalid,
                name + before_line + std::to_string(scanner.line()) + ": " + complaint,
                "no file of District needs as many; check that it is the file that was meant");
  }
  try {
    return toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::config_invalid, name + before_line +
                                               std::to_string(error.source().begin.line) + ": " +
                                               std::string(error.description()));
  }
}

Result<toml::table> load_toml(const std::string& path) {
  DISTRICT_TRY(const auto text, read_file(path, limits::kTomlFileBytesMax));
  return parse_toml(text, path);
}

}  // namespace district::config
