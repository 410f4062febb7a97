#include "quantify/quantifier.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "observe/events.h"
#include "quantify/processor.h"
#include "store/database.h"
#include "store/inventory.h"

namespace district::quantify {
namespace {

using namespace std::chrono_literals;

constexpr auto kLookAround = 1s;  // without a wake(), since another process may have added work
constexpr auto kRetryMin = 200ms;
constexpr auto kRetryMax = 10s;

// The server's workers are at +5. A KPI that comes later costs nobody anything, but a receipt that
// comes later keeps its sender waiting. When a core is idle this changes nothing.
constexpr int kNicerThanWorkers = 10;

}  // namespace

struct Quantifier::Impl {
  Impl(QuantifierSettings given, std::unique_ptr<store::ArchiveDatabase> archive_database,
       std::unique_ptr<store::SeriesDatabase> series_database, const validate::Validator& validator,
       trust::Trust& trust, const Clock& clock)
      : settings(std::move(given)),
        archive(std::move(archive_database)),
        series(std::move(series_database)),
        processor(*archive, *series, settings, validator, trust, clock, stopping) {}

  const QuantifierSettings settings;
  const std::unique_ptr<store::ArchiveDatabase> archive;  // of the working thread
  const std::unique_ptr<store::SeriesDatabase> series;    // likewise
  std::atomic<bool> stopping = false;
  Processor processor;

  std::mutex monitor_mutex;
  std::unique_ptr<store::ArchiveDatabase> archive_monitor;  // for waiting()
  std::unique_ptr<store::SeriesDatabase> series_monitor;    // likewise

  std::thread thread;
  std::mutex mutex;
  std::condition_variable condition;
  bool woken = false;

  void run();
  void rest(std::chrono::milliseconds time);
};

void Quantifier::Impl::rest(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex);
  condition.wait_for(lock, time, [this] { return woken || stopping; });
  woken = false;
}

void Quantifier::Impl::run() {
  // On Linux this is for this thread only. If it fails, receipts may come later, but nothing else
  // is lost.
  static_cast<void>(!::nice(kNicerThanWorkers));
  std::chrono::milliseconds pause = kRetryMin;
  while (!stopping) {
    const auto done = processor.step();
    if (!done && stopping) return;
    if (!done) {
      observe::emit(observe::Level::error, "quantifier_waits",
                    {{"detail", done.error().detail}, {"retry_ms", pause.count()}});
      std::unique_lock lock(mutex);  // a wake() is no reason to try a broken disk sooner
      condition.wait_for(lock, pause, [this] { return stopping.load(); });
      pause = std::min<std::chrono::milliseconds>(pause * 2, kRetryMax);
      continue;
    }
    pause = kRetryMin;
    if (done->idle) rest(kLookAround);
  }
}

Quantifier::Quantifier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Quantifier::~Quantifier() { stop(); }

Result<std::unique_ptr<Quantifier>> Quantifier::open(QuantifierSettings settings,
                                                     const validate::Validator& validator,
                                                     trust::Trust& trust, const Clock& clock) {
  using store::OpenMode;
  const auto& location = settings.location;
  DISTRICT_TRY(auto archive, store::ArchiveDatabase::open(location, OpenMode::create));
  DISTRICT_TRY(auto series, store::SeriesDatabase::open(location, OpenMode::create));
  DISTRICT_TRY(auto archive_monitor, store::ArchiveDatabase::open(location, OpenMode::read_only));
  DISTRICT_TRY(auto series_monitor, store::SeriesDatabase::open(location, OpenMode::read_only));
  DISTRICT_TRY(const auto again, store::match_series(*archive, *series));
  if (again > 0) {
    observe::emit(observe::Level::warning, "series_made_anew",
                  {{"database", series->name()},
                   {"items", again},
                   {"detail", "measurements and KPI values are computed again from the archive"}});
  }
  auto impl = std::make_unique<Impl>(std::move(settings), std::move(archive), std::move(series),
                                     validator, trust, clock);
  DISTRICT_CHECK(impl->processor.remember_told());
  impl->archive_monitor = std::move(archive_monitor);
  impl->series_monitor = std::move(series_monitor);
  return std::unique_ptr<Quantifier>(new Quantifier(std::move(impl)));
}

void Quantifier::start() {
  impl_->thread = std::thread([this] { impl_->run(); });
}

void Quantifier::wake() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->woken = true;
  }
  impl_->condition.notify_all();
}

void Quantifier::stop() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->condition.notify_all();
  if (impl_->thread.joinable()) impl_->thread.join();
}

Result<std::uint64_t> Quantifier::run_until_idle() {
  std::uint64_t total = 0;
  while (true) {
    DISTRICT_TRY(const auto done, impl_->processor.step());
    if (done.idle) return total;
    total += done.items;
  }
}

Result<std::uint64_t> Quantifier::waiting() {
  const std::lock_guard lock(impl_->monitor_mutex);
  DISTRICT_TRY(const auto inventory,
               store::take_inventory(*impl_->archive_monitor, *impl_->series_monitor));
  return inventory.work_waiting;
}

}  // namespace district::quantify
