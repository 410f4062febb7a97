#include "store/matched_snapshots.h"

#include <chrono>
#include <thread>

#include "store/work_queue.h"

namespace district::store {
namespace {

constexpr int kAttempts = 200;
constexpr auto kBetween = std::chrono::milliseconds(25);

// The series may be ahead of the archive, never behind it: its moment is the later one.
Result<bool> agree(ArchiveDatabase& archive, SeriesDatabase& series) {
  DISTRICT_TRY(const auto done, SeriesReader(series).done_work());
  WorkQueue queue(archive, {});
  for (const auto leaf_index : done) {
    DISTRICT_TRY(const bool waiting, queue.is_waiting(leaf_index));
    if (waiting) return false;
  }
  return true;
}

}  // namespace

Result<MatchedSnapshots> MatchedSnapshots::take(ArchiveDatabase& archive, SeriesDatabase& series) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    DISTRICT_TRY(auto of_archive, ReadSnapshot::take(archive));
    DISTRICT_TRY(auto of_series, ReadSnapshot::take(series));
    DISTRICT_TRY(const auto finished, WorkQueue(archive, {}).finished_into());
    DISTRICT_TRY(const auto mark, SeriesReader(series).mark());
    const bool ours = finished.identity.empty() ||
                      (finished.identity == mark.identity && finished.commits <= mark.commits);
    if (!ours) break;
    DISTRICT_TRY(const bool agreed, agree(archive, series));
    if (agreed) return MatchedSnapshots(std::move(of_archive), std::move(of_series));
    std::this_thread::sleep_for(kBetween);
  }
  return fail(ErrorCode::archive_unavailable,
              series.name() + " does not hold what " + archive.name() + " says is computed",
              "start districtd, which makes the two agree or says what is wrong; if it runs, try "
              "again");
}

}  // namespace district::store
