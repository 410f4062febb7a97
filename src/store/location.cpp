#include "store/location.h"

namespace district::store {

Location Location::of(const std::filesystem::path& archive_file) {
  auto series_file = archive_file;
  series_file.replace_filename(archive_file.stem().string() + "-series" +
                               archive_file.extension().string());
  return {archive_file.string(), series_file.string()};
}

}  // namespace district::store
