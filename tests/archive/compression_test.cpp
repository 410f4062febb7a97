#include "archive/compression.h"

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "../support/temporary_folder.h"
#include "crypto/digest.h"

using namespace district;
using namespace district::archive;

namespace {

Result<Bytes> decompress(std::vector<Bytes> chunks) {
  std::size_t next = 0;
  FrameReader frame(
      [&]() -> Result<Bytes> { return next < chunks.size() ? chunks[next++] : Bytes{}; });
  Bytes all;
  while (true) {
    DISTRICT_TRY(const auto block, frame.next());
    if (block.empty()) return all;
    all.insert(all.end(), block.begin(), block.end());
  }
}

std::string numbers(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += std::to_string(i * 7919L % 10'007);
  return text;
}

std::string random_octets(std::size_t size) {
  std::string text(size, '\0');
  crypto::fill_random(std::as_writable_bytes(std::span(text)));
  return text;
}

std::vector<Bytes> written(const std::string& text, std::size_t block) {
  FrameWriter writer(3);
  std::vector<Bytes> chunks;
  const auto take = [&] {
    auto some = writer.take_chunks();
    std::move(some.begin(), some.end(), std::back_inserter(chunks));
  };
  for (std::size_t at = 0; at < text.size(); at += block) {
    BOOST_REQUIRE(writer.write(as_bytes(text).subspan(at, std::min(block, text.size() - at))));
    take();
  }
  BOOST_REQUIRE(writer.finish());
  take();
  return chunks;
}

std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

const std::string kVectors = DISTRICT_SOURCE_DIR "/tests/vectors/accepted/";
const std::string kDictionary = DISTRICT_SOURCE_DIR "/src/archive/dictionaries/envelope-1.zdict";

// What the program writes to its standard output; nullopt: it ended with an error.
std::optional<std::string> output_of(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  BOOST_REQUIRE(pipe != nullptr);
  std::string text;
  std::array<char, 4096> part{};
  while (const auto size = std::fread(part.data(), 1, part.size(), pipe)) {
    text.append(part.data(), size);
  }
  return ::pclose(pipe) == 0 ? std::optional(text) : std::nullopt;
}

bool zstd_is_installed() {
  if (output_of("command -v zstd")) return true;
  BOOST_TEST_MESSAGE("not tested: the program zstd is not installed");
  return false;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(compression)

BOOST_AUTO_TEST_CASE(octets_come_back_as_they_were) {
  for (const auto& text : {std::string(), std::string("x"), std::string(100'000, 'y'),
                           numbers(300'000), random_octets(700'000)}) {
    for (const int level : {1, 3, 19}) {
      const auto stored = compress(as_bytes(text), level);
      BOOST_REQUIRE(stored);
      BOOST_TEST((as_text(decompress({*stored}).value()) == text));
    }
  }
}

BOOST_AUTO_TEST_CASE(octets_that_come_in_blocks_make_chunks_of_one_frame) {
  for (const std::size_t block : {1000U, 262'144U, 5'000'000U}) {
    const auto text = random_octets(1'300'000) + numbers(300'000);
    const auto chunks = written(text, block);
    BOOST_TEST(chunks.size() >= 5U);
    for (std::size_t i = 0; i + 1 < chunks.size(); ++i) {
      BOOST_TEST(chunks[i].size() == FrameWriter::kChunkBytes);
    }
    BOOST_TEST((as_text(decompress(chunks).value()) == text));
  }
  BOOST_TEST(decompress(written("", 1)).value().empty());
}

BOOST_AUTO_TEST_CASE(damaged_octets_are_an_error) {
  const auto text = file_text(kVectors + "kalundborg.xml");
  BOOST_REQUIRE(!text.empty());
  const auto stored = compress(as_bytes(text), 3).value();
  const auto code = [](const Bytes& octets) {
    const auto raw = decompress({octets});
    BOOST_REQUIRE(!raw);
    return raw.error().code;
  };
  BOOST_TEST((code({}) == ErrorCode::archive_corrupt));
  auto longer = stored;
  longer.push_back(std::byte{0});
  BOOST_TEST((code(longer) == ErrorCode::archive_corrupt));
  BOOST_TEST((decompress({stored, stored}).error().code == ErrorCode::archive_corrupt));
  const Bytes shorter(stored.begin(), stored.end() - 1);
  BOOST_TEST((code(shorter) == ErrorCode::archive_corrupt));
  for (std::size_t i = 0; i < stored.size(); ++i) {
    auto flipped = stored;
    flipped[i] ^= std::byte{16};
    const auto raw = decompress({flipped});
    // A bit of the frame's header that means nothing to the content may differ; content may not.
    BOOST_TEST((!raw || as_text(*raw) == text));
  }
}

BOOST_AUTO_TEST_CASE(a_chunk_that_is_missing_or_cannot_be_read_is_an_error) {
  auto chunks = written(random_octets(1'000'000), 100'000);
  chunks.erase(chunks.begin() + 1);
  BOOST_TEST((decompress(chunks).error().code == ErrorCode::archive_corrupt));
  FrameReader frame([]() -> Result<Bytes> { return fail(ErrorCode::archive_unavailable, "disk"); });
  BOOST_TEST((frame.next().error().code == ErrorCode::archive_unavailable));
}

BOOST_AUTO_TEST_CASE(the_dictionary_takes_a_quarter_off_an_envelope_of_one_message) {
  const auto text = file_text(kVectors + "by-zeep-binary.xml");
  const auto stored = compress(as_bytes(text), 1).value();
  const auto alone = written(text, text.size());
  BOOST_REQUIRE(alone.size() == 1U);
  BOOST_TEST(stored.size() * 4 < alone[0].size() * 3);
  // A frame that names no dictionary is read as well: earlier versions wrote such ones.
  BOOST_TEST((as_text(decompress(alone).value()) == text));
}

BOOST_AUTO_TEST_CASE(stock_zstd_and_the_dictionary_give_the_envelope) {
  if (!zstd_is_installed()) return;
  const test::TemporaryFolder folder;
  const auto text = file_text(kVectors + "barcelona.xml");
  const auto stored = compress(as_bytes(text), 1).value();
  std::ofstream(folder.file("stored.zst"), std::ios::binary) << as_text(stored);
  const auto file = folder.file("stored.zst");
  BOOST_TEST((output_of("zstd -q -d -c -D '" + kDictionary + "' '" + file + "'") == text));
  BOOST_TEST(!output_of("zstd -q -d -c '" + file + "' 2>&1"));
}

BOOST_AUTO_TEST_CASE(a_frame_of_a_dictionary_that_is_not_known_says_so) {
  if (!zstd_is_installed()) return;
  const test::TemporaryFolder folder;
  // Another dictionary: the same content under another id, which is octets 4 to 7.
  auto other = file_text(kDictionary);
  BOOST_REQUIRE(other.size() > 8U);
  other[4] = static_cast<char>(other[4] + 1);
  std::ofstream(folder.file("other"), std::ios::binary) << other;
  const auto frame =
      output_of("zstd -q -c -D '" + folder.file("other") + "' '" + kVectors + "barcelona.xml'");
  BOOST_REQUIRE(frame);
  const auto raw = decompress({to_bytes(as_bytes(*frame))});
  BOOST_REQUIRE(!raw);
  BOOST_TEST((raw.error().code == ErrorCode::archive_corrupt));
  BOOST_TEST(raw.error().detail.find("dictionary 40002") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
