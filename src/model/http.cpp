#include "model/http.h"

namespace district {

std::string path_for_log(std::string_view path) {
  // A part: longer than any of ours, shorter than an API key, a token or a digest in hex.
  constexpr std::size_t kPartOctetsMax = 40, kPathOctetsMax = 200;
  std::string shown;
  while (!path.empty() && shown.size() < kPathOctetsMax) {
    const auto part = path.substr(0, path.find('/', 1));
    if (part.size() > kPartOctetsMax) {
      shown += "/(" + std::to_string(part.size()) + " octets)";
    } else {
      shown += part;
    }
    path.remove_prefix(part.size());
  }
  if (!path.empty()) shown += "...";
  return shown;
}

}  // namespace district
