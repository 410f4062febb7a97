// A TOML text that others may have written, bounded before toml++ reads it: each part of a dotted
// key and each bracket is a level of recursion there.
// Private to config/. Threads: any.
#pragma once

#include <toml++/toml.h>

#include <string>

#include "base/error.h"

namespace district::config {

// Ours have two of either.
inline constexpr std::size_t kTomlPartsMax = 16;
inline constexpr std::size_t kTomlNestingMax = 16;

// `name`: of the file, for errors. Errors: config_invalid, naming file and line: not TOML, a key of
// more than kTomlPartsMax parts, more than kTomlNestingMax brackets in each other.
// `before_line`: what stands between the name and the line.
Result<toml::table> parse_toml(const std::string& text, const std::string& name,
                               const char* before_line = " line ");

// The same of a file. Errors: also file_unreadable, which a file of more than kTomlFileBytesMax is.
Result<toml::table> load_toml(const std::string& path);

}  // namespace district::config
