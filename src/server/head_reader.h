// Reads the head of a request off the network, and no octet of it before HeadScanner has seen it.
// Private to server/.
#pragma once

#include <cstddef>
#include <string>

#include "server/io_thread.h"
#include "server/request_head.h"
#include "server/tls_stream.h"

namespace district::server {

// A head that says nothing but why it is refused.
RequestHead refused_head(unsigned status, std::string rule);

// Within the stream's deadline. true: the head is the first `octets` of stream.ahead(), or `head`
// is refused. false: the client ended the connection after `octets` of it. Threads: the stream's.
Awaitable<bool> read_head(TlsStream& stream, std::size_t octets_max, RequestHead& head,
                          std::size_t& octets);

}  // namespace district::server
