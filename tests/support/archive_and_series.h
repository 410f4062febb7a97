// An archive and a series that may belong together, or not.
#pragma once

#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>
#include <vector>

#include "engine.h"
#include "sample_envelopes.h"
#include "store/ledger.h"
#include "store/log_reader.h"
#include "store/series_writer.h"
#include "store/transaction.h"
#include "store/work_queue.h"
#include "temporary_folder.h"

namespace district::test {

struct Both {
  TemporaryFolder folder;
  store::Location location = new_location(folder);
  std::unique_ptr<store::ArchiveDatabase> archive = open_archive(location);
  std::unique_ptr<store::SeriesDatabase> series = open_series(location);
  store::WorkQueue queue{*archive, "here"};

  void append(unsigned number) {
    BOOST_REQUIRE(store::Ledger(*archive).append(std::vector{sample_envelope(number)}, kNow));
  }
  // As the quantifier does it, up to the point where the archive is told.
  store::SeriesMark store_work(std::uint64_t leaf_index) {
    auto transaction = store::SeriesTransaction::begin(*series).value();
    store::SeriesWriter writer(transaction);
    BOOST_REQUIRE(writer.begin_work(leaf_index));
    const auto head = store::LogReader(*archive).head().value();
    const auto mark = writer.end_work(std::vector{leaf_index}, head).value();
    BOOST_REQUIRE(transaction.commit());
    return mark;
  }
  void finish(std::uint64_t leaf_index) {
    BOOST_REQUIRE(queue.finish(std::vector{leaf_index}, store_work(leaf_index)));
  }
  Result<std::uint64_t> match() { return store::match_series(*archive, *series); }
};

inline std::string problem_of(const Result<std::uint64_t>& matched) {
  BOOST_REQUIRE(!matched);
  BOOST_TEST((matched.error().code == ErrorCode::archive_foreign));
  BOOST_TEST(matched.error().hint.find("computed anew") != std::string::npos);
  return matched.error().detail;
}

}  // namespace district::test
