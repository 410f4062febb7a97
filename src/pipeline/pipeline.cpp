#include "pipeline/pipeline.h"

#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include "base/ulid.h"
#include "crypto/digest.h"
#include "model/fault.h"
#include "observe/events.h"

namespace district::pipeline {

// An envelope between its arrival and its answer.
struct Pipeline::UnderWay {
  archive::Evidence evidence;
  std::shared_ptr<Requester> requester;
  std::optional<verify::Sender> sender = {};  // once authenticated
  std::string tenant = {};
  std::uint64_t payload_size = 0;
  int round = 1;
};

// The main data path: this and acknowledge(). Read them first. No thread waits for the disk: when
// the archive has committed, the envelope goes on with acknowledge(), on a worker again. Nothing is
// promised to the sender before.
Result<Ok> Pipeline::accept(const std::shared_ptr<UnderWay>& one) {
  const auto& raw = one->evidence.raw();
  auto reading = validator_.read_along();  // stage 3 reads the Body as stage 2 does, in one pass
  DISTRICT_TRY(const auto verified, verifier_.verify(raw, clock_.now(), reading));
  one->sender = verified.sender();  // authenticated: from here on faults are signed, with details
  DISTRICT_TRY(const auto content, reading.conclude(verified));
  one->tenant = content.tenant;
  one->payload_size = verified.payload_size();
  archive_.append(one->evidence, verified, content, [this, one](auto durable) mutable {
    hand_over(std::move(one), std::move(durable));
  });
  return Ok{};
}

// The second half, once the archive has committed. The quantifier works from the archive.
Result<std::string> Pipeline::acknowledge(const UnderWay& one,
                                          const Result<Receipt>& durable) const {
  DISTRICT_TRY(const auto receipt, durable);
  const auto& raw = one.evidence.raw();
  observe::emit(observe::EnvelopeAccepted{receipt.receipt_id, one.tenant, raw.peer,
                                          receipt.message_count, receipt.leaf_index,
                                          one.payload_size, clock_.now() - receipt.received_at});
  return acknowledger_.sign(receipt, *one.sender, raw.soap_version);
}

void Pipeline::handle(RawEnvelope received, std::shared_ptr<Requester> requester) {
  const auto one = std::make_shared<UnderWay>(
      UnderWay{archive_.keep(std::move(received)), std::move(requester)});
  if (auto accepted = accept(one); !accepted) conclude(*one, fail(std::move(accepted).error()));
}

// On the committing thread. It keeps nothing of `one`, whose last owner is then a worker.
void Pipeline::hand_over(std::shared_ptr<UnderWay> one, Result<Receipt> durable) {
  auto& requester = *one->requester;
  requester.go_on(
      [this, one = std::move(one), durable = std::move(durable)] { go_on(one, durable); });
}

// Trust that changes between verify and archive sends an envelope through verify again. It takes
// an administrator's command each time, so that a few rounds always suffice.
void Pipeline::go_on(const std::shared_ptr<UnderWay>& one, const Result<Receipt>& durable) {
  constexpr int kRoundsMax = 5;
  const bool again =
      !durable && durable.error().code == ErrorCode::trust_changed && one->round++ < kRoundsMax;
  if (!again) return conclude(*one, acknowledge(*one, durable));
  one->sender.reset();
  auto accepted = one->evidence.rewind();
  if (accepted) accepted = accept(one);
  if (!accepted) conclude(*one, fail(std::move(accepted).error()));
}

namespace {

// Of a large envelope, or one that was not read to its end, the beginning.
acknowledge::RefusedRequest refused(archive::Evidence& evidence) {
  static_cast<void>(evidence.settle());
  const auto& raw = evidence.raw();
  return {raw.peer,   raw.content_type, raw.content_encoding, raw.soap_action,
          raw.octets, evidence.size(),  raw.rest == nullptr};
}

}  // namespace

void Pipeline::conclude(UnderWay& one, Result<std::string> acknowledged) {
  const auto& raw = one.evidence.raw();
  const auto* sender = one.sender ? &*one.sender : nullptr;
  auto reply = acknowledged
                   ? Answer{200, content_type(raw.soap_version), *std::move(acknowledged), 0}
                   : answer(acknowledged.error(), raw.soap_version, refused(one.evidence), sender);
  if (sender != nullptr && !sender->enrolments.empty()) {
    reply.tenant = sender->enrolments.front().tenant;
  }
  one.requester->answer(std::move(reply));
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
