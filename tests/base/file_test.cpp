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
    const auto read = read_file(folder.file("some"));
    BOOST_REQUIRE(read);
    BOOST_TEST((*read == written), size);
  }
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_read_says_which_and_why) {
  const test::TemporaryFolder folder;
  const auto missing = read_file(folder.file("missing"));
  BOOST_REQUIRE(!missing);
  BOOST_TEST(missing.error().detail ==
             "cannot read " + folder.file("missing") + ": No such file or directory");
  BOOST_TEST((missing.error().code == ErrorCode::file_unreadable));
  const auto a_folder = read_file(folder.path());
  BOOST_REQUIRE(!a_folder);
  BOOST_TEST(a_folder.error().detail ==
             "cannot read " + folder.path().string() + ": Is a directory");
}

BOOST_AUTO_TEST_SUITE_END()
