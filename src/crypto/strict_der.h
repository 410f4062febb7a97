// As much of DER (X.690) as is read without OpenSSL: values one inside the other, and from them
// what must be known of a stranger's certificate before OpenSSL decodes it. Private to crypto/.
// Threads: any.
#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "base/error.h"

namespace district::crypto {

constexpr std::byte kDerSequence{0x30};

struct DerValue {
  ByteView content;
  std::size_t size = 0;  // with tag and length
};

// The value at the start of `der`: of this tag, with a definite length in its shortest form (X.690
// section 10.1). Errors: token_invalid.
Result<DerValue> read_der(ByteView der, std::byte tag);

// What must be known before OpenSSL decodes a stranger's certificate: it makes a curve of whatever
// parameters there are, and the decimal spelling of a serial number takes the square of its length.
// Errors: token_invalid.
Result<Ok> check_outline(ByteView der);

}  // namespace district::crypto
