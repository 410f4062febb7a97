#include "validate/content_folder.h"

#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "validate/content_schema.h"
#include "xml/document.h"
#include "xml/schema.h"

namespace district::validate {

Result<std::size_t> add_content_folder(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code status;
  if (!fs::is_directory(folder, status)) return std::size_t{0};
  std::set<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder, status))
    if (entry.path().extension() == ".xsd") files.insert(entry.path());
  if (status) return fail(ErrorCode::file_unreadable, "cannot list " + folder.string());
  xml::initialize();
  for (const auto& path : files) {
    std::ifstream stream(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(stream), {}};
    if (!stream.good() && !stream.eof())
      return fail(ErrorCode::file_unreadable, "cannot read " + path.string());
    const auto name = "content/" + path.filename().string();
    DISTRICT_CHECK(read_content_schema(name, text));
    DISTRICT_CHECK(xml::add_contract_file(name, std::move(text)));
  }
  return files.size();
}

}  // namespace district::validate
