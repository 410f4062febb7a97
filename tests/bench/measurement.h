// What a run is measured by: answers, latencies, and what the server used meanwhile.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"

namespace district::bench {

using Seconds = std::chrono::duration<double>;

// Percentiles of times.
class Latencies {
 public:
  void add(Seconds latency) { seconds_.push_back(latency.count()); }
  bool empty() const { return seconds_.empty(); }
  // p50, p95, p99 and max in milliseconds; nothing where there are none.
  nlohmann::ordered_json summary();

 private:
  std::vector<double> seconds_;
};

// What the system knows of a process. Source: proc(5).
struct ProcessUse {
  double user_seconds = 0, system_seconds = 0;
  std::uint64_t resident_octets = 0, peak_octets = 0;  // VmRSS, VmHWM
};
ProcessUse use_of(pid_t process);  // zeros when it has gone

// The server under load, seen from outside.
class Server {
 public:
  // process 0: not known, all figures are then left out. sync_file: where the preloaded counter of
  // sync_counter.cpp writes; empty: not counted.
  Server(pid_t process, const std::string& sync_file);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  bool known() const { return process_ != 0; }
  bool running() const;
  ProcessUse use() const { return use_of(process_); }
  // From now on VmHWM is the peak from now on.
  void forget_peak() const;
  std::uint64_t syncs() const;
  bool counts_syncs() const { return syncs_ != nullptr; }

 private:
  pid_t process_;
  const volatile std::uint64_t* syncs_ = nullptr;
};

// From begin() to end(): answers counted, resources taken. Everything before begin() is warm-up.
class Measurement {
 public:
  explicit Measurement(const Server& server) : server_(server) {}

  void begin();
  void end();
  bool under_way() const { return under_way_; }

  // One request came to its end. status 0: the connection was lost instead.
  void count(unsigned status, Seconds latency, std::size_t messages, std::size_t octets);
  void count_handshake() { handshakes_ += under_way_ ? 1 : 0; }
  void complain(const std::string& problem);

  std::uint64_t accepted() const { return accepted_; }
  std::uint64_t with_status(unsigned status) const;
  double seconds() const { return seconds_; }
  const std::map<std::string, std::uint64_t>& problems() const { return problems_; }
  nlohmann::ordered_json to_json();

 private:
  nlohmann::ordered_json server_json() const;

  const Server& server_;
  bool under_way_ = false;
  std::chrono::steady_clock::time_point begun_{};
  double seconds_ = 0;
  ProcessUse server_before_, server_after_, driver_before_, driver_after_;
  std::uint64_t syncs_before_ = 0, syncs_after_ = 0;
  std::uint64_t accepted_ = 0, messages_ = 0, octets_ = 0, handshakes_ = 0;
  std::map<unsigned, std::uint64_t> statuses_;
  std::map<std::string, std::uint64_t> problems_;
  Latencies accepted_latencies_, refused_latencies_;
};

// Two decimals more than are ever meant.
double rounded(double value);

}  // namespace district::bench
