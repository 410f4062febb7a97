// The query API, by which programs read what is known: GET below /api/v1, as JSON or CSV, page by
// page. openapi.json there describes it. Both come from one table (query/resource.h).
// A caller comes with a bearer API key (trust/api_keys.h) or, over mutual TLS, with a tenant's
// certificate. It sees nothing of other tenants, not even whether they exist.
// Source: RFC 9110 (conditional and range requests), RFC 6750 (bearer), RFC 9457 (problems), RFC
// 8288 (links), RFC 4180 (CSV), OpenAPI 3.1.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "model/api.h"
#include "store/database.h"
#include "trust/trust.h"

namespace district::query {

class Api final : public ApiHandler {
 public:
  // Reads the databases by connections of its own that cannot write, one for each of kApiThreads.
  // `public_url`: where clients reach the server, without a path. Errors: those of
  // store::ArchiveDatabase::open.
  static Result<std::unique_ptr<Api>> open(const store::Location& location, const Clock& clock,
                                           const std::string& public_url);

  // Threads: at most kApiThreads at once.
  HttpResponse get(const ApiRequest& request) override;
  // Logs who asks for what, before anything is sent.
  void answering(const ApiRequest& request, const HttpResponse& answer) override;
  // Logs how much of the answer was sent.
  void sent(const ApiRequest& request, const HttpResponse& answer, const Sent& sent) override;

 private:
  class Connection;
  Api(const Clock& clock, std::string description)
      : clock_(clock), description_(std::move(description)) {}
  HttpResponse answer(const ApiRequest& request, std::string& asked_by, bool& in_octets);

  const Clock& clock_;
  const std::string description_;  // openapi.json
  std::unique_ptr<trust::Trust> trust_;
  std::mutex mutex_;
  struct Connections {
    std::unique_ptr<store::ArchiveDatabase> archive;
    std::unique_ptr<store::SeriesDatabase> series;
  };
  std::vector<Connections> idle_;  // one for each thread; guarded by mutex_
};

}  // namespace district::query
