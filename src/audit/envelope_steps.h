// The steps about the envelope of a message: transport, XML, SOAP, the Security header and its
// Timestamp. Private to audit/.
#pragma once

#include "audit/steps.h"
#include "base/error.h"

namespace district::audit {

// Makes the raw envelope and parses it. The error is the one that the step explains: nothing can be
// explained after it.
Result<Ok> explain_transport(ExaminedMessage& message);
// As explain_transport().
Result<Ok> explain_xml(ExaminedMessage& message);
// Finds the Body and the Security header.
void explain_header(ExaminedMessage& message);
// Checks everything that the profile asks of the header, by the function that the server uses.
// Shows the first rule that is broken.
void explain_profile(ExaminedMessage& message);

}  // namespace district::audit
