// The gzip coding in different pieces and against zlib in one go; media types against their
// grammar as a regular expression; what a request's fields make of its body.
// Input: "gzip:" and a stream, "plain:" and octets that are packed first, or a Content-Type.
#include <zlib.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <regex>
#include <set>

#include "base/bytes.h"
#include "fuzz_target.h"
#include "receive/gzip.h"
#include "receive/media_type.h"
#include "receive/receive.h"

namespace district::fuzz {
namespace {

constexpr std::size_t kOctetsMax = 100'000;
constexpr int kGzip = MAX_WBITS + 16;

// Blocks of a few octets each.
class Pieces final : public ByteSource {
 public:
  Pieces(std::string_view text, std::size_t most, std::mt19937& numbers)
      : rest_(text), most_(most), numbers_(numbers) {}
  Result<ByteView> next() override {
    const auto piece = rest_.substr(0, 1 + numbers_() % most_);
    rest_.remove_prefix(piece.size());
    return as_bytes(piece);
  }

 private:
  std::string_view rest_;
  const std::size_t most_;
  std::mt19937& numbers_;
};

struct Outcome {
  ErrorCode code{};  // 0: none
  std::string text;
};

Outcome gunzip(std::string_view packed, std::size_t octets_max, std::size_t most,
               std::mt19937& numbers) {
  receive::Gunzip plain(std::make_unique<Pieces>(packed, most, numbers), octets_max);
  Outcome outcome;
  std::vector<std::byte> room(1 + numbers() % 3000);
  while (true) {
    const auto count = plain.read(room);
    if (!count) return {count.error().code, {}};
    outcome.text.append(reinterpret_cast<const char*>(room.data()), *count);
    if (*count < room.size()) return outcome;
  }
}

// nullopt: not one whole member and nothing else.
std::optional<std::string> by_zlib(std::string_view packed) {
  z_stream stream{};
  if (::inflateInit2(&stream, kGzip) != Z_OK) return std::nullopt;
  std::string text(kOctetsMax + 1, '\0');
  std::string copy(packed);
  stream.next_in = reinterpret_cast<Bytef*>(copy.data());
  stream.avail_in = static_cast<uInt>(copy.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  const int result = ::inflate(&stream, Z_FINISH);
  const bool whole = result == Z_STREAM_END && stream.avail_in == 0;
  const bool too_large = stream.avail_out == 0;
  text.resize(text.size() - stream.avail_out);
  ::inflateEnd(&stream);
  if (too_large) return text;
  return whole ? std::optional(text) : std::nullopt;
}

std::string pack(std::string_view text, int level) {
  z_stream stream{};
  require(::deflateInit2(&stream, level, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib");
  std::string copy(text);
  std::string packed(::deflateBound(&stream, static_cast<uLong>(text.size())) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(copy.data());
  stream.avail_in = static_cast<uInt>(copy.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  require(::deflate(&stream, Z_FINISH) == Z_STREAM_END, "zlib");
  packed.resize(packed.size() - stream.avail_out);
  ::deflateEnd(&stream);
  return packed;
}

void check_gzip(std::string_view packed, std::mt19937& numbers) {
  const auto whole = gunzip(packed, kOctetsMax, packed.size() + 1, numbers);
  const auto pieces = gunzip(packed, kOctetsMax, 1 + numbers() % 50, numbers);
  require(whole.code == pieces.code && whole.text == pieces.text, "differs with the pieces");
  const auto expected = by_zlib(packed);
  if (expected && expected->size() > kOctetsMax) {
    require(whole.code == ErrorCode::too_large, "larger than the limit");
    return;
  }
  require(expected.has_value() == (whole.code == ErrorCode{}), "zlib judges otherwise");
  require(!expected || *expected == whole.text, "zlib reads otherwise");
}

void check_plain(std::string_view text, std::mt19937& numbers) {
  const auto packed = pack(text, static_cast<int>(numbers() % 10));
  const auto most = 1 + numbers() % 200;
  require(gunzip(packed, kOctetsMax, most, numbers).text == text, "does not come back");
  if (text.size() > 1) {
    require(gunzip(packed, text.size(), most, numbers).code == ErrorCode{}, "at the limit");
    require(gunzip(packed, text.size() - 1, most, numbers).code == ErrorCode::too_large,
            "one more than the limit");
  }
  require(gunzip(packed + "x", kOctetsMax, most, numbers).code == ErrorCode::xml_malformed,
          "something follows");
  require(gunzip(packed + packed, kOctetsMax, most, numbers).code == ErrorCode::xml_malformed,
          "another member follows");
  const auto cut = std::string_view(packed).substr(0, numbers() % packed.size());
  require(gunzip(cut, kOctetsMax, most, numbers).code == ErrorCode::xml_malformed, "cut off");

  receive::HttpRequest request{"text/xml; charset=utf-8", "gzip", "", "peer", {}};
  const auto bytes = as_bytes(packed);
  request.body.assign(bytes.begin(), bytes.end());
  const auto raw = receive::make_raw_envelope(std::move(request), kOctetsMax);
  require(raw && raw->rest == nullptr && as_text(raw->octets) == text, "as a request");
}

// The grammar of RFC 9110 section 8.3.1, without the empty parameters that it allows in between.
bool is_media_type(const std::string& text) {
  static const std::string token = "[-!#$%&'*+.^_`|~0-9A-Za-z]+";
  static const std::string quoted =
      "\"(?:[\\t !\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t \\x21-\\x7e\\x80-\\xff])*\"";
  static const std::regex grammar("[ \\t]*" + token + "/" + token + "(?:[ \\t]*;[ \\t]*" + token +
                                      "=(?:" + token + "|" + quoted + "))*[ \\t]*;?[ \\t]*",
                                  std::regex::optimize);
  return std::regex_match(text, grammar);
}

std::string written(const receive::MediaType& media) {
  std::string text = media.name;
  for (const auto& [name, value] : media.parameters) {
    text += ";" + name + "=\"";
    for (const char c : value) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return text;
}

void check_media_type(std::string_view input) {
  const std::string text(input.substr(0, 200));  // the regular expression recurs
  const auto media = receive::parse_media_type(text);
  require(!media || is_media_type(text), "the grammar refuses it");
  if (!media) {
    const bool many = std::ranges::count(text, '=') > 1;  // a parameter twice, or too many
    require(many || !is_media_type(text), "the grammar takes it");
  } else {
    std::set<std::string> names;
    for (const auto& [name, value] : media->parameters) names.insert(name);
    require(names.size() == media->parameters.size(), "a parameter twice");
    const auto again = receive::parse_media_type(written(*media));
    require(again && again->name == media->name && again->parameters == media->parameters,
            "written again it is another");
  }
  receive::HttpRequest request{std::string(text), "", "", "peer", {}};
  const auto raw = receive::make_raw_envelope(std::move(request), kOctetsMax);
  require(raw.has_value() || raw.error().code == ErrorCode::unsupported_media ||
              raw.error().code == ErrorCode::not_soap,
          "refused for another reason");
  require(!raw || (media && (media->name == "text/xml" || media->name == "application/soap+xml")),
          "another media type is let through");
}

}  // namespace

void fuzz(std::string_view input) {
  constexpr std::string_view kGzipWord = "gzip:", kPlainWord = "plain:";
  auto numbers = numbers_of(input);
  if (input.starts_with(kGzipWord)) {
    check_gzip(input.substr(kGzipWord.size()), numbers);
  } else if (input.starts_with(kPlainWord)) {
    check_plain(input.substr(kPlainWord.size()), numbers);
  } else {
    check_media_type(input);
  }
}

}  // namespace district::fuzz
