#include "base/file.h"

#include <boost/test/unit_test.hpp>
#include <fstream>

#include "../support/temporary_folder.h"

using namespace district;

BOOST_AUTO_TEST_SUITE(files)

BOOST_AUTO_TEST_CASE(a_file_is_read_as_it_is_also_an_empty_or_a_long_one) {
  const test::TemporaryFolder folder;
  for (const std::size_t size : {0U, 1U, 16U * 1024, 16U * 1024 + 1, 100'000U}) {
    std::string written(size, 'x');
    if (size > 2) written[1] = '\0';
    std::ofstream(folder.file("some"), std::ios::binary) << written;
    const auto read = read_file(folder.file("some"), 100'000);
    BOOST_REQUIRE(read);
    BOOST_TEST((*read == written), size);
  }
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_read_says_which_and_why) {
  const test::TemporaryFolder folder;
  const auto missing = read_file(folder.file("missing"), 10);
  BOOST_REQUIRE(!missing);
  BOOST_TEST(missing.error().detail ==
             "cannot read " + folder.file("missing") + ": No such file or directory");
  BOOST_TEST((missing.error().code == ErrorCode::file_unreadable));
  const auto a_folder = read_file(folder.path(), 10);
  BOOST_REQUIRE(!a_folder);
  BOOST_TEST(a_folder.error().detail ==
             "cannot read " + folder.path().string() + ": Is a directory");
}

BOOST_AUTO_TEST_CASE(a_file_above_its_bound_is_refused_also_one_without_an_end) {
  const test::TemporaryFolder folder;
  const auto path = folder.file("some");
  std::ofstream(path, std::ios::binary) << std::string(20'000, 'x');
  BOOST_TEST(read_file(path, 20'000).value().size() == 20'000U);
  const auto above = read_file(path, 19'999);
  BOOST_REQUIRE(!above);
  BOOST_TEST((above.error().code == ErrorCode::file_unreadable));
  BOOST_TEST(above.error().detail ==
             path + " has more than 19999 octets, which is the most that is read of such a file");
  const auto endless = read_file("/dev/zero", limits::kSchemaFileBytesMax);
  BOOST_REQUIRE(!endless);
  BOOST_TEST(endless.error().detail.starts_with("/dev/zero has more than 1 MiB"));
  BOOST_TEST(read_file("/dev/null", 0).value().empty());
}

BOOST_AUTO_TEST_SUITE_END()
