// What the tenants that the signer is enrolled for allow in a message's head: its content type and
// its source. Private to validate/.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/error.h"
#include "validate/extraction.h"
#include "validate/findings.h"
#include "validate/schemas.h"
#include "verify/verifier.h"

namespace district::validate {

// The tenantCode comes behind the messages, so each message is judged by the rules of all these
// tenants, and in the end those of the one that is named count.
class TenantRules {
 public:
  // A violation of the open message, at a child of its head.
  using InHead =
      std::function<Violation(std::string_view what, const ElementText& text, std::string reason)>;

  void begin(const Schemas& schemas, const verify::Sender& sender, const verify::TrustPtr& trust);
  // Whether any of the tenants refuses such a message. `type`: its index in the schemas.
  bool broken_by(const MessageHead& head, std::size_t type) const;
  // Notes what each tenant refuses. `type`: nullopt where there is no such schema.
  void judge(const MessageHead& head, const HeadTexts& texts, std::optional<std::size_t> type,
             const InHead& in_head);

  // What was noted for this tenant. Errors: authentication_failed where the sender is not enrolled
  // for it, or it is not known.
  Result<const Findings*> findings_of(const std::string& tenant,
                                      const verify::Sender& sender) const;
  std::size_t finding_count() const;  // of all tenants

 private:
  struct Rules {
    const Tenant* tenant;
    std::vector<bool> types;  // allowed, as in Schemas
    std::unordered_set<std::string_view> sources;
    Findings findings;

    bool allows_source(const std::string& source) const {
      return sources.empty() || sources.contains(source);
    }
  };

  verify::TrustPtr trust_;  // which the rules refer to
  std::vector<Rules> rules_;
};

}  // namespace district::validate
