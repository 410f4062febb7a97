#include "validate/tenant_rules.h"

#include <algorithm>
#include <utility>

namespace district::validate {
namespace {

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

}  // namespace

void TenantRules::begin(const Schemas& schemas, const verify::Sender& sender,
                        const verify::TrustPtr& trust) {
  trust_ = trust;
  for (const auto& enrolment : sender.enrolments) {
    const Tenant* tenant = trust_->tenant(enrolment.tenant);
    if (tenant == nullptr) continue;
    Rules rules{tenant, {}, {tenant->sources.begin(), tenant->sources.end()}, {}};
    for (const auto& type : schemas.types)
      rules.types.push_back(contains(tenant->content_types, type.type + "/" + type.version));
    rules_.push_back(std::move(rules));
  }
}

bool TenantRules::broken_by(const MessageHead& head, std::size_t type) const {
  return std::ranges::any_of(rules_, [&](const Rules& rules) {
    return !rules.types[type] || !rules.allows_source(head.source);
  });
}

void TenantRules::judge(const MessageHead& head, const HeadTexts& texts,
                        std::optional<std::size_t> type, const InHead& in_head) {
  for (auto& rules : rules_) {
    if (type && !rules.types[*type]) {
      rules.findings.add(
          ErrorCode::content_type_unknown,
          in_head("messageType", texts.type,
                  head.type + "/" + head.version + " is not allowed for this tenant"));
    }
    if (rules.allows_source(head.source)) continue;
    rules.findings.add(ErrorCode::header_rule,
                       in_head("messageSource/messageSourceElement", texts.source,
                               "is not a source of this tenant"));
  }
}

Result<const Findings*> TenantRules::findings_of(const std::string& tenant,
                                                 const verify::Sender& sender) const {
  if (std::ranges::find(sender.enrolments, tenant, &Enrolment::tenant) == sender.enrolments.end()) {
    return fail(ErrorCode::authentication_failed,
                "the signer " + sender.subject + " is not enrolled for tenant " + tenant,
                "districtctl enrol --tenant " + tenant + " CERT.pem");
  }
  const auto found = std::ranges::find_if(
      rules_, [&](const Rules& rules) { return rules.tenant->code == tenant; });
  if (found == rules_.end())
    return fail(ErrorCode::authentication_failed, "tenant " + tenant + " is not known");
  return &found->findings;
}

std::size_t TenantRules::finding_count() const {
  std::size_t count = 0;
  for (const auto& rules : rules_) count += rules.findings.count();
  return count;
}

}  // namespace district::validate
