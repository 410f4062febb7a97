#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "fixture.h"
#include "observe/events.h"

using namespace district;
using namespace district::quantify::testing;

BOOST_AUTO_TEST_SUITE(zone_unknown)

BOOST_AUTO_TEST_CASE(a_zone_that_is_none_is_told_once_for_all_its_meters) {
  const auto file = std::filesystem::temp_directory_path() /
                    ("district-zone-" + std::to_string(::getpid()) + ".log");
  BOOST_REQUIRE(observe::start_log({"info", file}));
  for (int engine = 0; engine < 2; ++engine) {  // each work item has one of its own
    Scratch scratch;
    for (const char* source : {"A", "B", "C"}) {
      auto value = energy("2018-06-01T00:00:00Z", "2018-06-01T01:00:00Z", 1);
      value.source = source;
      scratch.send("2018-06-02", {value}, {fact(source, "", "zone", "Mars/Olympus")});
    }
    scratch.send("2018-06-03", {}, {fact("A", "", "zone", "Europe/Nowhere")});
  }
  BOOST_REQUIRE(observe::start_log({}));
  std::ifstream in(file);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::filesystem::remove(file);
  const auto count = [&](std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
  };
  BOOST_TEST(count("event=zone_unknown tenant=20 zone=Mars/Olympus ") == 1U);
  BOOST_TEST(count("event=zone_unknown tenant=20 zone=Europe/Nowhere ") == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
