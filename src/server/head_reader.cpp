#include "server/head_reader.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "server/head_scanner.h"

namespace district::server {
namespace {

constexpr std::string_view kEmptyLine = "\r\n";

}  // namespace

RequestHead refused_head(unsigned status, std::string rule) {
  RequestHead head;
  head.refused = status;
  head.rule = std::move(rule);
  return head;
}

Awaitable<bool> read_head(TlsStream& stream, std::size_t octets_max, RequestHead& head,
                          std::size_t& octets) {
  HeadScanner scanner(octets_max);
  std::size_t scanned = 0;
  bool may_skip = true;
  while (true) {
    // Some clients end a body with a line of their own: RFC 9112 section 2.2 wants one overlooked.
    const auto come = stream.ahead();
    if (may_skip && come.size() >= kEmptyLine.size()) {
      may_skip = false;
      if (come.starts_with(kEmptyLine)) stream.consume(kEmptyLine.size());
      continue;
    }
    if (!may_skip || !kEmptyLine.starts_with(come)) {
      scanner.feed(come.substr(scanned));
      scanned = come.size();
      may_skip = false;
    }
    octets = scanner.octets();
    if (scanner.refused() != 0) head = refused_head(scanner.refused(), scanner.rule());
    if (scanner.refused() != 0 || scanner.complete()) co_return true;
    const auto room = std::max(TlsStream::kFirstOctets, scanned);
    const bool more = co_await stream.read_ahead(room, TlsStream::AtDeadline::interrupt);
    if (more) continue;
    if (!stream.overdue()) co_return false;
    head = refused_head(408, "the head was not complete within limits.header_seconds");
    co_return true;
  }
}

}  // namespace district::server
