// Measures the quantifier on one core: values stored, values through to KPIs, a late correction in
// a long history, octets on disk. Times are CPU time of the thread, so that others on the machine
// do not show; commits are synchronous and in it as far as they take CPU.
//
// usage: quantify-bench [--meters N] [--days N] [--years N] [--folder FOLDER]
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "quantify/engine.h"
#include "store/database.h"
#include "store/series_store.h"

namespace {

using namespace district;
using namespace std::chrono_literals;

const Instant kStart{std::chrono::sys_days{std::chrono::year{2015} / 1 / 1}};

struct Options {
  int meters = 200, days = 40, years = 10, history_meters = 20;
  std::string folder = "/tmp";
};

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}
double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <typename T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "quantify-bench: error: %s\n", result.error().detail.c_str());
  std::exit(1);
}

void done(const Result<Ok>& result) { static_cast<void>(must(result)); }

// Energy of an hour as a meter counts it: two decimals, by the hour of the day and the meter.
double energy_at(int meter, int hour) {
  return static_cast<double>(40 + (hour * 7 + meter * 13) % 60 + (hour % 24) * 5) / 100;
}

Observation energy(int meter, int hour, std::uint32_t message) {
  const auto start = kStart + 1h * hour;
  return {"METER-" + std::to_string(meter),
          "",
          "active_energy",
          "kWh",
          ValueKind::interval,
          start,
          start + 1h,
          energy_at(meter, hour),
          message,
          0};
}

class Bench {
 public:
  explicit Bench(const std::string& folder) : path_(folder + "/quantify-bench.db") {
    remove();
    database_ = must(store::Database::open(path_, store::OpenMode::create));
  }
  ~Bench() {
    database_.reset();
    remove();
  }

  // Some batches in one transaction, as the quantifier groups them; CPU seconds.
  double take(const std::vector<Batch>& batches, Instant received_at, bool compute) {
    const auto began = cpu_seconds();
    auto transaction = must(store::Transaction::begin(*database_));
    quantify::Engine engine(*database_, [](std::string_view) { return "Europe/Madrid"; });
    engine.remember(known_);
    quantify::Touched touched;
    for (const auto& batch : batches) {
      const auto leaf = leaf_++;
      done(engine.ingest(batch, {leaf, "01JD3Z0A9V4T8M6Q2H5W7X1C0B", received_at}, touched));
    }
    if (compute) done(engine.recompute(touched, received_at));
    done(transaction.commit());
    return cpu_seconds() - began;
  }

  std::uint64_t octets() {
    done(database_->execute("PRAGMA wal_checkpoint(TRUNCATE)"));
    return std::filesystem::file_size(path_);
  }

 private:
  void remove() {
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + end);
  }
  std::string path_;
  std::unique_ptr<store::Database> database_;
  std::shared_ptr<quantify::KnownIds> known_ = std::make_shared<quantify::KnownIds>();
  std::uint64_t leaf_ = 1;
};

void report(const char* what, double values, double seconds, double octets) {
  std::printf("%-44s %10.0f values  %9.0f /s", what, values, values / seconds);
  if (octets > 0) std::printf("  %5.1f octets each", octets / values);
  std::printf("\n");
  std::fflush(stdout);
}

void daily(const Options& options, bool compute) {
  Bench bench(options.folder);
  const auto empty = bench.octets();
  double seconds = 0, values = 0;
  for (int day = 0; day < options.days; ++day) {
    std::vector<Batch> group;
    for (int meter = 0; meter < options.meters; ++meter) {
      auto& batch = group.emplace_back();
      batch.tenant = "20";
      for (int hour = 0; hour < 24; ++hour)
        batch.observations.push_back(
            energy(meter, day * 24 + hour, static_cast<std::uint32_t>(hour + 1)));
      values += 24;
      if (group.size() < 64 && meter + 1 < options.meters) continue;
      seconds += bench.take(group, kStart + 24h * (day + 1) + 1min, compute);
      group.clear();
    }
  }
  report(compute ? "daily batches, through to KPIs" : "daily batches, stored", values, seconds,
         static_cast<double>(bench.octets() - empty));
}

void hourly(const Options& options) {
  Bench bench(options.folder);
  constexpr int kSeries = 4000;
  double seconds = 0, values = 0;
  for (int hour = 0; hour < options.days; ++hour) {
    Batch batch;
    batch.tenant = "20";
    for (int meter = 0; meter < kSeries; ++meter)
      batch.observations.push_back(energy(meter, hour, static_cast<std::uint32_t>(meter + 1)));
    const auto took = bench.take({batch}, kStart + 1h * (hour + 1) + 1min, false);
    if (hour == 0) continue;  // makes the series
    seconds += took;
    values += kSeries;
  }
  report("an hour of 4000 series at a time, stored", values, seconds, 0);
}

void corrections(const Options& options) {
  Bench bench(options.folder);
  const auto empty = bench.octets();
  const int days = options.years * 365;
  double filled = 0, values = 0;
  for (int meter = 0; meter < options.history_meters; ++meter) {
    for (int day = 0; day < days; day += 30) {
      Batch batch;
      batch.tenant = "20";
      for (int hour = day * 24; hour < std::min(days, day + 30) * 24; ++hour)
        batch.observations.push_back(
            energy(meter, hour, static_cast<std::uint32_t>(batch.observations.size() + 1)));
      values += static_cast<double>(batch.observations.size());
      filled += bench.take({batch}, kStart + 24h * (day + 31), true);
    }
  }
  report("months at a time, through to KPIs", values, filled,
         static_cast<double>(bench.octets() - empty));
  std::vector<double> wall, cpu;
  for (int i = 0; i < 100; ++i) {
    const int meter = i * 7 % options.history_meters, hour = i * 839 % (days * 24);
    auto corrected = energy(meter, hour, 1);
    corrected.value += 1;
    const Batch batch{"20", {}, {corrected}, {}};
    const auto began = wall_seconds();
    cpu.push_back(bench.take({batch}, kStart + 24h * (days + 400) + 1h * i, true));
    wall.push_back(wall_seconds() - began);
  }
  std::sort(cpu.begin(), cpu.end());
  std::sort(wall.begin(), wall.end());
  std::printf("%-44s median %.2f ms, 95th percentile %.2f ms of CPU; %.2f and %.2f ms elapsed\n",
              "late correction, to new KPI values", cpu[50] * 1e3, cpu[95] * 1e3, wall[50] * 1e3,
              wall[95] * 1e3);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--meters") options.meters = std::atoi(argv[i + 1]);
    if (name == "--days") options.days = std::atoi(argv[i + 1]);
    if (name == "--years") options.years = std::atoi(argv[i + 1]);
    if (name == "--history-meters") options.history_meters = std::atoi(argv[i + 1]);
    if (name == "--folder") options.folder = argv[i + 1];
  }
  daily(options, false);
  hourly(options);
  daily(options, true);
  corrections(options);
  return 0;
}
