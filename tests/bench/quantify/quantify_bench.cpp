// Measures the quantifier on one core: values stored, values through to KPIs, a late correction in
// a long history, octets on disk. Times are CPU time of the thread, so that others on the machine
// do not show; commits are synchronous and in it as far as they take CPU.
//
// usage: quantify-bench [--meters N] [--days N] [--history-meters N] [--years N] [--folder FOLDER]
//                       [--history FILE] [--group N] [--seed N]
// --group: so many envelopes share a transaction at most.
// --history: only corrections, in the history of the file, which is made where there is none.
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "quantify/engine.h"
#include "store/database.h"
#include "store/series_reader.h"
#include "store/transaction.h"

namespace {

using namespace district;
using namespace std::chrono_literals;

constexpr const char* kReceiptId = "01JD3Z0A9V4T8M6Q2H5W7X1C0B";
// Leaves of the envelopes of the history: above those that an archive begins with.
constexpr std::uint64_t kHistoryLeaf = 1'000'000'000;
const Instant kStart{std::chrono::sys_days{std::chrono::year{2015} / 1 / 1}};

struct Options {
  int meters = 200, days = 40, years = 10, history_meters = 20;
  std::size_t group = 512;
  unsigned seed = 1;
  std::string folder = "/tmp";
  std::string history;  // a file that is kept for the next time; empty: none
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

// A batch and the envelope that it came in.
struct Delivery {
  Batch batch;
  Origin origin;
};

class Bench {
 public:
  explicit Bench(std::string path, bool keep = false) : path_(std::move(path)), keep_(keep) {
    if (!keep_) remove();
    // Not those of an earlier run in the same file.
    leaf_ = 2 * kHistoryLeaf + static_cast<std::uint64_t>(::time(nullptr)) * 1000;
    database_ =
        must(store::SeriesDatabase::open(store::Location::of(path_), store::OpenMode::create));
  }
  ~Bench() {
    database_.reset();
    if (!keep_) remove();
  }

  store::SeriesDatabase& database() { return *database_; }
  const std::string& path() const { return path_; }
  Origin next_origin(Instant received_at) { return {leaf_++, kReceiptId, received_at}; }

  // Some batches in one transaction, as the quantifier groups them; CPU seconds.
  double take(const std::vector<Delivery>& group, Instant now, bool compute) {
    const auto began = cpu_seconds();
    auto transaction = must(store::SeriesTransaction::begin(*database_));
    quantify::Engine engine(*database_, [](std::string_view) { return "Europe/Madrid"; });
    engine.remember(known_);
    series::Touched touched;
    std::vector<quantify::Arrival> arrivals;
    for (const auto& [batch, origin] : group) {
      done(engine.check(batch));
      arrivals.push_back({batch, origin});
    }
    done(engine.ingest(transaction, arrivals, touched));
    if (compute) done(engine.recompute(transaction, touched, now));
    done(transaction.commit());
    return cpu_seconds() - began;
  }

  std::uint64_t octets() {
    done(database_->execute("PRAGMA wal_checkpoint(TRUNCATE)"));
    return std::filesystem::file_size(database_->name());
  }

