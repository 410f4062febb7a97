#include "receive/media_type.h"

#include <algorithm>

namespace district::receive {
namespace {

constexpr std::size_t kParametersMax = 16;

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_token_char(char c) {
  return is_alphanumeric(c) ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_space(char c) { return c == ' ' || c == '\t'; }

// Reads from the front of a field value; every function leaves the rest to be read.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }

  bool take(char expected) {
    if (rest_.empty() || rest_.front() != expected) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void skip_space() {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  }

  // Empty: no token here.
  std::string_view token() {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_token_char);
    const auto found = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(found.size());
    return found;
  }

  // After its opening quote. nullopt: not closed, or with a control character in it.
  std::optional<std::string> quoted_rest() {
    std::string value;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return value;
      if (c == '\\') {
        if (rest_.empty()) return std::nullopt;
        c = rest_.front();
        rest_.remove_prefix(1);
      }
      const auto octet = static_cast<unsigned char>(c);
      if ((octet < 0x20 && c != '\t') || octet == 0x7f) return std::nullopt;
      value += c;
    }
    return std::nullopt;
  }

 private:
  std::string_view rest_;
};

// name=value or name="value"; no space around "=".
std::optional<std::pair<std::string, std::string>> read_parameter(Reader& reader) {
  const auto name = reader.token();
  if (name.empty() || !reader.take('=')) return std::nullopt;
  if (reader.take('"')) {
    auto value = reader.quoted_rest();
    if (!value) return std::nullopt;
    return std::pair{to_lower(name), std::move(*value)};
  }
  const auto value = reader.token();
  if (value.empty()) return std::nullopt;
  return std::pair{to_lower(name), std::string(value)};
}

}  // namespace

const std::string* MediaType::find(std::string_view parameter) const {
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [&](const auto& entry) { return entry.first == parameter; });
  return found == parameters.end() ? nullptr : &found->second;
}

std::optional<MediaType> parse_media_type(std::string_view text) {
  Reader reader(trim(text));
  MediaType media;
  const auto type = reader.token();
  if (type.empty() || !reader.take('/')) return std::nullopt;
  const auto subtype = reader.token();
  if (subtype.empty()) return std::nullopt;
  media.name = to_lower(type) + '/' + to_lower(subtype);

  for (reader.skip_space(); !reader.at_end(); reader.skip_space()) {
    if (!reader.take(';')) return std::nullopt;
    reader.skip_space();
    if (reader.at_end()) break;  // a semicolon may end the list (RFC 9110 section 5.6.6)
    auto parameter = read_parameter(reader);
    if (!parameter || media.find(parameter->first) != nullptr) return std::nullopt;
    if (media.parameters.size() == kParametersMax) return std::nullopt;
    media.parameters.push_back(std::move(*parameter));
  }
  return media;
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace district::receive
