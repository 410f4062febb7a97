#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "observe/events.h"
#include "server/refusals.h"
#include "server/server.h"

using namespace district;
using namespace std::chrono_literals;

namespace {

struct Counted final : server::Application {
  void post(receive::HttpRequest, std::unique_ptr<pipeline::Requester>) override {}
  HttpResponse refuse(const Error&, std::string_view type, std::string_view) override {
    const auto id = "id" + std::to_string(++made);
    return {503, std::string(type), "<fault/>", 5, {}, id};
  }
  std::optional<std::string_view> document(std::string_view) const override { return {}; }
  int made = 0;
};

// What is logged goes to a file for as long as it lives.
struct Log {
  Log() { BOOST_REQUIRE(observe::start_log({"info", file})); }
  ~Log() {
    BOOST_CHECK(observe::start_log({}));
    std::filesystem::remove(file);
  }
  std::string text() const {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  const std::filesystem::path file = std::filesystem::temp_directory_path() /
                                     ("district-refusals-" + std::to_string(::getpid()) + ".log");
};

}  // namespace

BOOST_AUTO_TEST_SUITE(refusals)

BOOST_AUTO_TEST_CASE(one_fault_a_second_and_version_is_given_to_all_and_counted_in_the_log) {
  const Log log;
  Counted application;
  server::Refusals refusals;
  const Error busy{ErrorCode::overloaded, "", "", {}, {}};
  const server::Refusals::Clock::time_point begin(1h);
  const auto give = [&](const char* type, std::chrono::milliseconds at) {
    return refusals.give(application, busy, type, "192.0.2.1", begin + at);
  };
  const auto first = give("text/xml", 0ms);
  for (int i = 1; i < 1000; ++i) BOOST_TEST(give("text/xml", 0ms + i * 1ms) == first);
  BOOST_TEST(give("application/soap+xml", 500ms)->content_type == "application/soap+xml");
  BOOST_TEST(application.made == 2);
  BOOST_TEST(log.text().find("requests_refused") == std::string::npos);

  BOOST_TEST(give("text/xml", 1000ms)->rejection_id == "id3");
  BOOST_TEST(log.text().find("event=requests_refused rejection_id=id1 count=1000\n") !=
             std::string::npos);
  // What comes last is not forgotten either.
  refusals.report(begin + 1400ms);
  BOOST_TEST(log.text().find("rejection_id=id2") == std::string::npos);
  refusals.report(begin + 1500ms);
  BOOST_TEST(log.text().find("rejection_id=id2 count=1\n") != std::string::npos);
  refusals.report(begin + 1h);
  BOOST_TEST(log.text().find("rejection_id=id3 count=1\n") != std::string::npos);
  refusals.report(begin + 2h);
  BOOST_TEST(give("text/xml", 3h)->rejection_id == "id4");
}

BOOST_AUTO_TEST_SUITE_END()
