// The steps about who signed a message: the key reference, the certificate, its enrolment.
// Private to audit/.
#pragma once

#include "audit/steps.h"

namespace district::audit {

// Finds the certificate.
void explain_signer(ExaminedMessage& message);

}  // namespace district::audit
