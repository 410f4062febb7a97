// The answer to a request, as a value. How it is framed and sent is server/'s matter.
// Source: RFC 9110.
#pragma once

#include <string>
#include <string_view>

namespace district {

// What a client that gets 503 is told to wait, where nothing better is known.
inline constexpr unsigned kRetryAfterSeconds = 5;

struct HttpResponse {
  unsigned http_status = 200;
  std::string content_type;  // empty: no such field
  std::string body;
  unsigned retry_after_seconds = 0;  // 0: no such field
  std::string tenant = {};           // the authenticated sender's; empty: none
  std::string rejection_id = {};     // empty: it is no fault
  std::string fields = {};           // further fields of the header, each with its CRLF
  std::string asked_by = {};         // of the query API: who, for the log
};

// A path as it may stand in the log: a part that is long enough to be a secret is left out.
std::string path_for_log(std::string_view path);

}  // namespace district
