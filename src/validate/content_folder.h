// Content schemas of a site's own: TYPE-VERSION.xsd in a folder, by default `content` in the data
// folder. With them a new data source needs no new program.
#pragma once

#include <cstddef>
#include <filesystem>

#include "base/error.h"

namespace district::validate {

// Makes them part of the contract, as those that are built in; gives how many there are. No folder:
// none. Before Validator::create() and before threads start.
// Errors: config_invalid (as read_content_schema(), or there is one of that name), file_unreadable.
Result<std::size_t> add_content_folder(const std::filesystem::path& folder);

}  // namespace district::validate
