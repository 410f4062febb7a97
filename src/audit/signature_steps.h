// The steps about a message's signature: its value, and the digests of what it covers.
// Private to audit/.
#pragma once

#include "audit/steps.h"

namespace district::audit {

void explain_signature_value(ExaminedMessage& message);
void explain_references(ExaminedMessage& message);

}  // namespace district::audit
