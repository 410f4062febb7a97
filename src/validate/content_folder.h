// Content schemas of a site's own: TYPE-VERSION.xsd in a folder, by default `content` in the data
// folder. With them a new data source needs no new program.
#pragma once

#include <cstddef>
#include <filesystem>

#include "base/error.h"

namespace district::validate {

// Makes these schemas part of the contract, like the ones that are built in, and gives their
// number; 0 if there is no such folder. To be called before Validator::create() and before threads
// start. Errors: config_invalid (as read_content_schema(), or there is one of that name),
// file_unreadable.
Result<std::size_t> add_content_folder(const std::filesystem::path& folder);

}  // namespace district::validate
