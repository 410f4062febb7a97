#include "server/body_reader.h"

#include <algorithm>
#include <chrono>

#include "base/limits.h"

namespace district::server {

using limits::kWholeOctetsMax;

bool BodyReader::complete() const {
  return head_.chunked ? chunks_.status() == ChunkDecoder::Status::complete
                       : octets_ == head_.content_length;
}

std::string BodyReader::describe(BodyEnd end) const {
  auto text = (end == BodyEnd::too_slow ? "the client sent nothing more, or too slowly, after "
                                        : "the client ended the connection after ") +
              std::to_string(octets_);
  if (!head_.chunked) text += " of " + std::to_string(head_.content_length);
  return text + " octets of the body";
}

Awaitable<BodyEnd> BodyReader::read_beginning(Bytes& body) {
  const auto expected = head_.chunked
                            ? kWholeOctetsMax
                            : std::min<std::uint64_t>(head_.content_length, kWholeOctetsMax);
  while (!complete()) {
    const auto used = static_cast<std::size_t>(octets_);
    if (used == kWholeOctetsMax) co_return BodyEnd::large;
    // Who announces much has to send it before it takes memory.
    if (used == body.size()) {
      body.resize(std::min(expected, std::max(TlsStream::kReadOctets, 2 * used)));
    }
    const auto room = std::span(body).subspan(used);
    const auto end = co_await read_some(room);
    if (end != BodyEnd::complete) co_return end;
    if (!reserve(static_cast<std::size_t>(octets_))) co_return BodyEnd::no_room;
  }
  body.resize(static_cast<std::size_t>(octets_));
  co_return BodyEnd::complete;
}

Awaitable<BodyEnd> BodyReader::read_some(std::span<std::byte> room) {
  const auto deadline = pace_.deadline(octets_);
  if (std::chrono::steady_clock::now() > deadline) co_return BodyEnd::too_slow;
  stream_.must_end_by(deadline);
  if (head_.chunked) {
    const auto end = co_await read_some_chunked(room);
    co_return end;
  }
  const auto missing = head_.content_length - octets_;
  if (missing < room.size()) room = room.first(static_cast<std::size_t>(missing));
  const auto count = co_await stream_.read_into(room, TlsStream::AtDeadline::interrupt);
  if (count == 0) co_return end_of_failed_read();
  octets_ += count;
  co_return BodyEnd::complete;
}

Awaitable<BodyEnd> BodyReader::read_some_chunked(std::span<std::byte> room) {
  if (stream_.ahead().empty()) {
    const bool more =
        co_await stream_.read_ahead(TlsStream::kReadOctets, TlsStream::AtDeadline::interrupt);
    if (!more) co_return end_of_failed_read();
  }
  const auto step = chunks_.decode(stream_.ahead(), room);
  stream_.consume(step.used);
  octets_ += step.decoded;
  switch (chunks_.status()) {
    case ChunkDecoder::Status::too_large:
      co_return BodyEnd::too_large;
    case ChunkDecoder::Status::malformed:
      co_return BodyEnd::malformed;
    default:
      co_return BodyEnd::complete;
  }
}

BodyEnd BodyReader::end_of_failed_read() const {
  return stream_.overdue() ? BodyEnd::too_slow : BodyEnd::gone;
}

}  // namespace district::server
