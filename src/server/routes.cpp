#include "server/routes.h"

#include <utility>

#include "xml/schema.h"

namespace district::server {
namespace {

constexpr std::string_view kWsdl = "aggregation.wsdl";

}  // namespace

Contract::Contract(const std::string& public_url) {
  for (const auto name : xml::contract_files()) {
    auto text = xml::published_contract_file(name, public_url);
    if (!text) continue;
    const auto query = name == kWsdl ? std::string("wsdl") : "xsd=" + std::string(name);
    documents_.emplace(query, std::move(*text));
  }
}

std::optional<std::string_view> Contract::find(std::string_view query) const {
  // Some tools ask in capitals.
  const auto found = documents_.find(query == "WSDL" ? "wsdl" : query);
  if (found == documents_.end()) return std::nullopt;
  return found->second;
}

void Routes::post(receive::HttpRequest request, std::unique_ptr<pipeline::Requester> requester) {
  pipeline_.handle(std::move(request), std::move(requester));
}

HttpResponse Routes::refuse(const Error& error, std::string_view content_type,
                            std::string_view peer) {
  return pipeline_.refuse(error, content_type, peer);
}

std::optional<std::string_view> Routes::document(std::string_view query) const {
  return contract_.find(query);
}

Result<bool> Routes::may_connect(const Sha256Digest& certificate) {
  DISTRICT_TRY(const auto current, trust_.refresh());
  const auto* known = current->find_by_sha256(certificate);
  return known != nullptr && !current->active(*known, clock_.now()).empty();
}

}  // namespace district::server
