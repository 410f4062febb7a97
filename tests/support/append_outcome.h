// What tests of the ledger say again and again: who stages, and the receipt of what was appended.
#pragma once

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <variant>

#include "sample_envelopes.h"
#include "store/ledger.h"

namespace district::test {

inline const store::StagingLease kLease{"local", kNow + std::chrono::hours(1)};

inline Receipt receipt(const store::AppendOutcome& outcome) {
  BOOST_REQUIRE(std::holds_alternative<Receipt>(outcome));
  return std::get<Receipt>(outcome);
}

}  // namespace district::test
