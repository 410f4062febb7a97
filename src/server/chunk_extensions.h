// The extensions of a body's chunks: unknown to us, overlooked, bounded. Private to server/.
// Source: RFC 9112 section 7.1.1.
#pragma once

#include <algorithm>
#include <boost/beast/core/string_type.hpp>
#include <boost/beast/http/error.hpp>
#include <cstddef>
#include <cstdint>

namespace district::server {

// Called by Beast for each chunk. Beast checks the grammar, but lets control characters into quoted
// strings: a bare LF there is the end of a line to others.
class ChunkExtensions {
 public:
  // `octets_max`: of all chunks of a body together.
  explicit ChunkExtensions(std::size_t octets_max) : octets_left_(octets_max) {}

  void operator()(std::uint64_t /*size*/, boost::beast::string_view text,
                  boost::system::error_code& error) {
    const bool clean = std::none_of(text.begin(), text.end(), [](char c) {
      const auto octet = static_cast<unsigned char>(c);
      return (octet < 0x20 && c != '\t') || octet == 0x7f;
    });
    if (!clean || text.size() > octets_left_) {
      error = boost::beast::http::error::bad_chunk_extension;
      return;
    }
    octets_left_ -= text.size();
  }

 private:
  std::size_t octets_left_;
};

}  // namespace district::server
