#include "validate/content_folder.h"

#include <set>
#include <string>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "validate/content_schema.h"
#include "xml/document.h"
#include "xml/schema.h"

namespace district::validate {

Result<std::size_t> add_content_folder(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code status;
  std::set<fs::path> files;
  for (fs::directory_iterator entry(folder, status), end; !status && entry != end;
       entry.increment(status))
    if (entry->path().extension() == ".xsd") files.insert(entry->path());
  if (status == std::errc::no_such_file_or_directory) return std::size_t{0};
  if (status) {
    return fail(ErrorCode::file_unreadable,
                "cannot list " + folder.string() + ": " + status.message(),
                "it is a folder of content schemas; check that this user may read it");
  }
  xml::initialize();
  for (const auto& path : files) {
    DISTRICT_TRY(auto text, read_file(path, limits::kSchemaFileBytesMax));
    const auto name = "content/" + path.filename().string();
    DISTRICT_CHECK(read_content_schema(name, text));
    DISTRICT_CHECK(xml::add_contract_file(name, std::move(text)));
  }
  return files.size();
}

}  // namespace district::validate
