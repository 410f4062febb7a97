// The compiled schemas of the service and of each (type, version) of content. Private to validate/.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "validate/validator.h"
#include "xml/schema.h"

namespace district::validate {

// The element that a compiled content schema expects around every gcontent of its type.
inline constexpr std::string_view kContents = "contents";

struct Schemas {
  explicit Schemas(const OperationReader& reader) : operations(reader) {}

  Result<Ok> load(const std::string& file, std::string_view text);
  // Index of a (type, version) in both lists.
  std::optional<std::size_t> find(std::string_view type, std::string_view version) const;

  const OperationReader& operations;
  std::optional<xml::Schema> service;
  std::vector<ContentType> types;
  std::vector<xml::Schema> contents;
};

}  // namespace district::validate
