// A transaction on the series that now and then makes way for other writers. Commands of
// administrators write there, too, and the write-ahead log grows as long as a transaction lasts.
// Private to quantify/. Threads: one at a time.
#pragma once

#include <chrono>
#include <functional>
#include <thread>
#include <utility>

#include "base/error.h"
#include "store/database.h"
#include "store/transaction.h"

namespace district::quantify {

class Turns {
 public:
  static Result<Turns> begin(store::SeriesDatabase& series) {
    DISTRICT_TRY(auto transaction, store::SeriesTransaction::begin(series));
    return Turns(std::move(transaction));
  }

  store::SeriesTransaction& transaction() { return transaction_; }
  Result<Ok> commit() { return transaction_.commit(); }
  Result<Ok> begin_again() {
    DISTRICT_CHECK(transaction_.begin_again());
    began_ = std::chrono::steady_clock::now();
    return Ok{};
  }
  // To be called between two steps. When its turn is over, it commits, calls `meanwhile` and begins
  // again. `meanwhile` may take the lock of the log, which must be taken before that of the series.
  Result<Ok> pause(const std::function<Result<Ok>()>& meanwhile) {
    if (std::chrono::steady_clock::now() - began_ < kTurnMax) return Ok{};
    DISTRICT_CHECK(commit());
    DISTRICT_CHECK(meanwhile());
    std::this_thread::sleep_for(kLetOthersWrite);
    return begin_again();
  }

 private:
  static constexpr std::chrono::milliseconds kTurnMax{100};
  // Time for other processes, which look for the lock only now and then.
  static constexpr std::chrono::milliseconds kLetOthersWrite{20};
  explicit Turns(store::SeriesTransaction transaction) : transaction_(std::move(transaction)) {}
  store::SeriesTransaction transaction_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

}  // namespace district::quantify
