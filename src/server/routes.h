// The aggregation service behind the front: POST goes through the pipeline, GET gives the contract.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "pipeline/pipeline.h"
#include "server/application.h"
#include "trust/trust.h"

namespace district::server {

// The published contract by query: "wsdl" and "xsd=NAME", for the names that exist and no others.
class Contract {
 public:
  // `public_url`: where clients reach the service; written into the documents.
  explicit Contract(const std::string& public_url);
  std::optional<std::string_view> find(std::string_view query) const;

 private:
  std::map<std::string, std::string, std::less<>> documents_;
};

class Routes final : public Application {
 public:
  // Keeps references to all but `public_url`. `trust`: judges TLS clients with certificates.
  Routes(pipeline::Pipeline& pipeline, trust::Trust& trust, const Clock& clock,
         const std::string& public_url)
      : pipeline_(pipeline), trust_(trust), clock_(clock), contract_(public_url) {}

  void post(receive::HttpRequest request, std::unique_ptr<pipeline::Requester> requester) override;
  HttpResponse refuse(const Error& error, std::string_view content_type,
                      std::string_view peer) override;
  std::optional<std::string_view> document(std::string_view query) const override;
  Result<bool> may_connect(const Sha256Digest& certificate) override;

 private:
  pipeline::Pipeline& pipeline_;
  trust::Trust& trust_;
  const Clock& clock_;
  const Contract contract_;
};

}  // namespace district::server
