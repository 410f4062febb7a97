// What the front asks of the service behind it. routes.h implements it.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "model/http.h"
#include "pipeline/pipeline.h"
#include "receive/receive.h"

namespace district::server {

class Application {
 public:
  virtual ~Application() = default;
  // A POST: whole, or with a `rest` that is still arriving. If it is answered before all of it was
  // read, the connection is closed. Answers `requester`, now or later; if it lets go of it without
  // an answer, the client gets status 500. On a worker thread, many at once. It may block, but had
  // better go on later.
  virtual void post(receive::HttpRequest request,
                    std::unique_ptr<pipeline::Requester> requester) = 0;
  // A POST that the front refuses before its body is whole: too_large, overloaded. On an I/O
  // thread; must not block.
  virtual HttpResponse refuse(const Error& error, std::string_view content_type,
                              std::string_view peer) = 0;
  // What GET gives for the query (without "?"): an XML document, or nullopt for 404. On an I/O
  // thread; must not block.
  virtual std::optional<std::string_view> document(std::string_view query) const = 0;
  // Whether the certificate with this SHA-256 is enrolled and in force now, by what the database
  // says. On a worker thread, for each request where a listener requires one; may block.
  // Errors: archive_unavailable, archive_corrupt.
  virtual Result<bool> may_connect(const Sha256Digest& /*certificate*/) { return false; }
};

}  // namespace district::server