 private:
  void remove() {
    const auto series = store::Location::of(path_).series();
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(series + end);
  }
  std::string path_;
  bool keep_;
  std::unique_ptr<store::SeriesDatabase> database_;
  std::shared_ptr<series::KnownIds> known_ = std::make_shared<series::KnownIds>();
  std::uint64_t leaf_;
};

void report(const char* what, double values, double seconds, double octets) {
  std::printf("%-44s %10.0f values  %9.0f /s", what, values, values / seconds);
  if (octets > 0) std::printf("  %5.1f octets each", octets / values);
  std::printf("\n");
  std::fflush(stdout);
}

void daily(const Options& options, bool compute) {
  Bench bench(options.folder + "/quantify-bench.db");
  const auto empty = bench.octets();
  double seconds = 0, values = 0;
  std::vector<Delivery> group;
  for (int day = 0; day < options.days; ++day) {
    const auto received_at = kStart + 24h * (day + 1) + 1min;
    for (int meter = 0; meter < options.meters; ++meter) {
      auto& [batch, origin] = group.emplace_back();
      origin = bench.next_origin(received_at);
      batch.tenant = "20";
      for (int hour = 0; hour < 24; ++hour)
        batch.observations.push_back(
            energy(meter, day * 24 + hour, static_cast<std::uint32_t>(hour + 1)));
      values += 24;
      if (group.size() < options.group) continue;
      seconds += bench.take(group, received_at, compute);
      group.clear();
    }
  }
  if (!group.empty()) seconds += bench.take(group, kStart + 24h * options.days, compute);
  report(compute ? "daily batches, through to KPIs" : "daily batches, stored", values, seconds,
         static_cast<double>(bench.octets() - empty));
}

void hourly(const Options& options) {
  Bench bench(options.folder + "/quantify-bench.db");
  constexpr int kSeries = 4000;
  double seconds = 0, values = 0;
  for (int hour = 0; hour < options.days; ++hour) {
    Batch batch;
    batch.tenant = "20";
    for (int meter = 0; meter < kSeries; ++meter)
      batch.observations.push_back(energy(meter, hour, static_cast<std::uint32_t>(meter + 1)));
    const auto received_at = kStart + 1h * (hour + 1) + 1min;
    const auto took = bench.take({{batch, bench.next_origin(received_at)}}, received_at, false);
    if (hour == 0) continue;  // makes the series
    seconds += took;
    values += kSeries;
  }
  report("an hour of 4000 series at a time, stored", values, seconds, 0);
}

// An hour of 1,000 of 4,000 meters in an envelope, in order.
void hourly_through(const Options& options) {
  Bench bench(options.folder + "/quantify-bench.db");
  constexpr int kSeries = 4000, kInEnvelope = 1000;
  double seconds = 0, values = 0;
  std::vector<Delivery> group;
  for (int hour = 0; hour < options.days * 2; ++hour) {
    const auto received_at = kStart + 1h * (hour + 1) + 1min;
    for (int first = 0; first < kSeries; first += kInEnvelope) {
      auto& [batch, origin] = group.emplace_back();
      origin = bench.next_origin(received_at);
      batch.tenant = "20";
      for (int meter = first; meter < first + kInEnvelope; ++meter)
        batch.observations.push_back(
            energy(meter, hour, static_cast<std::uint32_t>(meter - first + 1)));
      values += kInEnvelope;
      // Larger envelopes: fewer of them fit into a group.
      if (group.size() < std::max<std::size_t>(1, options.group / 16)) continue;
      seconds += bench.take(group, received_at, true);
      group.clear();
    }
  }
  if (!group.empty()) seconds += bench.take(group, kStart + 24h * options.days, true);
  report("an hour of 1,000 meters each, through to KPIs", values, seconds,
         static_cast<double>(bench.octets()));
}

// 24 messages of different meters and days in an envelope.
void scattered(const Options& options) {
  Bench bench(options.folder + "/quantify-bench.db");
  std::mt19937 random(options.seed);
  double seconds = 0, values = 0;
  std::vector<Delivery> group;
  const auto envelopes = options.meters * options.days / 4;
  for (int i = 0; i < envelopes; ++i) {
    auto& [batch, origin] = group.emplace_back();
    origin = bench.next_origin(kStart + 24h * 366 + 1s * i);
    batch.tenant = "20";
    for (std::uint32_t message = 1; message <= 24; ++message)
      batch.observations.push_back(
          energy(static_cast<int>(random() % 400), static_cast<int>(random() % 8760), message));
    values += 24;
    if (group.size() < options.group) continue;
    seconds += bench.take(group, origin.received_at, true);
    group.clear();
  }
  if (!group.empty()) seconds += bench.take(group, kStart + 24h * 366, true);
  report("24 of different meters and days, through to KPIs", values, seconds,
         static_cast<double>(bench.octets()));
}

// Ten years of hourly values for each meter, in daily envelopes of a hundred meters each.
void fill_history(const Options& options, Bench& bench) {
  const auto empty = bench.octets();
  const int days = options.years * 365;
  double seconds = 0, values = 0;
  for (int meter = 0; meter < options.history_meters; ++meter) {
    for (int year = 0; year < days; year += 365) {
      std::vector<Delivery> group;
      for (int day = year; day < year + 365; ++day) {
        const auto leaf = kHistoryLeaf + static_cast<std::uint64_t>(meter / 100 * days + day);
        auto& [batch, origin] = group.emplace_back();
        origin = {leaf, kReceiptId, kStart + 24h * (day + 1) + 1min};
        batch.tenant = "20";
        for (int hour = day * 24; hour < day * 24 + 24; ++hour)
          batch.observations.push_back(
              energy(meter, hour, static_cast<std::uint32_t>(meter % 100 * 24 + hour % 24 + 1)));
      }
      values += 24.0 * 365;
      seconds += bench.take(group, kStart + 24h * (year + 366), true);
    }
  }
  report("history, years at a time, through to KPIs", values, seconds,
         static_cast<double>(bench.octets() - empty));
}

void print_times(const char* what, std::vector<double>& seconds) {
  std::sort(seconds.begin(), seconds.end());
  const auto at = [&](double share) {
    return seconds[static_cast<std::size_t>(share * static_cast<double>(seconds.size() - 1))] * 1e3;
  };
  std::printf("%-52s median %.2f ms, 95th percentile %.2f, maximum %.2f\n", what, at(0.5), at(0.95),
              at(1));
}

void corrections(const Options& options) {
  const bool is_new = options.history.empty() ||
                      !std::filesystem::exists(store::Location::of(options.history).series());
  Bench bench(options.history.empty() ? options.folder + "/quantify-bench.db" : options.history,
              !options.history.empty());
  if (is_new) fill_history(options, bench);
  const int days = options.years * 365;
  std::vector<double> wall, cpu;
  for (int i = 0; i < 200; ++i) {
    const int meter = i * 7 % options.history_meters, hour = i * 839 % (days * 24);
    auto corrected = energy(meter, hour, 1);
    corrected.value +=
        1 + wall_seconds() * 1e-9;  // also new to a history that was corrected before
    const auto origin = bench.next_origin(kStart + 24h * (days + 400) + 1h * i);
    const auto began = wall_seconds();
    cpu.push_back(
        bench.take({Delivery{{"20", {}, {corrected}, {}}, origin}}, origin.received_at, true));
    wall.push_back(wall_seconds() - began);
  }
  print_times("late correction, to new KPI values, CPU:", cpu);
  print_times("late correction, to new KPI values, elapsed:", wall);
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
    if (name == "--history") options.history = argv[i + 1];
    if (name == "--group") options.group = static_cast<std::size_t>(std::atoi(argv[i + 1]));
    if (name == "--seed") options.seed = static_cast<unsigned>(std::atoi(argv[i + 1]));
  }
  if (!options.history.empty()) {
    corrections(options);
    return 0;
  }
  daily(options, false);
  hourly(options);
  daily(options, true);
  hourly_through(options);
  scattered(options);
  corrections(options);
  return 0;
}
