#include "measurement.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <sstream>

namespace district::bench {

double rounded(double value) {
  if (value == 0 || !std::isfinite(value)) return 0;
  const double digits = std::pow(10.0, 4 - std::ceil(std::log10(std::abs(value))));
  return std::round(value * digits) / digits;
}

nlohmann::ordered_json Latencies::summary() {
  auto json = nlohmann::ordered_json::object();
  if (seconds_.empty()) return json;
  std::sort(seconds_.begin(), seconds_.end());
  constexpr std::array<std::pair<const char*, double>, 4> kShares{
      {{"p50_ms", 0.5}, {"p95_ms", 0.95}, {"p99_ms", 0.99}, {"max_ms", 1.0}}};
  for (const auto& [name, share] : kShares) {
    // The nearest rank: the smallest value that `share` of all do not exceed.
    const auto rank =
        static_cast<std::size_t>(std::ceil(share * static_cast<double>(seconds_.size())));
    json[name] = rounded(1000 * seconds_.at(std::max<std::size_t>(rank, 1) - 1));
  }
  return json;
}

ProcessUse use_of(pid_t process) {
  const std::string folder = "/proc/" + std::to_string(process);
  ProcessUse use;
  std::ifstream stat(folder + "/stat");
  std::string text;
  std::getline(stat, text);
  // The second field is the program's name in parentheses, which may hold anything.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return use;
  std::istringstream fields(text.substr(name_end + 1));
  constexpr int kUserField = 14;
  double user = 0;
  double system = 0;
  for (int i = 3; i < kUserField && fields >> text; ++i) continue;
  fields >> user >> system;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  use.user_seconds = user / ticks;
  use.system_seconds = system / ticks;

  std::ifstream status(folder + "/status");
  constexpr std::uint64_t kKibibyte = 1024;
  while (std::getline(status, text)) {
    if (text.starts_with("VmRSS:")) use.resident_octets = std::stoull(text.substr(6)) * kKibibyte;
    if (text.starts_with("VmHWM:")) use.peak_octets = std::stoull(text.substr(6)) * kKibibyte;
  }
  return use;
}

Server::Server(pid_t process, const std::string& sync_file) : process_(process) {
  if (sync_file.empty()) return;
  const int file = ::open(sync_file.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  void* page = ::mmap(nullptr, sizeof(std::uint64_t), PROT_READ, MAP_SHARED, file, 0);
  ::close(file);
  if (page != MAP_FAILED) syncs_ = static_cast<const volatile std::uint64_t*>(page);
}

Server::~Server() {
  if (syncs_ != nullptr) ::munmap(const_cast<std::uint64_t*>(syncs_), sizeof *syncs_);
}

bool Server::running() const { return process_ == 0 || ::kill(process_, 0) == 0; }

void Server::forget_peak() const {
  if (process_ == 0) return;
  std::ofstream("/proc/" + std::to_string(process_) + "/clear_refs") << "5\n";
}

std::uint64_t Server::syncs() const { return syncs_ == nullptr ? 0 : *syncs_; }

void Measurement::begin() {
  under_way_ = true;
  server_.forget_peak();
  server_before_ = server_.use();
  driver_before_ = use_of(::getpid());
  syncs_before_ = server_.syncs();
  begun_ = std::chrono::steady_clock::now();
}

void Measurement::end() {
  if (!under_way_) return;
  under_way_ = false;
  seconds_ = Seconds(std::chrono::steady_clock::now() - begun_).count();
  server_after_ = server_.use();
  driver_after_ = use_of(::getpid());
  syncs_after_ = server_.syncs();
}

void Measurement::count(unsigned status, Seconds latency, std::size_t messages,
                        std::size_t octets) {
  if (!under_way_) return;
  ++statuses_[status];
  if (status != 200) {
    if (status != 0) refused_latencies_.add(latency);
    return;
  }
  ++accepted_;
  messages_ += messages;
  octets_ += octets;
  accepted_latencies_.add(latency);
}

void Measurement::complain(const std::string& problem) { ++problems_[problem]; }

std::uint64_t Measurement::with_status(unsigned status) const {
  const auto found = statuses_.find(status);
  return found == statuses_.end() ? 0 : found->second;
}

nlohmann::ordered_json Measurement::server_json() const {
  const double user = server_after_.user_seconds - server_before_.user_seconds;
  const double system = server_after_.system_seconds - server_before_.system_seconds;
  constexpr double kMebibyte = 1024.0 * 1024.0;
  nlohmann::ordered_json json;
  json["cpu_user_s"] = rounded(user);
  json["cpu_system_s"] = rounded(system);
  if (accepted_ != 0) {
    json["cpu_s_per_1000_accepted"] =
        rounded(1000 * (user + system) / static_cast<double>(accepted_));
  }
  json["rss_before_mib"] = rounded(static_cast<double>(server_before_.resident_octets) / kMebibyte);
  json["rss_after_mib"] = rounded(static_cast<double>(server_after_.resident_octets) / kMebibyte);
  json["rss_peak_mib"] = rounded(static_cast<double>(server_after_.peak_octets) / kMebibyte);
  if (server_.counts_syncs()) {
    json["syncs"] = syncs_after_ - syncs_before_;
    if (accepted_ != 0) {
      json["syncs_per_1000_accepted"] =
          rounded(1000 * static_cast<double>(syncs_after_ - syncs_before_) /
                  static_cast<double>(accepted_));
    }
  }
  return json;
}

nlohmann::ordered_json Measurement::to_json() {
  nlohmann::ordered_json json;
  json["seconds"] = rounded(seconds_);
  json["accepted"] = accepted_;
  const double seconds = seconds_ > 0 ? seconds_ : 1;
  json["accepted_per_s"] = rounded(static_cast<double>(accepted_) / seconds);
  json["messages_per_s"] = rounded(static_cast<double>(messages_) / seconds);
  json["mb_per_s"] = rounded(static_cast<double>(octets_) / seconds / 1e6);
  json["envelope_octets"] = accepted_ == 0 ? 0 : octets_ / accepted_;
  auto statuses = nlohmann::ordered_json::object();
  for (const auto& [status, count] : statuses_) {
    statuses[status == 0 ? "lost" : std::to_string(status)] = count;
  }
  json["statuses"] = std::move(statuses);
  json["latency"] = accepted_latencies_.summary();
  if (!refused_latencies_.empty()) json["refused_latency"] = refused_latencies_.summary();
  json["handshakes"] = handshakes_;
  if (server_.known()) json["server"] = server_json();
  json["driver_cpu_s"] = rounded(driver_after_.user_seconds - driver_before_.user_seconds +
                                 driver_after_.system_seconds - driver_before_.system_seconds);
  json["problems"] = problems_;
  return json;
}

}  // namespace district::bench
