// Envelopes for tests of the stores, without a signature: what archive/ would hand over.
#pragma once

#include <string>

#include "base/ulid.h"
#include "crypto/digest.h"
#include "store/ledger.h"

namespace district::test {

inline const Instant kNow = from_micros(1'760'000'000'000'000);  // in October 2025

// Number n of tenant 10, a second after the one before; its "compressed" octets and
// its entry are any.
inline store::NewEnvelope sample_envelope(unsigned n, const std::string& tenant = "10") {
  const auto text = "envelope " + std::to_string(n);
  store::NewEnvelope envelope;
  envelope.received_at = kNow + std::chrono::seconds(n);
  std::array<std::byte, 10> random{};
  random[8] = static_cast<std::byte>(n >> 8U);
  random[9] = static_cast<std::byte>(n);
  envelope.receipt_id = make_ulid(envelope.received_at, random);
  envelope.tenant = tenant;
  envelope.certificate_sha256 = crypto::sha256(as_bytes("certificate of " + tenant));
  envelope.signature_method = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
  envelope.replay_key = crypto::sha256(as_bytes("signature of " + text));
  envelope.created = envelope.received_at - std::chrono::seconds(1);
  envelope.replay_until = envelope.received_at + std::chrono::minutes(6);
  envelope.message_count = n + 1;
  envelope.source = "SeasNve";
  envelope.content_type = "text/xml; charset=utf-8";
  envelope.content_encoding = "";
  envelope.soap_action = "http://urb-grade.eu/AggregateMessage";
  envelope.raw_size = text.size();
  envelope.payload_digest = crypto::sha256(as_bytes(text));
  envelope.raw_zstd = to_bytes(as_bytes(text));
  envelope.log_entry = R"({"kind":"test","receiptId":")" + envelope.receipt_id + R"("})";
  return envelope;
}

}  // namespace district::test
