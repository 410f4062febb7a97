#include "server/routes.h"

#include <utility>

#include "observe/events.h"
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

void Routes::post(receive::HttpRequest request, std::shared_ptr<pipeline::Requester> requester) {
  const auto content_type = request.content_type;
  // It is undecoded here, and gone where decoding it has failed.
  const acknowledge::RefusedRequest refused{
      request.peer, content_type,        request.content_encoding, request.soap_action,
      {},           request.body.size(), request.rest == nullptr};
  auto raw = receive::make_raw_envelope(std::move(request), body_octets_max_);
  if (raw) return pipeline_.handle(std::move(*raw), std::move(requester));
  requester->answer(pipeline_.refuse(raw.error(), receive::soap_version(content_type), refused));
}

pipeline::Answer Routes::refuse(const Error& error, std::string_view content_type,
                                std::string_view peer) {
  return pipeline_.refuse(error, receive::soap_version(content_type),
                          {peer, content_type, {}, {}, {}});
}

std::optional<std::string_view> Routes::document(std::string_view query) const {
  return contract_.find(query);
}

bool Routes::may_connect(const Sha256Digest& certificate) {
  const auto now = clock_.now();
  const auto snapshot = trust_.snapshot();
  if (!snapshot) {
    observe::emit(observe::Level::error, "trust_unreadable", {{"detail", snapshot.error().detail}});
    return false;
  }
  const auto* known = (*snapshot)->find_by_sha256(certificate);
  return known != nullptr && !(*snapshot)->active(*known, now).empty();
}

}  // namespace district::server
