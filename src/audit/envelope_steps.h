// The steps about the envelope of a message: transport, XML, SOAP, the Security header and its
// Timestamp. Private to audit/.
#pragma once

#include "audit/steps.h"
#include "base/error.h"

namespace district::audit {

// Makes the raw envelope and parses it. The error is that of the step: there is nothing to explain
// further.
Result<Ok> explain_transport(ExaminedMessage& message);
// Likewise.
Result<Ok> explain_xml(ExaminedMessage& message);
// Finds the Body and the Security header.
void explain_header(ExaminedMessage& message);
// Everything the profile asks of the header, by the server's own function: the first rule broken.
void explain_profile(ExaminedMessage& message);

}  // namespace district::audit
