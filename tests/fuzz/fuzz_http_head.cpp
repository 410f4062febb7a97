// Heads and chunks in different pieces; what the server makes of a head against a plain reading of
// its lines; chunks against Beast's parser.
// Input: a request's octets, or "chunks:" and a chunked body.
#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <charconv>
#include <map>
#include <optional>

#include "fuzz_target.h"
#include "server/chunk_decoder.h"
#include "server/head_scanner.h"
#include "server/request_head.h"

namespace district::fuzz {
namespace {

namespace http = boost::beast::http;
using server::ChunkDecoder;
using server::HeadScanner;
using Status = ChunkDecoder::Status;

constexpr std::size_t kHeadOctetsMax = 4096, kBodyOctetsMax = 5000, kOverheadOctetsMax = 300;

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

// -- heads ----------------------------------------------------------------------------------------

HeadScanner scanned(std::string_view text, std::mt19937* cuts) {
  HeadScanner scanner(kHeadOctetsMax);
  while (!text.empty()) {
    const auto piece = text.substr(0, cuts != nullptr ? 1 + (*cuts)() % 9 : text.size());
    text.remove_prefix(piece.size());
    scanner.feed(piece);
  }
  return scanner;
}

struct Lines {
  std::string first;
  std::multimap<std::string, std::string> fields;
};

// The scanner has found the lines to be well-formed.
Lines lines_of(std::string_view head) {
  Lines lines;
  lines.first = head.substr(0, head.find("\r\n"));
  head.remove_prefix(lines.first.size() + 2);
  while (!head.starts_with("\r\n")) {
    const auto line = head.substr(0, head.find("\r\n"));
    const auto colon = line.find(':');
    std::string value(line.substr(colon + 1));
    value.erase(0, value.find_first_not_of(" \t"));
    value.erase(value.find_last_not_of(" \t") + 1);
    lines.fields.emplace(lower(line.substr(0, colon)), value);
    head.remove_prefix(line.size() + 2);
  }
  return lines;
}

// nullopt: in doubt. A body with its length, or chunked.
struct Framing {
  bool chunked = false;
  std::uint64_t length = 0;
};
std::optional<Framing> framing_of(const Lines& lines) {
  const auto lengths = lines.fields.count("content-length");
  const auto codings = lines.fields.count("transfer-encoding");
  if (lengths + codings > 1) return std::nullopt;
  Framing framing;
  if (codings == 1) {
    framing.chunked = true;
    const bool known = lower(lines.fields.find("transfer-encoding")->second) == "chunked";
    return known && lines.first.ends_with("HTTP/1.1") ? std::optional(framing) : std::nullopt;
  }
  if (lengths == 1) {
    const auto& text = lines.fields.find("content-length")->second;
    const auto* end = text.data() + text.size();
    const auto [last, error] = std::from_chars(text.data(), end, framing.length);
    if (text.empty() || error != std::errc() || last != end) return std::nullopt;
  }
  return framing;
}

std::string_view only_value(const Lines& lines, const char* name) {
  const auto found = lines.fields.find(name);
  return found == lines.fields.end() ? std::string_view() : std::string_view(found->second);
}

void check_head(std::string_view text, std::mt19937& numbers) {
  const auto whole = scanned(text, nullptr);
  const auto pieces = scanned(text, &numbers);
  require(whole.refused() == pieces.refused() && whole.complete() == pieces.complete() &&
              whole.octets() == pieces.octets(),
          "the scanner differs with the pieces");
  if (!whole.complete() || whole.refused() != 0) return;

  text = text.substr(0, whole.octets());
  require(text.ends_with("\r\n\r\n") && text.find("\r\n\r\n") + 4 == text.size(),
          "the head's end is not its first empty line");
  const auto head = server::parse_head(text);
  const auto lines = lines_of(text);
  const auto framing = framing_of(lines);
  require(framing.has_value() || head.refused == 400, "framing in doubt is let through");
  for (const char* name :
       {"host", "content-type", "content-encoding", "soapaction", "expect", "authorization"}) {
    require(lines.fields.count(name) <= 1 || head.refused == 400,
            std::string(name) + " twice is let through");
  }
  require(head.refused == 400 || lines.fields.contains("host") || lines.first.ends_with("HTTP/1.0"),
          "no Host is let through");
  if (head.refused == 400) return;
  require(head.chunked == framing->chunked && head.content_length == framing->length,
          "the framing is another");
  require(head.has_body == (framing->chunked || framing->length > 0), "has_body");
  if (head.refused != 0) return;
  require(head.content_type == only_value(lines, "content-type") &&
              head.content_encoding == only_value(lines, "content-encoding") &&
              head.soap_action == only_value(lines, "soapaction") &&
              head.authorization == only_value(lines, "authorization"),
          "a field's value is another");
  require(head.is_post == lines.first.starts_with("POST "), "is_post");
}

// -- chunks ---------------------------------------------------------------------------------------

struct Decoded {
  Status status;
  std::size_t used = 0;
  std::string body;
};

Decoded decoded(std::string_view text, std::mt19937* cuts) {
  ChunkDecoder decoder(kBodyOctetsMax, kOverheadOctetsMax);
  Decoded result{Status::more, 0, {}};
  std::vector<std::byte> room(kBodyOctetsMax);
  while (decoder.status() == Status::more && result.used < text.size()) {
    const auto in = text.substr(result.used, cuts != nullptr ? 1 + (*cuts)() % 7 : text.size());
    const auto out = std::span(room).first(cuts != nullptr ? 1 + (*cuts)() % 5 : room.size());
    const auto step = decoder.decode(in, out);
    require(step.used <= in.size() && step.decoded <= out.size(), "more than there is");
    require(step.used > 0, "no progress");
    result.used += step.used;
    result.body.append(reinterpret_cast<const char*>(out.data()), step.decoded);
  }
  result.status = decoder.status();
  return result;
}

void check_against_beast(std::string_view text, const Decoded& ours) {
  http::request_parser<http::string_body> parser;
  parser.eager(true);
  parser.body_limit(kBodyOctetsMax);
  const std::string whole =
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(text);
  boost::system::error_code error;
  std::size_t used = 0;
  // It stops where it wants to see a whole line, and goes on when asked again.
  while (!parser.is_done() && used < whole.size()) {
    const auto step =
        parser.put(boost::asio::buffer(whole.data() + used, whole.size() - used), error);
    used += step;
    if (error || step == 0) break;
  }
  // It reads Connection in a trailer, too, where it means nothing.
  if (error == http::error::bad_value && lower(text).find("connection:") != text.npos) return;
  require(!error && parser.is_done(), "Beast refuses it: " + error.message());
  require(parser.get().body() == ours.body, "Beast reads another body");
  require(used == whole.size() - text.size() + ours.used, "Beast ends it elsewhere");
}

void check_chunks(std::string_view text, std::mt19937& numbers) {
  const auto whole = decoded(text, nullptr);
  const auto pieces = decoded(text, &numbers);
  require(whole.status == pieces.status && whole.used == pieces.used && whole.body == pieces.body,
          "the decoder differs with the pieces");
  require(whole.body.size() <= kBodyOctetsMax, "more than the limit");
  if (whole.status == Status::complete) check_against_beast(text, whole);
}

// What has been cut into chunks comes out again.
void check_round_trip(std::string_view body, std::mt19937& numbers) {
  if (body.size() > kBodyOctetsMax / 2) return;
  std::string text;
  for (auto rest = body; !rest.empty();) {
    const auto piece = rest.substr(0, 1 + numbers() % 100);
    rest.remove_prefix(piece.size());
    char size[20];
    std::snprintf(size, sizeof size, numbers() % 2 == 0 ? "%zx" : "%zX", piece.size());
    text += size;
    text += "\r\n";
    text += piece;
    text += "\r\n";
  }
  text += "0\r\n\r\n";
  const auto back = decoded(text + "rest", &numbers);
  require(back.status == Status::complete && back.body == body && back.used == text.size(),
          "chunks do not give the body back");
}

}  // namespace

void fuzz(std::string_view input) {
  constexpr std::string_view kChunks = "chunks:";
  auto numbers = numbers_of(input);
  if (input.starts_with(kChunks)) {
    input.remove_prefix(kChunks.size());
    check_chunks(input, numbers);
    check_round_trip(input, numbers);
    return;
  }
  check_head(input, numbers);
}

}  // namespace district::fuzz
