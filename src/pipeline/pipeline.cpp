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

// A request between its arrival and its answer. It has one owner at a time: the worker that
// computes, the archive while it commits, then a worker again.
struct Pipeline::UnderWay {
  receive::HttpRequest request;  // stage 1 takes its body
  std::unique_ptr<Requester> requester;
  // `rest`: the part of a large body that is still arriving when the request is handed over.
  std::uint64_t body_size = 0;                     // octets of the body before its `rest`
  bool body_was_whole = true;                      // it had no `rest`
  std::optional<archive::Evidence> evidence = {};  // from stage 1 on
  std::optional<verify::Sender> sender = {};       // from stage 2 on
  std::uint64_t trust_epoch = 0;                   // that stage 2 judged by
  std::string tenant = {};                         // from stage 3 on
  std::uint64_t payload_size = 0;
  int round = 1;
};

// The main data path is this function and acknowledge(). Read them first. No thread waits for the
// disk: when the archive has committed, acknowledge() runs, on a worker again. Until then the
// sender has been promised nothing.
Result<Ok> Pipeline::accept(Owned& one) {
  DISTRICT_CHECK(receive(*one));
  const auto& raw = one->evidence->raw();
  auto reading = validator_.read_along();  // stage 3 reads the Body while stage 2 does, in one pass
  DISTRICT_TRY(const auto verified, verifier_.verify(raw, clock_.now(), reading));
  one->sender = verified.sender();  // authenticated: from here on faults are signed, with details
  one->trust_epoch = verified.trust().epoch();
  DISTRICT_TRY(const auto content, reading.conclude(verified));
  archive(std::move(one), verified, content);
  return Ok{};
}

// The second half, when the archive has committed. Stage 6 needs no call: the quantifier works from
// the archive.
Result<std::string> Pipeline::acknowledge(const UnderWay& one,
                                          const Result<Receipt>& durable) const {
  DISTRICT_TRY(const auto receipt, durable);
  const auto& raw = one.evidence->raw();
  observe::emit(observe::EnvelopeAccepted{receipt.receipt_id, one.tenant, raw.peer,
                                          receipt.message_count, receipt.leaf_index,
                                          one.payload_size, clock_.now() - receipt.received_at});
  return acknowledger_.sign(receipt, *one.sender, raw.soap_version);
}

// Stage 1. An envelope that is verified once more is read from what was kept of it.
Result<Ok> Pipeline::receive(UnderWay& one) {
  if (one.evidence) return one.evidence->rewind();
  DISTRICT_TRY(auto raw, receive::make_raw_envelope(one.request, body_octets_max_));
  one.evidence = archive_.keep(std::move(raw));
  return Ok{};
}

// Stage 4. From here on the archive owns the evidence, and with it the rest of the work. The append
// also finds out whether the same signature was accepted before (store/ledger.cpp).
void Pipeline::archive(Owned one, const verify::VerifiedEnvelope& verified,
                       const Content& content) {
  one->tenant = content.tenant;
  one->payload_size = verified.payload_size();
  auto evidence = *std::move(one->evidence);
  archive_.append(std::move(evidence), verified, content,
                  [this, one = std::move(one)](auto back, auto durable) mutable {
                    one->evidence = std::move(back);
                    hand_over(std::move(one), std::move(durable));
                  });
}

void Pipeline::handle(receive::HttpRequest request, std::unique_ptr<Requester> requester) {
  auto one = std::make_unique<UnderWay>(UnderWay{std::move(request), std::move(requester)});
  one->body_size = one->request.body.size();
  one->body_was_whole = one->request.rest == nullptr;
  if (auto accepted = accept(one); !accepted)
    resume(std::move(one), fail(std::move(accepted).error()));
}

// On the committing thread, which must not compute: everything goes on to a worker.
void Pipeline::hand_over(Owned one, Result<Receipt> durable) {
  auto& requester = *one->requester;
  requester.run_on_worker([this, one = std::move(one), durable = std::move(durable)]() mutable {
    resume(std::move(one), durable);
  });
}

