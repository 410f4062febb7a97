// Octets, digests and their spellings.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace district {

using ByteView = std::span<const std::byte>;
using Bytes = std::vector<std::byte>;
using Sha256Digest = std::array<std::byte, 32>;

inline ByteView as_bytes(std::string_view text) {
  return std::as_bytes(std::span<const char>(text.data(), text.size()));
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline const unsigned char* as_uchar(ByteView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline Bytes to_bytes(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

// Lower case, two digits an octet.
std::string to_hex(ByteView bytes);
// Either case; nullopt when it is not hex.
std::optional<Bytes> from_hex(std::string_view text);

// RFC 4648 section 4, padded, without line breaks.
std::string to_base64(ByteView bytes);
// Strict RFC 4648 section 4: padding is demanded and its bits are zero. XML white space (space,
// tab, CR, LF) between characters is let pass, as xs:base64Binary allows it.
std::optional<Bytes> from_base64(std::string_view text);

// The digest as bytes of exactly 32; nullopt for any other length.
std::optional<Sha256Digest> to_digest(ByteView bytes);

}  // namespace district
