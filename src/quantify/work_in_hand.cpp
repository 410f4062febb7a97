#include "quantify/work_in_hand.h"
#include "store/transaction.h"

namespace district::quantify {
namespace {

// When a node is gone, another may take over its work at the end of the lease. While the work goes
// on, the lease is renewed.
constexpr Duration kLease = std::chrono::seconds(60);
constexpr std::chrono::seconds kRenewal{20};

}  // namespace

Result<Ok> WorkInHand::remember_told() {
  DISTRICT_TRY(const auto done, store::SeriesReader(series_).done_work());
  for (const auto leaf_index : done) {
    DISTRICT_TRY(const bool waiting, queue_.is_waiting(leaf_index));
    if (!waiting) told_.push_back(leaf_index);
  }
  return Ok{};
}

Result<std::vector<std::uint64_t>> WorkInHand::take(std::size_t limit) {
  DISTRICT_TRY(leased_, queue_.take(limit, clock_.now(), kLease));
  renewed_ = std::chrono::steady_clock::now();
  forgetting_ = 0;
  return leased_;
}

Result<Ok> WorkInHand::keep_lease() {
  const auto now = std::chrono::steady_clock::now();
  if (now - renewed_ < kRenewal) return Ok{};
  DISTRICT_TRY(const bool held, queue_.extend(leased_, clock_.now(), kLease));
  if (!held) {
    return fail(ErrorCode::archive_unavailable, "another node has taken over the work at hand",
                "is the clock of this machine right?");
  }
  renewed_ = now;
  return Ok{};
}

Result<bool> WorkInHand::was_done(std::uint64_t leaf_index) {
  store::SeriesReader stored(series_);
  DISTRICT_TRY(const bool done, stored.is_done(leaf_index));
  if (!done) return false;
  DISTRICT_TRY(const auto mark, stored.mark());
  DISTRICT_CHECK(finish(std::span(&leaf_index, 1), mark));
  return true;
}

Result<Ok> WorkInHand::finish(std::span<const std::uint64_t> leaf_indexes,
                              const store::SeriesMark& mark) {
  DISTRICT_CHECK(queue_.finish(leaf_indexes, mark));
  told_.erase(told_.begin(), told_.begin() + static_cast<std::ptrdiff_t>(forgetting_));
  forgetting_ = 0;
  told_.insert(told_.end(), leaf_indexes.begin(), leaf_indexes.end());
  for (const auto leaf_index : leaf_indexes) let_go(leaf_index);
  return Ok{};
}

Result<Ok> WorkInHand::forget_told(store::SeriesWriter& writer) {
  DISTRICT_CHECK(writer.forget_work(told_));
  forgetting_ = told_.size();
  return Ok{};
}

Result<Ok> WorkInHand::forget_told() {
  if (told_.empty()) return Ok{};
  DISTRICT_TRY(auto transaction, store::SeriesTransaction::begin(series_));
  DISTRICT_CHECK(store::SeriesWriter(transaction).forget_work(told_));
  DISTRICT_CHECK(transaction.commit());
  told_.clear();
  forgetting_ = 0;
  return Ok{};
}

}  // namespace district::quantify
