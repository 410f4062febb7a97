// What all connections of a server share. It outlives them. Private to server/.
#pragma once

#include <atomic>
#include <memory>
#include <string_view>

#include "model/api.h"
#include "model/http.h"
#include "server/admission.h"
#include "server/application.h"
#include "server/refusals.h"
#include "server/settings.h"
#include "server/traces.h"
#include "server/workers.h"

namespace district::server {

// Threads: any.
struct Front {
  explicit Front(Settings s);

  // Not while the server stops, nor when places are needed for others.
  bool may_keep_alive() const { return !stopping && !admission.crowded(); }
  // 503 for a POST: a fault that many share.
  std::shared_ptr<const HttpResponse> overloaded(const char* detail, std::string_view content_type,
                                                 std::string_view peer);
  // 503 for a request of the query API.
  static std::shared_ptr<const HttpResponse> no_time_to_read();

  const Settings settings;
  Admission admission;
  BodyBudget bodies;   // that arrive
  BodyBudget answers;  // of the query API: who reads slowly stops nobody who sends
  Workers workers;
  // Large bodies come as slowly as their senders like: they never hold a worker of the others.
  Workers large_workers;
  Workers api_workers;  // for reads of databases: they never wait for what is being accepted, nor
                        // the other way round
  // Looks certificates of TLS clients up: gateways never wait for those who read.
  Workers certificate_workers;
  Refusals refusals;
  Traces traces;
  Application* application = nullptr;  // set before the first connection
  ApiHandler* api = nullptr;           // null: there is none
  std::atomic<bool> stopping{false};
  std::atomic<bool> cutting_uploads{false};  // stop() waits no longer
};

}  // namespace district::server
