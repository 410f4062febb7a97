// The dearest requests that somebody without an enrolled key can make, one for each kind of work
// that such a request causes; and Bodies that somebody sends behind a captured header, whose cost
// grows with their size. None is accepted.
// Source: docs/reference/security.md, "XML intake" and "Keys, tokens and algorithms"; base/limits.h
// for the sizes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace district::bench {

struct HostileRequest {
  std::string name;
  ErrorCode expected;  // so that what is measured is not refused for another reason
  Bytes body;
  std::string content_encoding = {};
};

// Keys are made on the spot; takes some seconds.
std::vector<HostileRequest> hostile_requests();

// A mebibyte each, behind the header of the world's gateway with an RSA key.
std::vector<HostileRequest> captured_headers();

}  // namespace district::bench
