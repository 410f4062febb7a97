// The steps about what a message says: its tenant, and its content by the schemas and header rules.
// Private to audit/.
#pragma once

#include <memory>
#include <string>

#include "audit/steps.h"
#include "trust/snapshot.h"
#include "validate/validator.h"

namespace district::audit {

void explain_content(ExaminedMessage& message, const validate::Validator& validator);

// The tenantCode in the Body; empty: there is none.
std::string body_tenant(const ExaminedMessage& message);
// The given trust, or trust with this tenant added if it is not known. Its content is then checked
// against the schemas, and against no rule of a tenant.
std::shared_ptr<const trust::TrustSnapshot> trust_for_content(const ExaminedMessage& message,
                                                              const validate::Validator& validator,
                                                              const std::string& tenant);

}  // namespace district::audit