// If trust has changed since the envelope was verified, it goes through the stages again, with the
// new trust. Each further round takes another command of an administrator, so a few are enough.
void Pipeline::resume(Owned one, Result<Receipt> durable) {
  constexpr int kRoundsMax = 5;
  while (!durable) {
    const auto again = must_be_judged_again(*one, durable.error());
    if (again && !*again) break;
    one->sender.reset();  // who may have lost its trust gets no signed answer
    if (!again) durable = fail(again.error());
    if (!again || one->round++ == kRoundsMax) break;
    auto accepted = accept(one);
    if (accepted) return;  // it is on its way to the disk once more
    durable = fail(std::move(accepted).error());
  }
  conclude(*one, acknowledge(*one, durable));
}

// Whether the refusal is based on outdated trust. The trust in memory may be older than that in the
// database. What verify refuses was judged by the database's, since verify asks for it. The append
// compares the two before it looks for a replay. For every other refusal, such as content that the
// tenant's settings do not allow, we ask here.
Result<bool> Pipeline::must_be_judged_again(const UnderWay& one, const Error& error) {
  if (!one.sender || error.code == ErrorCode::message_replayed) return false;
  DISTRICT_TRY(const auto current, trust_.refresh());
  if (current->epoch() != one.trust_epoch) return true;
  // Its replay key may be forgotten. Perhaps its own time is over by now, and verify says so. If
  // not, the clock was set back, and the sender is told to try again later.
  return error.code == ErrorCode::trust_changed && one.round == 1;
}

namespace {

const char* content_type_of(SoapVersion version) {
  return version == SoapVersion::v11 ? "text/xml; charset=utf-8"
                                     : "application/soap+xml; charset=utf-8";
}

// Of a large envelope, or one that was not read to its end, only the beginning is kept.
acknowledge::RefusedRequest refused(archive::Evidence& evidence) {
  static_cast<void>(evidence.settle());
  const auto& raw = evidence.raw();
  return {raw.peer,   raw.content_type, raw.content_encoding, raw.soap_action,
          raw.octets, evidence.size(),  raw.rest == nullptr};
}

}  // namespace

void Pipeline::conclude(UnderWay& one, Result<std::string> acknowledged) {
  const auto& request = one.request;
  const auto version =
      one.evidence ? one.evidence->raw().soap_version : receive::soap_version(request.content_type);
  const auto* sender = one.sender ? &*one.sender : nullptr;
  HttpResponse response;
  if (acknowledged) {
    response = {200, content_type_of(version), *std::move(acknowledged)};
  } else if (one.evidence) {
    response = fault(acknowledged.error(), version, refused(*one.evidence), sender);
  } else {  // stage 1 could not decode the body, and nothing of it is left
    response = fault(acknowledged.error(), version,
                     {request.peer,
                      request.content_type,
                      request.content_encoding,
                      request.soap_action,
                      {},
                      one.body_size,
                      one.body_was_whole},
                     nullptr);
  }
  if (sender != nullptr && !sender->enrolments.empty()) {
    response.tenant = sender->enrolments.front().tenant;
  }
  one.requester->answer(std::move(response));
}

HttpResponse Pipeline::refuse(const Error& error, std::string_view content_type,
                              std::string_view peer) {
  return fault(error, receive::soap_version(content_type), {peer, content_type, {}, {}, {}},
               nullptr);
}

HttpResponse Pipeline::fault(const Error& error, SoapVersion version,
                             const acknowledge::RefusedRequest& request,
                             const verify::Sender* sender) {
  const Instant now = clock_.now();
  const auto fault = fault_envelope(error, version, sender, now);
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
  const unsigned status = http_status(told.code, version);  // model/fault.cpp
  return {status, content_type_of(version), fault.envelope, status == 503 ? kRetryAfterSeconds : 0,
          {},     fault.rejection_id};
}

acknowledge::ReplayFaults::Answer Pipeline::fault_envelope(const Error& error, SoapVersion version,
                                                           const verify::Sender* sender,
                                                           Instant now) {
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

}  // namespace district::pipeline
