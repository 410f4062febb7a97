// A whole file that somebody named, on a command line or in the configuration. It is read in
// memory, so every kind of file has a bound.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "base/error.h"

namespace district::limits {

// A tenant's site with 10,000 meters takes 3 MiB of TOML.
inline constexpr std::size_t kTomlFileBytesMax = std::size_t{4} * 1024 * 1024;
// Certificates, keys and chains of them; the bundle of a distribution has 250 KiB.
inline constexpr std::size_t kPemFileBytesMax = std::size_t{1024} * 1024;
inline constexpr std::size_t kSchemaFileBytesMax = std::size_t{1024} * 1024;
// A list of certificates to enrol: 300,000 lines.
inline constexpr std::size_t kListFileBytesMax = std::size_t{64} * 1024 * 1024;
// A gateway's receipts: some 700,000.
inline constexpr std::size_t kReceiptFileBytesMax = std::size_t{256} * 1024 * 1024;

}  // namespace district::limits

namespace district {

// The octets of a file, also of a pipe; an empty file is an empty text. Threads: any.
// Errors: file_unreadable, with the system's reason (no such file, no permission, a folder), or
// more than `octets_max`; its hint is then `too_large`.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t octets_max,
                              const char* too_large = "check that it is the file that was meant");

}  // namespace district
