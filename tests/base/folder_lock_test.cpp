#include "base/folder_lock.h"

#include <boost/test/unit_test.hpp>
#include <optional>

#include "../support/temporary_folder.h"

using namespace district;

BOOST_AUTO_TEST_SUITE(folder_locks)

BOOST_AUTO_TEST_CASE(a_folder_is_one_holders_until_it_is_given_back) {
  const test::TemporaryFolder folder;
  const std::filesystem::path path = std::filesystem::path(folder.file("x")).parent_path();
  std::optional<FolderLock> held;
  {
    auto first = FolderLock::take(path);
    BOOST_REQUIRE(first);
    held.emplace(std::move(*first));
  }
  const auto second = FolderLock::take(path);
  BOOST_REQUIRE(!second);
  BOOST_TEST((second.error().code == ErrorCode::data_in_use));
  BOOST_TEST(second.error().detail.find(path.string()) != std::string::npos);
  held.reset();
  BOOST_TEST(FolderLock::take(path).has_value());
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_not_there_is_named) {
  const test::TemporaryFolder folder;
  const auto missing = FolderLock::take(folder.file("missing"));
  BOOST_REQUIRE(!missing);
  BOOST_TEST((missing.error().code == ErrorCode::archive_unavailable));
  BOOST_TEST(missing.error().detail.find("No such file or directory") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
