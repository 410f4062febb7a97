// The way of an envelope through the stages. pipeline.cpp is read first.
#pragma once

#include <optional>
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

  // Never fails: what goes wrong is a fault in the client's version of SOAP.
  // Threads: any number at once; blocks until the envelope is durable.
  Answer handle(RawEnvelope raw);
  // The same for a request that the front or receive/ refused.
  Answer refuse(const Error& error, SoapVersion version,
                const acknowledge::RefusedRequest& request);

 private:
  Result<std::string> accept(archive::Evidence& evidence, std::optional<verify::Sender>& sender);
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
