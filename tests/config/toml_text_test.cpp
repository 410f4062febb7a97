#include "config/toml_text.h"

#include <boost/test/unit_test.hpp>
#include <fstream>

#include "../support/temporary_folder.h"
#include "base/file.h"
#include "config/config.h"
#include "config/site_file.h"
#include "config/standards_file.h"
#include "config/tenant_file.h"

using namespace district;

namespace {

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

// Each nests so deep that toml++ would exhaust the stack, or would once it got to free it.
const std::vector<std::string> kTooDeep{
    "a" + repeated(".a", 50'000) + " = 1\n",
    "[a" + repeated(".a", 50'000) + "]\n",
    "[[a" + repeated(" . a", 50'000) + "]]\n",
    "x = 1\n\"a\"" + repeated(".\"b.c\"", 50'000) + " = 1\n",
    "'a'" + repeated(".'b'", 20) + " = 1\n",
    "a = " + repeated("[", 50'000) + "\n",
    "a = " + repeated("{a = ", 50'000) + "\n",
    "a = " + repeated("[{a = ", 10) + "\n",
    "a = {b" + repeated(".b", 100) + " = 1}\n",
    "# don't\na" + repeated(".a", 100) + " = 1\n",
    "a = \"\"\"\nit's\"\"\"\"\"\nb" + repeated(".b", 100) + " = 1\n",
    "a = '''\n\"'''\nb" + repeated(".b", 100) + " = 1\n",
    "a = \"\\\\\"\nb" + repeated(".b", 100) + " = 1\n",
    "a = ''\nb" + repeated(".b", 100) + " = 1\n",
    "a = \"\"\nb" + repeated(".b", 100) + " = 1\n",
};

// What looks deep and is not.
const std::vector<std::string> kShallow{
    "a = \"" + repeated(".", 1000) + repeated("[", 1000) + "\"\n",
    "a = '" + repeated("{.", 1000) + "'\n",
    "# " + repeated(".[", 1000) + "\na = 1\n",
    "a = \"\"\"\n" + repeated("\".['\n", 1000) + "\"\"\"\n",
    "a = '''" + repeated("'\"\"\".[\n", 1000) + "'''\n",
    "a = \"\\\"" + repeated(".", 1000) + "\"\n",
    "a = \"\"\"\\\n   " + repeated(".", 1000) + "\"\"\"\n",
    "a = [" + repeated("[1.5, 2.5], ", 1000) + "]\n",
    repeated("[[a]]\nb.c = 1.5\n", 1000),
    "a = \"\"\"x\"\"\"\"\"\nb = " + repeated("[", 10) + repeated("]", 10) + "\n",
};

}  // namespace

BOOST_AUTO_TEST_SUITE(toml_text)

BOOST_AUTO_TEST_CASE(what_nests_too_deep_is_refused_before_it_is_read) {
  for (const auto& text : kTooDeep) {
    const auto table = config::parse_toml(text, "some.toml");
    BOOST_REQUIRE_MESSAGE(!table, text.substr(0, 60));
    BOOST_TEST((table.error().code == ErrorCode::config_invalid));
    BOOST_TEST(table.error().detail.find(" more than 16 ") != std::string::npos,
               table.error().detail.substr(0, 200));
  }
  const auto third = config::parse_toml("\n\na" + repeated(".a", 20) + " = 1\n", "some.toml");
  BOOST_REQUIRE(!third);
  BOOST_TEST(third.error().detail == "some.toml line 3: a key has more than 16 parts");
}

BOOST_AUTO_TEST_CASE(what_only_looks_deep_is_read) {
  for (const auto& text : kShallow) {
    const auto table = config::parse_toml(text, "some.toml");
    BOOST_TEST(table.has_value(),
               text.substr(0, 60) + ": " + (table ? std::string() : table.error().detail));
  }
  BOOST_TEST(config::parse_toml("a" + repeated(".a", 15) + " = 1\n", "some.toml").has_value());
}

BOOST_AUTO_TEST_CASE(every_toml_file_has_the_bounds) {
  const test::TemporaryFolder folder;
  const auto deep = folder.file("deep.toml"), large = folder.file("large.toml");
  std::ofstream(deep) << kTooDeep.front();
  std::ofstream(large) << repeated("# 32 octets that say nothing.....\n",
                                   limits::kTomlFileBytesMax / 32);
  const auto complaint = [](const auto& result) {
    BOOST_REQUIRE(!result);
    return result.error().detail;
  };
  for (const auto& path : {deep, large, std::string("/dev/zero")}) {
    const auto expected =
        path + (path == deep
                    ? "LINE1: a key has more than 16 parts"
                    : " has more than 4 MiB, which is the most that is read of such a file");
    const auto with = [&expected](const char* line) {
      auto text = expected;
      if (const auto at = text.find("LINE"); at != std::string::npos) text.replace(at, 4, line);
      return text;
    };
    BOOST_TEST(complaint(config::load(path)) == with(":"));
    BOOST_TEST(complaint(config::load_tenant_file(path)) == with(" line "));
    BOOST_TEST(complaint(config::load_site_file(path)) == with(" line "));
    BOOST_TEST(complaint(config::load_standards(path)) == with(" line "));
  }
}

BOOST_AUTO_TEST_SUITE_END()
