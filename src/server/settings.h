// The bounds of the front: how many, how much, how long.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "config/config.h"
#include "server/listener.h"

namespace district::server {

struct Settings {
  std::vector<Listener> listeners;             // one or more
  std::vector<CertificateFiles> certificates;  // of all listeners; one for each type of key
  std::size_t body_octets_max = 0, body_octets_total_max = 0, header_octets_max = 0;
  std::size_t connections_max = 0, connections_per_peer_max = 0;
  std::chrono::milliseconds handshake{}, header{}, body{}, idle{}, write{};
  std::size_t body_octets_per_second_min = 0;
  std::chrono::milliseconds body_grace{5000};  // before the rate counts
  std::size_t io_threads = 2, workers = 0, queue_max = 0;
  std::size_t few = 0;  // so many requests, at least one for each worker, are let in at any rate
  std::chrono::milliseconds answer{100};  // no more are let in than can be answered within it
  std::size_t large_bodies = 4;  // bodies above limits::kWholeOctetsMax that arrive at a time
  std::chrono::milliseconds finish{10'000};  // for requests under way when stop() is called
};

Settings settings_from(const config::Config& config);

}  // namespace district::server
