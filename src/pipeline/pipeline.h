// The way of an envelope through the stages. pipeline.cpp is read first.
#pragma once

#include <optional>
#include <string>

#include "acknowledge/acknowledger.h"
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
           const Clock& clock)
      : verifier_(verifier),
        validator_(validator),
        archive_(archive),
        acknowledger_(acknowledger),
        clock_(clock) {}

  // Never fails: what goes wrong is a fault in the client's version of SOAP.
  // Threads: any number at once; blocks until the envelope is durable.
  Answer handle(RawEnvelope raw);
  // The same for a request that receive/ refused.
  Answer refuse(const Error& error, SoapVersion version, const std::string& peer);

 private:
  Result<std::string> accept(archive::Evidence& evidence, std::optional<verify::Sender>& sender);
  acknowledge::ReplayFaults::Answer make_fault(const Error& error, SoapVersion version,
                                               const verify::Sender* sender, Instant now);
  static std::string content_type(SoapVersion version);
  Answer answer(const Error& error, SoapVersion version, const std::string& peer,
                const verify::Sender* sender);

  const verify::Verifier& verifier_;
  const validate::Validator& validator_;
  archive::Archive& archive_;
  const acknowledge::Acknowledger& acknowledger_;
  const Clock& clock_;
  acknowledge::ReplayFaults replay_faults_;
};

}  // namespace district::pipeline
