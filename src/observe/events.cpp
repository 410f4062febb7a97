#include "observe/events.h"

#include <spdlog/details/file_helper.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace district::observe {
namespace {

constexpr auto kLoggerName = "district";

std::optional<spdlog::level::level_enum> level_named(std::string_view name) {
  if (name == "debug") return spdlog::level::debug;
  if (name == "info") return spdlog::level::info;
  if (name == "warning") return spdlog::level::warn;
  if (name == "error") return spdlog::level::err;
  return std::nullopt;
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

using LogFile = std::unique_ptr<spdlog::details::file_helper>;

// A file, or standard error; the one may take the place of the other while threads write.
class Destination final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  void go_to(LogFile file) {
    const std::lock_guard lock(mutex_);
    file_ = std::move(file);
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (file_) return file_->write(line);
    std::fwrite(line.data(), 1, line.size(), stderr);
  }
  void flush_() override {
    if (file_) return file_->flush();
    std::fflush(stderr);
  }

  LogFile file_;  // null: standard error
};

struct Log {
  std::shared_ptr<Destination> destination = std::make_shared<Destination>();
  spdlog::logger logger{kLoggerName, destination};

  Log() {
    logger.set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "%Y-%m-%dT%H:%M:%S.%eZ level=%l %v", spdlog::pattern_time_type::utc));
    // An event is worth more than the microseconds of a write: the last lines before a crash count.
    logger.flush_on(spdlog::level::debug);
  }
};

// Never destroyed: threads may write until the very end.
Log& the_log() {
  static Log* const log = new Log;
  return *log;
}

bool is_plain(unsigned char octet) {
  return (octet >= '0' && octet <= '9') || (octet >= 'a' && octet <= 'z') ||
         (octet >= 'A' && octet <= 'Z') ||
         std::string_view("._:/+@,-").find(static_cast<char>(octet)) != std::string_view::npos;
}

void append_escaped(std::string& out, unsigned char octet) {
  static constexpr char kDigits[] = "0123456789abcdef";
  if (octet == '"' || octet == '\\') {
    out += '\\';
    out += static_cast<char>(octet);
    return;
  }
  if (octet == '\n') {
    out += "\\n";
    return;
  }
  // Beyond ASCII too: C1 controls and changes of writing direction can disguise a line.
  if (octet < 0x20 || octet > 0x7e) {
    out += "\\x";
    out += kDigits[octet >> 4];
    out += kDigits[octet & 0xf];
    return;
  }
  out += static_cast<char>(octet);
}

void append_field(std::string& line, std::string_view name, std::string_view value) {
  line += ' ';
  line += name;
  line += '=';
  line += escape_value(value);
}

std::int64_t milliseconds(std::chrono::microseconds elapsed) { return elapsed.count() / 1000; }

}  // namespace

Result<Ok> start_log(const LogSettings& settings) {
  const auto level = level_named(settings.level);
  if (!level) {
    return fail(ErrorCode::config_invalid, "unknown log level " + settings.level,
                "levels are debug, info, warning and error");
  }
  try {
    LogFile file;
    if (!settings.file.empty()) {
      file = std::make_unique<spdlog::details::file_helper>();
      file->open(settings.file.string());
    }
    the_log().destination->go_to(std::move(file));
    the_log().logger.set_level(*level);
  } catch (const spdlog::spdlog_ex& error) {
    return fail(ErrorCode::file_unreadable,
                "cannot write the log file " + settings.file.string() + ": " + error.what(),
                "set log.file to a file in a folder that this user may write to");
  }
  return Ok{};
}

void emit(Level level, std::string_view event, std::initializer_list<Field> fields) {
  auto& logger = the_log().logger;
  if (!logger.should_log(to_spdlog(level))) return;
  std::string line = "event=";
  line += event;
  for (const auto& field : fields) append_field(line, field.name, field.value);
  // As an argument, so that braces in it are not taken for a format.
  logger.log(to_spdlog(level), "{}", line);
}

void emit(const EnvelopeAccepted& event) {
  emit(Level::info, "envelope_accepted",
       {{"receipt_id", event.receipt_id},
        {"tenant", event.tenant},
        {"messages", event.message_count},
        {"octets", event.octets},
        {"leaf_index", event.leaf_index},
        {"peer", event.peer},
        {"elapsed_ms", milliseconds(event.elapsed)}});
}

void emit(const EnvelopeRejected& event) {
  const auto code = static_cast<unsigned>(event.code);
  // What a sender can cause is no fault of ours; what only we can cause is.
  const bool ours = code >= 4000;
  emit(ours ? Level::error : Level::info, "envelope_rejected",
       {{"rejection_id", event.rejection_id},
        {"code", code},
        {"stage", stage_of(event.code)},
        {"sender", event.sender},
        {"peer", event.peer},
        {"elapsed_ms", milliseconds(event.elapsed)},
        {"detail", event.detail}});
}

std::string_view stage_of(ErrorCode code) {
  static constexpr std::array<std::string_view, 10> kStages = {
      "",         "receive", "verify", "validate", "archive", "acknowledge",
      "quantify", "gateway", "admin",  "server"};
  return kStages.at(std::min<std::size_t>(static_cast<std::size_t>(code) / 1000, 9));
}

std::string escape_value(std::string_view text) {
  const bool plain = !text.empty() && text.size() <= kValueBytesMax &&
                     std::all_of(text.begin(), text.end(),
                                 [](char c) { return is_plain(static_cast<unsigned char>(c)); });
  if (plain) return std::string(text);
  std::string out = "\"";
  for (const char c : text.substr(0, kValueBytesMax)) {
    append_escaped(out, static_cast<unsigned char>(c));
  }
  if (text.size() > kValueBytesMax) out += "...";
  out += '"';
  return out;
}

}  // namespace district::observe
