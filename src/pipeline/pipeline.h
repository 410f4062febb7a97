// The way of an envelope through the stages. pipeline.cpp is read first.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "acknowledge/acknowledger.h"
#include "acknowledge/rejections.h"
#include "acknowledge/replay_faults.h"
#include "archive/archive.h"
#include "base/error.h"
#include "base/unique_function.h"
#include "model/envelope.h"
#include "model/http.h"
#include "receive/receive.h"
#include "trust/trust.h"
#include "validate/validator.h"
#include "verify/verifier.h"

namespace district::pipeline {

// Who sent an envelope and waits for its answer. The pipeline owns it until then. Neither function
// blocks.
class Requester {
 public:
  virtual ~Requester() = default;
  // Runs `rest` on a thread that may compute. From any thread; nothing of `rest` stays with it.
  virtual void run_on_worker(UniqueFunction<void()> rest) = 0;
  // Once, in the end. From the thread that calls handle(), or that runs a `rest`.
  virtual void answer(HttpResponse response) = 0;
};

class Pipeline {
 public:
  // Keeps references, which must outlive it. `trust`: that the verifier judges by; it is asked
  // again where an envelope may have been judged by what is past. `body_octets_max`: of a body
  // after decompression. `rejections`: null: they are not kept.
  Pipeline(const verify::Verifier& verifier, trust::Trust& trust,
           const validate::Validator& validator, archive::Archive& archive,
           const acknowledge::Acknowledger& acknowledger, const Clock& clock,
           std::size_t body_octets_max, acknowledge::Rejections* rejections = nullptr)
      : verifier_(verifier),
        trust_(trust),
        validator_(validator),
        archive_(archive),
        acknowledger_(acknowledger),
        clock_(clock),
        body_octets_max_(body_octets_max),
        rejections_(rejections) {}

  // Never fails: what goes wrong is a fault in the client's version of SOAP. Returns when the
  // envelope is answered, or is on its way to the disk. `requester` is answered when it is durable.
  // Threads: any number at once; may block while a large body arrives.
  void handle(receive::HttpRequest request, std::unique_ptr<Requester> requester);
  // The fault for a request that was refused before its body was whole. Threads: any.
  HttpResponse refuse(const Error& error, std::string_view content_type, std::string_view peer);

 private:
  struct UnderWay;
  using Owned = std::unique_ptr<UnderWay>;

  Result<Ok> accept(Owned& one);
  Result<Ok> receive(UnderWay& one);
  void archive(Owned one, const verify::VerifiedEnvelope& verified, const Content& content);
  Result<std::string> acknowledge(const UnderWay& one, const Result<Receipt>& durable) const;
  void hand_over(Owned one, Result<Receipt> durable);
  void resume(Owned one, Result<Receipt> durable);
  Result<bool> must_be_judged_again(const UnderWay& one, const Error& error);
  void conclude(UnderWay& one, Result<std::string> acknowledged);

  HttpResponse fault(const Error& error, SoapVersion version,
                     const acknowledge::RefusedRequest& request, const verify::Sender* sender);
  // Made now, or for a replay the one that was given before.
  acknowledge::ReplayFaults::Answer fault_envelope(const Error& error, SoapVersion version,
                                                   const verify::Sender* sender, Instant now);

  const verify::Verifier& verifier_;
  trust::Trust& trust_;
  const validate::Validator& validator_;
  archive::Archive& archive_;
  const acknowledge::Acknowledger& acknowledger_;
  const Clock& clock_;
  const std::size_t body_octets_max_;
  acknowledge::Rejections* const rejections_;  // null: not kept
  acknowledge::ReplayFaults replay_faults_;
};

}  // namespace district::pipeline
