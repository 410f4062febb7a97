#include "pipeline/pipeline.h"

#include <array>
#include <chrono>

#include "base/ulid.h"
#include "crypto/digest.h"
#include "model/fault.h"
#include "observe/events.h"

namespace district::pipeline {

// The main data path. Read this first. Nothing is promised to the sender until archive has
// committed.
Result<std::string> Pipeline::accept(archive::Evidence& evidence,
                                     std::optional<verify::Sender>& sender) {
  const auto& raw = evidence.raw();
  auto reading = validator_.read_along();  // stage 3 reads the Body as stage 2 does, in one pass
  DISTRICT_TRY(const auto verified, verifier_.verify(raw, clock_.now(), reading));
  sender = verified.sender();  // authenticated from here on: faults are signed and have details
  DISTRICT_TRY(const auto content, reading.conclude(verified));
  DISTRICT_TRY(const auto receipt,
               archive_.append(evidence, verified, content));  // returns when durable
  observe::emit(observe::EnvelopeAccepted{
      receipt.receipt_id, content.tenant, raw.peer, receipt.message_count, receipt.leaf_index,
      verified.payload_size(), clock_.now() - receipt.received_at});
  return acknowledger_.sign(receipt, *sender, raw.soap_version);  // quantify works from the archive
}

Answer Pipeline::handle(RawEnvelope received) {
  // Trust that changes between verify and archive sends an envelope through verify again. It takes
  // an administrator's command each time, so that a few rounds always suffice.
  constexpr int kRoundsMax = 5;
  std::optional<verify::Sender> sender;
  auto evidence = archive_.keep(std::move(received));
  const auto& raw = evidence.raw();
  auto accepted = accept(evidence, sender);
  for (int round = 1;
       !accepted && accepted.error().code == ErrorCode::trust_changed && round < kRoundsMax;
       ++round) {
    sender.reset();
    if (auto rewound = evidence.rewind(); !rewound) {
      accepted = fail(std::move(rewound).error());
      break;
    }
    accepted = accept(evidence, sender);
  }
  auto reply =
      accepted ? Answer{200, content_type(raw.soap_version), std::move(*accepted), 0}
               : answer(accepted.error(), raw.soap_version, raw.peer, sender ? &*sender : nullptr);
  if (sender && !sender->enrolments.empty()) reply.tenant = sender->enrolments.front().tenant;
  return reply;
}

Answer Pipeline::refuse(const Error& error, SoapVersion version, const std::string& peer) {
  return answer(error, version, peer, nullptr);
}

Answer Pipeline::answer(const Error& error, SoapVersion version, const std::string& peer,
                        const verify::Sender* sender) {
  constexpr unsigned kRetryAfterSeconds = 5;
  const Instant now = clock_.now();
  const auto fault = make_fault(error, version, sender, now);
  observe::emit(
      observe::EnvelopeRejected{fault.rejection_id,
                                error.code,
                                peer,
                                sender == nullptr ? "" : to_hex(sender->certificate_sha256),
                                error.detail,
                                {}});
  const unsigned status = http_status(error.code, version);
  return {status, content_type(version), fault.envelope, status == 503 ? kRetryAfterSeconds : 0,
          {},     fault.rejection_id};
}

acknowledge::ReplayFaults::Answer Pipeline::make_fault(const Error& error, SoapVersion version,
                                                       const verify::Sender* sender, Instant now) {
  const bool replay = sender != nullptr && error.first_copy != nullptr;
  std::string key;
  if (replay) {
    key = error.first_copy->receipt_id + (version == SoapVersion::v11 ? " 1.1 " : " 1.2 ") +
          sender->signature_value;
    if (auto kept = replay_faults_.find(key, now)) return std::move(*kept);
  }
  std::array<std::byte, 10> random;
  crypto::fill_random(random);
  const std::string rejection_id = make_ulid(now, random);
  acknowledge::ReplayFaults::Answer fault{
      rejection_id, acknowledger_.fault(error, rejection_id, version, sender), now};
  if (replay) replay_faults_.keep(key, fault);
  return fault;
}

std::string Pipeline::content_type(SoapVersion version) {
  return version == SoapVersion::v11 ? "text/xml; charset=utf-8"
                                     : "application/soap+xml; charset=utf-8";
}

}  // namespace district::pipeline
