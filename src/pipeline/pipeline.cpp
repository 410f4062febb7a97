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

namespace {

// Of a large envelope its beginning, before what was staged of it.
acknowledge::RefusedRequest refused(const archive::Evidence& evidence) {
  const auto& raw = evidence.raw();
  return {raw.peer,   raw.content_type, raw.content_encoding, raw.soap_action,
          raw.octets, evidence.size(),  raw.rest == nullptr};
}

}  // namespace

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
  auto reply = accepted ? Answer{200, content_type(raw.soap_version), std::move(*accepted), 0}
                        : answer(accepted.error(), raw.soap_version, refused(evidence),
                                 sender ? &*sender : nullptr);
  if (sender && !sender->enrolments.empty()) reply.tenant = sender->enrolments.front().tenant;
  return reply;
}

Answer Pipeline::refuse(const Error& error, SoapVersion version,
                        const acknowledge::RefusedRequest& request) {
  return answer(error, version, request, nullptr);
}

Answer Pipeline::answer(const Error& error, SoapVersion version,
                        const acknowledge::RefusedRequest& request, const verify::Sender* sender) {
  constexpr unsigned kRetryAfterSeconds = 5;
  const Instant now = clock_.now();
  const auto fault = fault_for(error, version, sender, now);
  Error told = error;
  if (fault.code != error.code) {
    told.code = fault.code;
    told.detail.insert(0, "too many replays of one sender at a time: ");
  }
  observe::emit(
      observe::EnvelopeRejected{fault.rejection_id,
                                told.code,
                                request.peer,
                                sender == nullptr ? "" : to_hex(sender->certificate_sha256),
                                told.detail,
                                {}});
  if (rejections_ != nullptr) rejections_->keep(fault.rejection_id, now, told, request, sender);
  const unsigned status = http_status(told.code, version);
  return {status, content_type(version), fault.envelope, status == 503 ? kRetryAfterSeconds : 0,
          {},     fault.rejection_id};
}

acknowledge::ReplayFaults::Answer Pipeline::fault_for(const Error& error, SoapVersion version,
                                                      const verify::Sender* sender, Instant now) {
  const auto make = [&](const Error& cause, const verify::Sender* signed_for) {
    std::array<std::byte, 10> random;
    crypto::fill_random(random);
    auto rejection_id = make_ulid(now, random);
    auto envelope = acknowledger_.fault(cause, rejection_id, version, signed_for);
    return acknowledge::ReplayFaults::Answer{std::move(rejection_id), std::move(envelope), now,
                                             cause.code};
  };
  if (sender == nullptr || error.first_copy == nullptr) return make(error, sender);
  const auto key = error.first_copy->receipt_id +
                   (version == SoapVersion::v11 ? " 1.1 " : " 1.2 ") + sender->signature_value;
  auto answer = replay_faults_.give(sender->certificate_sha256, key, now,
                                    [&] { return make(error, sender); });
  if (answer) return *std::move(answer);
  Error busy = error;
  busy.code = ErrorCode::overloaded;
  return make(busy, nullptr);
}

std::string Pipeline::content_type(SoapVersion version) {
  return version == SoapVersion::v11 ? "text/xml; charset=utf-8"
                                     : "application/soap+xml; charset=utf-8";
}

}  // namespace district::pipeline
