// The way of an envelope through the stages. pipeline.cpp is read first.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "acknowledge/acknowledger.h"
#include "acknowledge/rejections.h"
#include "acknowledge/replay_faults.h"
#include "archive/archive.h"
#include "base/error.h"
#include "model/envelope.h"
#include "validate/validator.h"
#include "verify/verifier.h"

namespace district::pipeline {

// What goes back to the client.
struct Answer {
  unsigned http_status = 200;
  std::string content_type;
  std::string body;
  unsigned retry_after_seconds = 0;  // 0: no such header
  std::string tenant = {};           // the authenticated sender's; empty: none
  std::string rejection_id = {};     // empty: it is no fault
  std::string fields = {};           // further fields of the header, each with its CRLF
  std::string asked_by = {};         // of the query API: who, for the log
};

// Who sent an envelope and waits for its answer. Neither function blocks.
class Requester {
 public:
  virtual ~Requester() = default;
  // Does the rest on a thread that may compute. From any thread; it keeps nothing of `rest`.
  virtual void go_on(std::function<void()> rest) = 0;
  // Once, in the end; from the thread that the request, or its rest, was given to.
  virtual void answer(Answer answer) = 0;
};

class Pipeline {
 public:
  Pipeline(const verify::Verifier& verifier, const validate::Validator& validator,
           archive::Archive& archive, const acknowledge::Acknowledger& acknowledger,
           const Clock& clock, acknowledge::Rejections* rejections = nullptr)
      : verifier_(verifier),
        validator_(validator),
        archive_(archive),
        acknowledger_(acknowledger),
        clock_(clock),
        rejections_(rejections) {}

  // Never fails: what goes wrong is a fault in the client's version of SOAP. Returns when the
  // envelope is answered or on its way to the disk; `requester` is told when it is durable.
  // Threads: any number at once.
  void handle(RawEnvelope raw, std::shared_ptr<Requester> requester);
  // The same for a request that the front or receive/ refused.
  Answer refuse(const Error& error, SoapVersion version,
                const acknowledge::RefusedRequest& request);

 private:
  struct UnderWay;
  Result<Ok> accept(const std::shared_ptr<UnderWay>& one);
  Result<std::string> acknowledge(const UnderWay& one, const Result<Receipt>& durable) const;
  void hand_over(std::shared_ptr<UnderWay> one, Result<Receipt> durable);
  void go_on(const std::shared_ptr<UnderWay>& one, const Result<Receipt>& durable);
  void conclude(UnderWay& one, Result<std::string> acknowledged);
  static std::string content_type(SoapVersion version);
  Answer answer(const Error& error, SoapVersion version, const acknowledge::RefusedRequest& request,
                const verify::Sender* sender);
  // A fault of this moment, or of a replay the one that was given before.
  acknowledge::ReplayFaults::Answer fault_for(const Error& error, SoapVersion version,
                                              const verify::Sender* sender, Instant now);

  const verify::Verifier& verifier_;
  const validate::Validator& validator_;
  archive::Archive& archive_;
  const acknowledge::Acknowledger& acknowledger_;
  const Clock& clock_;
  acknowledge::Rejections* const rejections_;  // null: not kept
  acknowledge::ReplayFaults replay_faults_;
};

}  // namespace district::pipeline
