// The table of all keys: the one place that knows their names, bounds and meaning.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.h"

namespace district::config {

// Each kind knows where the value lives in a Config, and what it may be.
struct IntegerKey {
  std::int64_t& (*value)(Config&);
  std::int64_t min, max;
};
struct SecondsKey {
  seconds& (*value)(Config&);
  std::int64_t min, max;
};
struct BoolKey {
  bool& (*value)(Config&);
};
struct TextKey {
  std::string& (*value)(Config&);
  // nullptr: fine; else why it is not, to follow the key's name in a sentence.
  const char* (*complaint)(std::string_view);
};
struct PathKey {
  std::filesystem::path& (*value)(Config&);
};

struct Key {
  std::string_view section, name;
  std::variant<IntegerKey, SecondsKey, BoolKey, TextKey, PathKey> kind;
  std::string_view unit;
  std::string_view text;  // for the reference: sentences, Markdown
};

std::span<const Key> all_keys();

// The keys whose values differ: "limits.queue".
std::vector<std::string> changed_keys(Config before, Config now);

}  // namespace district::config
