#include "validate/content_folder.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "../support/temporary_folder.h"
#include "validate/content_schema.h"
#include "xml/schema.h"

using namespace district;

namespace {

std::string schema_of_the_project(const char* name) {
  std::ifstream file(std::string(DISTRICT_SOURCE_DIR) + "/xsd/content/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

}  // namespace

BOOST_AUTO_TEST_SUITE(content_folder)

BOOST_AUTO_TEST_CASE(a_schema_in_the_folder_becomes_part_of_the_contract) {
  const test::TemporaryFolder folder;
  BOOST_TEST(validate::add_content_folder(folder.file("none")).value() == 0U);
  write(folder.file("901-001.xsd"), schema_of_the_project("001-001.xsd"));
  const auto file = validate::add_content_folder(folder.file("901-001.xsd"));
  BOOST_REQUIRE(!file);
  BOOST_TEST((file.error().code == ErrorCode::file_unreadable));
  const auto added =
      validate::add_content_folder(std::filesystem::path(folder.file("901-001.xsd")).parent_path());
  BOOST_REQUIRE(added);
  BOOST_TEST(*added == 1U);
  BOOST_TEST(xml::contract_file("content/901-001.xsd").has_value());
  BOOST_TEST(xml::published_contract_file("content/901-001.xsd", "https://x")->find("?xsd=types") !=
             std::string::npos);
  const auto names = xml::contract_files();
  BOOST_TEST(std::count(names.begin(), names.end(), "content/901-001.xsd") == 1);
}

BOOST_AUTO_TEST_CASE(a_schema_that_is_there_already_or_makes_no_sense_is_refused) {
  const test::TemporaryFolder there, senseless;
  write(there.file("001-001.xsd"), schema_of_the_project("001-001.xsd"));
  BOOST_TEST(!validate::add_content_folder(std::filesystem::path(there.file("x")).parent_path()));
  write(senseless.file("902-001.xsd"), "<schema/>");
  BOOST_TEST(
      !validate::add_content_folder(std::filesystem::path(senseless.file("x")).parent_path()));
}

BOOST_AUTO_TEST_SUITE_END()
