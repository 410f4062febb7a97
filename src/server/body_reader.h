// Reads the body of one request off the network: by its length or in chunks, within its bounds and
// its time. Private to server/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.h"
#include "server/admission.h"
#include "server/chunk_decoder.h"
#include "server/io_thread.h"
#include "server/pace.h"
#include "server/request_head.h"
#include "server/settings.h"
#include "server/tls_stream.h"

namespace district::server {

// How reading a body went. `complete`: all is well so far. `large`: what has been read is the
// beginning of a large body. `no_room`: there is no memory for it now. `gone`: the client ended the
// connection. The others are the client's fault as well.
enum class BodyEnd : std::uint8_t {
  complete,
  large,
  too_large,
  no_room,
  malformed,
  too_slow,
  gone
};

// Threads: the stream's. Holds its share of the budget until it is destroyed.
class BodyReader {
 public:
  // Keeps references: all four must outlive it.
  BodyReader(const RequestHead& head, TlsStream& stream, const Settings& settings,
             BodyBudget& budget)
      : head_(head),
        stream_(stream),
        chunks_(settings.body_octets_max, settings.header_octets_max),
        pace_(settings, settings.body_grace),
        share_(budget) {}

  // The whole body, or the first kWholeOctetsMax octets of a large one.
  Awaitable<BodyEnd> read_beginning(Bytes& body);
  // Some octets more, to the beginning of `room`; octets() grows by their number.
  Awaitable<BodyEnd> read_some(std::span<std::byte> room);
  // false: the budget has no room for so many octets.
  bool reserve(std::size_t octets) { return share_.grow_to(octets); }
  // Between these two calls the client is not expected to send.
  void pause() { pace_.pause(); }
  void resume() { pace_.resume(); }

  bool complete() const;
  std::uint64_t octets() const { return octets_; }            // of the body, that have come
  const char* broken_rule() const { return chunks_.rule(); }  // of HTTP, where it is malformed
  // What the log says of a body that is too_slow or gone.
  std::string describe(BodyEnd end) const;

 private:
  Awaitable<BodyEnd> read_some_chunked(std::span<std::byte> room);
  BodyEnd end_of_failed_read() const;

  const RequestHead& head_;
  TlsStream& stream_;
  ChunkDecoder chunks_;
  Pace pace_;
  BodyBudget::Share share_;
  std::uint64_t octets_ = 0;
};

}  // namespace district::server
