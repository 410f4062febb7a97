#include "audit/examination.h"

#include <memory>

#include "audit/archived_envelope.h"
#include "audit/tree_verifier.h"
#include "crypto/merkle.h"
#include "log/log.h"

namespace district::audit {
namespace {

// Whether it is a failure of the machine, which says nothing of the envelope.
bool is_operational(const Error& error) {
  return error.code == ErrorCode::archive_unavailable || error.code == ErrorCode::internal;
}

std::string text_of(const Error& error) {
  auto text = "refused, " + std::to_string(static_cast<int>(error.code)) + ": " + error.detail;
  for (const auto& violation : error.violations) text += "; " + violation.reason;
  return text;
}

// Adds a difference if the two texts are not the same.
void compare(const StoredEnvelope& envelope, DifferenceKind kind, const char* what,
             const std::string& recorded, const std::string& replayed,
             std::vector<Difference>& differences) {
  if (recorded == replayed) return;
  differences.push_back({kind, {envelope.receipt_id}, what, recorded, replayed});
}

}  // namespace

Result<Ok> Examination::check_leaf(const StoredEnvelope& envelope,
                                   std::vector<Difference>& differences) {
  DISTRICT_TRY(const auto entries, log_.entries(envelope.leaf_index, 1));
  const bool found = !entries.empty() && entries.front().leaf_index == envelope.leaf_index;
  const auto entry = found ? entries.front().entry : std::string();
  const auto expected = log::expected_entry(envelope, entry);
  compare(envelope, DifferenceKind::log_entry, "the row against its leaf", expected, entry,
          differences);
  if (!found || entry != expected) return Ok{};
  compare(envelope, DifferenceKind::log_entry, "leaf hash", to_hex(entries.front().leaf_hash),
          to_hex(crypto::merkle_leaf_hash(as_bytes(entry))), differences);
  return Ok{};
}

// Checks that no octets are stored beyond those of the digest. Whoever reads the file without
// District would take them for a part of the envelope.
Result<Ok> Examination::check_chunks(const StoredEnvelope& envelope,
                                     std::vector<Difference>& differences) {
  DISTRICT_TRY(const auto chunks, archive_.stored_chunks(envelope));
  compare(envelope, DifferenceKind::octets, "stored octets", std::to_string(chunks.octets),
          std::to_string(envelope.stored_size), differences);
  if (chunks.elsewhere) {
    compare(envelope, DifferenceKind::octets, "", "chunks of a small envelope beside its own", "",
            differences);
  }
  return Ok{};
}

// The replay key is how the server recognises the envelope when it is sent a second time.
Result<Ok> Examination::check_replay_key(const StoredEnvelope& envelope,
                                         const verify::VerifiedEnvelope& verified,
                                         std::vector<Difference>& differences) {
  if (!keys_) {
    DISTRICT_TRY(const auto keys, ledger_.kept_keys());
    keys_.emplace();
    for (const auto& key : keys) keys_->emplace(key.leaf_index, key);
  }
  const auto expected = to_hex(verified.replay_key());
  const auto [first, last] = keys_->equal_range(envelope.leaf_index);
  if (first == last) {
    DISTRICT_TRY(const bool forgotten,
                 ledger_.may_have_forgotten(verified.created(), verified.acceptable_until()));
    if (!forgotten) {
      compare(envelope, DifferenceKind::replay_key, "", "", expected, differences);
    }
    return Ok{};
  }
  for (auto key = first; key != last; ++key) {
    compare(envelope, DifferenceKind::replay_key, "", to_hex(key->second.replay_key), expected,
            differences);
    if (key->second.created == Instant{}) continue;
    compare(envelope, DifferenceKind::replay_key, "created", format_instant(key->second.created),
            format_instant(verified.created()), differences);
  }
  return Ok{};
}

Result<std::optional<verify::VerifiedEnvelope>> Examination::verify(
    const StoredEnvelope& envelope, verify::BodyReader& reader,
    std::vector<Difference>& differences) {
  DISTRICT_CHECK(check_leaf(envelope, differences));
  const auto raw = raw_envelope(archive_, envelope);
  if (!raw && is_operational(raw.error())) return fail(raw.error());
  if (!raw) {
    differences.push_back({DifferenceKind::octets,
                           {envelope.receipt_id},
                           "",
                           "SHA-256 " + to_hex(envelope.payload_digest),
                           raw.error().detail});
    return std::nullopt;
  }
  DISTRICT_CHECK(check_chunks(envelope, differences));
  const TreeVerifier verifier(
      std::make_shared<const trust::TrustSnapshot>(trust_.as_of_leaf(envelope.leaf_index)),
      window_);
  auto verified = verifier.verify(*raw, envelope.received_at, reader);
  if (!verified && is_operational(verified.error())) return fail(std::move(verified).error());
  if (!verified) {
    differences.push_back({DifferenceKind::verdict,
                           {envelope.receipt_id},
                           "verify",
                           "accepted",
                           text_of(verified.error())});
    return std::nullopt;
  }
  const auto& sender = verified->sender();
  compare(envelope, DifferenceKind::sender, "certificate", to_hex(envelope.certificate_sha256),
          to_hex(sender.certificate_sha256), differences);
  compare(envelope, DifferenceKind::sender, "signature method", envelope.signature_method,
          sender.signature_method, differences);
  DISTRICT_CHECK(check_replay_key(envelope, *verified, differences));
  return std::optional(*std::move(verified));
}

Result<std::optional<Batch>> Examination::validate(const StoredEnvelope& envelope,
                                                   std::vector<Difference>& differences) {
  Batch batch;
  auto reading = validator_.read_along([&](const Batch& part) -> Result<Ok> {
    batch.append(part);
    return Ok{};
  });
  DISTRICT_TRY(const auto verified, verify(envelope, reading, differences));
  if (!verified) return std::nullopt;
  const auto content = reading.conclude(*verified);
  if (!content && is_operational(content.error())) return fail(content.error());
  if (!content) {
    differences.push_back({DifferenceKind::verdict,
                           {envelope.receipt_id},
                           "validate",
                           "accepted",
                           text_of(content.error())});
    return std::nullopt;
  }
  compare(envelope, DifferenceKind::content, "tenant", envelope.tenant, content->tenant,
          differences);
  compare(envelope, DifferenceKind::content, "first source", envelope.source, content->first_source,
          differences);
  compare(envelope, DifferenceKind::content, "messages", std::to_string(envelope.message_count),
          std::to_string(content->message_count), differences);
  batch.tenant = content->tenant;
  return std::optional(std::move(batch));
}

}  // namespace district::audit
