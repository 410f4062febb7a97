#include "server/settings.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <thread>

namespace district::server {
namespace {

std::chrono::milliseconds to_milliseconds(config::seconds value) { return value; }

// Connections spread over the threads, each of which does little but TLS: some tens of microseconds
// a request, half a millisecond a handshake.
std::size_t io_threads_for(std::size_t cores) { return std::clamp<std::size_t>(cores, 2, 16); }

// Workers compute; none of them waits for the disk. One more than cores, since now and then one
// waits for another's lock.
std::size_t workers_for(std::size_t cores) { return cores + 1; }

// How many are under way before the rate counts: one group that is being written while the next one
// gathers.
std::size_t few_for(std::size_t cores) {
  return std::max<std::size_t>(std::min(8 * cores, cores + 128), 16);
}

// Large bodies wait for the network most of the time; each takes a few MB of memory.
std::size_t large_bodies_for(std::size_t cores) {
  return std::clamp<std::size_t>(2 * cores, 4, 64);
}

ClientCertificates client_certificates_from(std::string_view word) {
  if (word == "required") return ClientCertificates::required;
  return word == "optional" ? ClientCertificates::optional : ClientCertificates::off;
}

std::vector<Listener> listeners_from(const config::Config& config) {
  const auto make = [](const config::Listen& from, TlsProfile profile) {
    return Listener{from.address, static_cast<std::uint16_t>(from.port), profile,
                    client_certificates_from(from.client_certificates)};
  };
  std::vector<Listener> listeners{make(config.listen, TlsProfile::modern)};
  if (config.legacy.enabled) listeners.push_back(make(config.legacy, TlsProfile::legacy));
  return listeners;
}

}  // namespace

Settings settings_from(const config::Config& config) {
  const auto& limits = config.limits;
  const auto size = [](std::int64_t value) { return static_cast<std::size_t>(value); };
  Settings settings;
  settings.listeners = listeners_from(config);
  settings.certificates.push_back({"", config.tls.certificate, config.tls.key});
  if (!config.tls.second_certificate.empty()) {
    settings.certificates.push_back(
        {"second_", config.tls.second_certificate, config.tls.second_key});
  }
  settings.body_octets_max = size(limits.body_bytes);
  settings.body_octets_total_max = size(limits.body_bytes_total);
  settings.header_octets_max = size(limits.header_bytes);
  settings.connections_max = size(limits.connections);
  settings.connections_per_peer_max = size(limits.connections_per_peer);
  settings.handshake = to_milliseconds(limits.handshake_seconds);
  settings.header = to_milliseconds(limits.header_seconds);
  settings.body = to_milliseconds(limits.body_seconds);
  settings.idle = to_milliseconds(limits.idle_seconds);
  settings.write = to_milliseconds(limits.write_seconds);
  settings.body_octets_per_second_min = size(limits.minimum_rate_bytes_per_second);
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  settings.io_threads = io_threads_for(cores);
  settings.workers = limits.workers != 0 ? size(limits.workers) : workers_for(cores);
  settings.few = few_for(cores);
  settings.large_bodies = large_bodies_for(cores);
  settings.queue_max = size(limits.queue);
  settings.answer = std::chrono::milliseconds(limits.answer_milliseconds);
  return settings;
}

}  // namespace district::server
