#include <boost/test/unit_test.hpp>

#include <unistd.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "observe/events.h"

using namespace district;

BOOST_AUTO_TEST_SUITE(events)

BOOST_AUTO_TEST_CASE(plain_words_stay_as_they_are) {
  BOOST_TEST(observe::escape_value("01JDABC") == "01JDABC");
  BOOST_TEST(observe::escape_value("192.0.2.1:443") == "192.0.2.1:443");
}

BOOST_AUTO_TEST_CASE(a_value_cannot_forge_a_field_or_a_line) {
  BOOST_TEST(observe::escape_value("") == "\"\"");
  BOOST_TEST(observe::escape_value("a code=1") == "\"a code=1\"");
  BOOST_TEST(observe::escape_value("a\" code=1") == "\"a\\\" code=1\"");
  BOOST_TEST(observe::escape_value("a\nevent=x") == "\"a\\nevent=x\"");
  BOOST_TEST(observe::escape_value("a\\") == "\"a\\\\\"");
  BOOST_TEST(observe::escape_value(std::string("\x1b[2J\0", 5)) == "\"\\x1b[2J\\x00\"");
  BOOST_TEST(observe::escape_value("\xe2\x80\xae") == "\"\\xe2\\x80\\xae\"");
}

BOOST_AUTO_TEST_CASE(a_value_is_bounded) {
  const auto text = observe::escape_value(std::string(100'000, 'x'));
  BOOST_TEST(text.size() == observe::kValueBytesMax + 5);
  BOOST_TEST(text.ends_with("...\""));
}

BOOST_AUTO_TEST_CASE(an_event_is_one_line_in_utc_with_its_fields) {
  const auto file = std::filesystem::temp_directory_path() /
                    ("district-observe-" + std::to_string(::getpid()) + ".log");
  BOOST_REQUIRE(observe::start_log({"info", file}));
  observe::emit(observe::EnvelopeRejected{.rejection_id = "01JD",
                                          .code = ErrorCode::signature_failed,
                                          .peer = "127.0.0.1",
                                          .sender = {},
                                          .detail = "{} %s\nevent=forged",
                                          .elapsed = std::chrono::microseconds(2500)});
  observe::emit(observe::Level::debug, "not_written", {});
  BOOST_REQUIRE(observe::start_log({}));

  std::ifstream in(file);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::filesystem::remove(file);
  BOOST_TEST_REQUIRE(text.size() > 25u);
  BOOST_TEST(
      text.substr(23, text.size() - 23) ==
      "Z level=info event=envelope_rejected rejection_id=01JD code=2007 stage=verify sender=\"\" "
      "peer=127.0.0.1 elapsed_ms=2 detail=\"{} %s\\nevent=forged\"\n");
}

// logrotate renames the file, then sends SIGHUP.
BOOST_AUTO_TEST_CASE(a_renamed_file_is_left_and_no_line_is_lost_or_torn) {
  namespace fs = std::filesystem;
  const auto file =
      fs::temp_directory_path() / ("district-rotate-" + std::to_string(::getpid()) + ".log");
  constexpr int kThreads = 4, kLines = 2000, kRotations = 5;
  const auto old = [&](int i) { return fs::path(file.string() + "." + std::to_string(i)); };
  BOOST_REQUIRE(observe::start_log({"info", file}));
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < kLines; ++i) {
        observe::emit(observe::Level::info, "written", {{"thread", t}, {"line", i}});
      }
    });
  }
  for (int i = 0; i < kRotations; ++i) {
    fs::rename(file, old(i));
    BOOST_REQUIRE(observe::start_log({"info", file}));
  }
  for (auto& thread : threads) thread.join();
  // A destination that cannot be opened leaves all as it was.
  BOOST_TEST(!observe::start_log({"info", "/proc/no-such-folder/log"}));
  observe::emit(observe::Level::info, "last", {});
  // So does another level, which holds at once.
  BOOST_REQUIRE(observe::start_log({"error", file}));
  observe::emit(observe::Level::info, "unwanted", {});
  BOOST_REQUIRE(observe::start_log({}));

  int lines = 0;
  std::string last;
  for (int i = 0; i <= kRotations; ++i) {
    std::ifstream in(i < kRotations ? old(i) : file);
    for (std::string line; std::getline(in, line); last = line) {
      if (line.find(" event=written thread=") != std::string::npos) ++lines;
    }
    in.close();
    fs::remove(i < kRotations ? old(i) : file);
  }
  BOOST_TEST(lines == kThreads * kLines);
  BOOST_TEST(last.ends_with("event=last"));
}

BOOST_AUTO_TEST_CASE(a_log_that_cannot_be_written_is_an_error_with_a_hint) {
  const auto result = observe::start_log({"info", "/proc/no-such-folder/log"});
  BOOST_REQUIRE(!result);
  BOOST_TEST((result.error().code == ErrorCode::file_unreadable));
  BOOST_TEST(!result.error().hint.empty());
  BOOST_TEST((observe::start_log({"loud", {}}).error().code == ErrorCode::config_invalid));
}

BOOST_AUTO_TEST_SUITE_END()
