// What every engine owes the stores: transactions, snapshots, statements.
#include <boost/test/unit_test.hpp>
#include <thread>
#include <vector>

#include "../support/engine.h"
#include "../support/sample_envelopes.h"
#include "store/archive_reader.h"
#include "store/ledger.h"
#include "store/read_snapshot.h"
#include "store/transaction.h"
#include "store/trust_store.h"

using namespace district;
using namespace district::store;
using district::test::kNow;
using district::test::sample_envelope;

namespace {

struct Place {
  test::TemporaryFolder folder;
  Location location = test::new_location(folder);
  std::unique_ptr<ArchiveDatabase> one = test::open_archive(location);
  std::unique_ptr<ArchiveDatabase> other = test::open_archive(location);

  static void raise_epoch(ArchiveDatabase& database) {
    BOOST_REQUIRE(database.execute("UPDATE trust_epoch SET epoch = epoch + 1"));
  }
  static std::uint64_t epoch(ArchiveDatabase& database) {
    return TrustStore(database).epoch().value();
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(transactions)

BOOST_FIXTURE_TEST_CASE(what_is_not_committed_is_undone, Place) {
  {
    const auto transaction = LogTransaction::begin(*one).value();
    raise_epoch(*one);
    BOOST_TEST(epoch(*one) == 1U);
    BOOST_TEST(epoch(*other) == 0U);
  }
  BOOST_TEST(epoch(*one) == 0U);
  auto transaction = LogTransaction::begin(*one).value();
  raise_epoch(*one);
  BOOST_REQUIRE(transaction.commit());
  BOOST_TEST(epoch(*other) == 1U);
}

BOOST_FIXTURE_TEST_CASE(one_writer_takes_over_from_another, Place) {
  constexpr int kTimes = 100;
  const auto raise = [](ArchiveDatabase& database) {
    for (int i = 0; i < kTimes; ++i) {
      auto transaction = LogTransaction::begin(database).value();
      const auto next = epoch(database) + 1;  // read and written under one lock
      auto row = database.prepare("UPDATE trust_epoch SET epoch = ?1").value();
      if (!row.bind(1, next).run() || !transaction.commit()) throw std::runtime_error("no commit");
    }
  };
  std::thread thread([&] { raise(*other); });
  raise(*one);
  thread.join();
  BOOST_TEST(epoch(*one) == 2U * kTimes);
}

BOOST_FIXTURE_TEST_CASE(a_snapshot_sees_nothing_of_what_is_committed_meanwhile, Place) {
  {
    const auto moment = ReadSnapshot::take(*one);
    BOOST_REQUIRE(moment);
    BOOST_REQUIRE(Ledger(*other).append(std::vector{sample_envelope(0)}, kNow));
    BOOST_TEST(ArchiveReader(*one).list({}).value().empty());
  }
  BOOST_TEST(ArchiveReader(*one).list({}).value().size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(several_statements_of_a_database_may_be_under_way, Place) {
  BOOST_REQUIRE(Ledger(*one).append(
      std::vector{sample_envelope(0), sample_envelope(1), sample_envelope(2)}, kNow));
  const auto* sql = "SELECT leaf_index FROM envelope ORDER BY leaf_index";
  auto outer = one->prepare(sql).value();
  std::vector<std::int64_t> seen;
  while (outer.step().value()) {
    auto inner = one->prepare(sql).value();
    while (inner.step().value()) seen.push_back(10 * outer.integer(0) + inner.integer(0));
  }
  BOOST_TEST(seen == (std::vector<std::int64_t>{0, 1, 2, 10, 11, 12, 20, 21, 22}),
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(what_a_statement_costs_is_counted_when_it_is_given_back, Place) {
  const auto before = one->steps();
  static_cast<void>(epoch(*one));
  const auto once = one->steps() - before;
  BOOST_TEST(once > 0U);
  static_cast<void>(epoch(*one));
  BOOST_TEST(one->steps() - before == 2 * once);
}

BOOST_AUTO_TEST_SUITE_END()
