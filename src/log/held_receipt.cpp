#include "log/held_receipt.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/ulid.h"

namespace district::log {
namespace {

using Json = nlohmann::json;

// A gateway's line has about 400 octets and the name of a file.
constexpr std::size_t kLineOctetsMax = 64 * 1024;
constexpr std::size_t kUlidOctets = 26;

std::optional<std::string> text_member(const Json& object, const char* key) {
  const auto member = object.find(key);
  if (member == object.end() || !member->is_string()) return std::nullopt;
  return member->get<std::string>();
}

std::optional<std::uint64_t> number_member(const Json& object, const char* key) {
  const auto member = object.find(key);
  if (member == object.end() || !member->is_number_unsigned()) return std::nullopt;
  return member->get<std::uint64_t>();
}

std::optional<Sha256Digest> digest_member(const Json& object, const char* key) {
  const auto octets = from_base64(text_member(object, key).value_or(""));
  return octets ? to_digest(*octets) : std::nullopt;
}

}  // namespace

Result<HeldReceipt> read_held_receipt(std::string_view line) {
  if (line.size() > kLineOctetsMax)
    return fail(ErrorCode::admin_invalid, "longer than any receipt");
  const auto json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return fail(ErrorCode::admin_invalid, "not a JSON object");
  const auto receipt_id = text_member(json, "receiptId");
  const auto received_at = parse_date_time(text_member(json, "receivedAt").value_or(""));
  const auto payload_digest = digest_member(json, "payloadDigest");
  if (!receipt_id || !received_at || !payload_digest)
    return fail(ErrorCode::admin_invalid, "receiptId, receivedAt or payloadDigest is missing");
  if (!is_ulid(*receipt_id)) return fail(ErrorCode::admin_invalid, "receiptId is no ULID");
  HeldReceipt receipt{*receipt_id, *received_at, *payload_digest, {}, {}, {}, {}};
  receipt.message_count = number_member(json, "messageCount");
  receipt.leaf_index = number_member(json, "leafIndex");
  receipt.tree_size = number_member(json, "treeSize");
  receipt.root_hash = digest_member(json, "rootHash");
  // A member that is there but cannot be read must not pass for one that is absent.
  const std::array<std::pair<const char*, bool>, 4> optional_members{
      {{"messageCount", receipt.message_count.has_value()},
       {"leafIndex", receipt.leaf_index.has_value()},
       {"treeSize", receipt.tree_size.has_value()},
       {"rootHash", receipt.root_hash.has_value()}}};
  for (const auto& [key, read] : optional_members) {
    if (json.contains(key) && !read)
      return fail(ErrorCode::admin_invalid, std::string(key) + " cannot be read");
  }
  return receipt;
}

TornLine read_torn_line(std::string_view line) {
  constexpr std::string_view kStart = "{\"file\":";
  constexpr std::string_view kId = "\"receiptId\":\"";
  TornLine torn;
  line = line.substr(0, kLineOctetsMax);
  // What was appended to the torn line begins where a receipt begins, and goes on to the end.
  const auto behind = line.rfind(kStart);
  const bool has_more = behind != std::string_view::npos && behind > 0;
  if (has_more) {
    if (auto receipt = read_held_receipt(line.substr(behind))) torn.behind = std::move(*receipt);
  }
  const auto own = line.substr(0, has_more ? behind : line.size());
  const auto id = own.find(kId);
  if (id == std::string_view::npos) return torn;
  const auto text = own.substr(id + kId.size(), kUlidOctets);
  if (is_ulid(text)) torn.receipt_id = text;
  return torn;
}

}  // namespace district::log
