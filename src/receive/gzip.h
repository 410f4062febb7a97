// The gzip content coding, with a bound on what comes out.
// Source: RFC 1952; RFC 9110 section 8.4.1.3.
#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "base/error.h"

namespace district::receive {

// Exactly one member and nothing after it: what follows would be octets that no digest covers.
// Memory and work are bounded by `octets_max`, not by what the stream claims to hold.
// Errors: too_large; xml_malformed (not a whole gzip stream).
Result<Bytes> gunzip(ByteView coded, std::size_t octets_max);

}  // namespace district::receive
