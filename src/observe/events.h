// What the server says of itself while it runs: one line for each event, key=value, UTC.
//   2026-11-20T10:15:00.123Z level=info event=envelope_accepted receipt_id=01JD... tenant=10
// Values that a peer supplied cannot forge a line or a field: they are escaped and cut off.
// Threads: any.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/error.h"

namespace district::observe {

enum class Level : std::uint8_t { debug, info, warning, error };

struct LogSettings {
  std::string level = "info";  // debug, info, warning, error
  std::filesystem::path file;  // appended to; empty: standard error
};

// Until then events from info on go to standard error. Called again, it opens the file anew.
// Errors, after which all is as it was: config_invalid (level), file_unreadable (cannot write).
Result<Ok> start_log(const LogSettings& settings);

struct Field {
  Field(std::string_view field_name, std::string_view text) : name(field_name), value(text) {}
  Field(std::string_view field_name, const std::string& text) : name(field_name), value(text) {}
  Field(std::string_view field_name, const char* text) : name(field_name), value(text) {}
  Field(std::string_view field_name, std::integral auto number)
      : name(field_name), value(std::to_string(number)) {}

  std::string_view name;  // a word of ours: snake_case, with the unit last
  std::string value;
};

// Any event: emit(Level::info, "group_committed", {{"envelopes", count}}).
void emit(Level level, std::string_view event, std::initializer_list<Field> fields);

// An envelope is durable and its receipt is on the way.
struct EnvelopeAccepted {
  std::string_view receipt_id;
  std::string_view tenant;
  std::string_view peer;
  std::uint64_t message_count = 0;
  std::uint64_t leaf_index = 0;
  std::size_t octets = 0;
  std::chrono::microseconds elapsed{};
};
void emit(const EnvelopeAccepted& event);

// A request was answered with a fault. The sender knows the rejection by its id.
struct EnvelopeRejected {
  std::string_view rejection_id;
  ErrorCode code = ErrorCode::internal;
  std::string_view peer;
  std::string_view sender;  // hex SHA-256 of the certificate, only when authenticated; else empty
  std::string_view detail;
  std::chrono::microseconds elapsed{};
};
void emit(const EnvelopeRejected& event);

// The stage that an error code belongs to: "receive" for 1xxx and so on.
std::string_view stage_of(ErrorCode code);

// `text` as the value of a field: as it is when it is a plain word, else in quotes, with every
// octet outside printable ASCII, quotes and backslashes escaped; at most kValueBytesMax octets of
// it, then "...".
inline constexpr std::size_t kValueBytesMax = 1024;
std::string escape_value(std::string_view text);

}  // namespace district::observe
