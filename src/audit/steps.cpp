#include "audit/steps.h"

#include <utility>

#include "base/diagnosis.h"
#include "base/utf8.h"

namespace district::audit {

Step& Steps::add(const char* name, const char* title, Finding finding, std::string text) {
  steps_.push_back({name, title, finding, std::move(text), {}, {}});
  return steps_.back();
}

Step& Steps::add_error(const char* name, const char* title, const Error& error) {
  auto& step = add(name, title, Finding::bad, error.detail);
  if (const auto rule = rule_of(error); !rule.empty()) step.more.push_back("rule: " + rule);
  if (!error.hint.empty()) step.hints.push_back(error.hint);
  return step;
}

void Steps::not_checked(const char* name, const char* title, const std::string& why) {
  add(name, title, Finding::not_checked, "not checked: " + why);
}

std::string short_name(std::string_view uri) {
  const auto at = uri.find_last_of("#/");
  return std::string(at == std::string_view::npos || at + 1 == uri.size() ? uri
                                                                          : uri.substr(at + 1));
}

std::string excerpt(std::string_view text) {
  constexpr std::size_t kBytesMax = 120;
  return text.size() <= kBytesMax ? std::string(text) : std::string(cut(text, kBytesMax)) + "...";
}

Enrolment assumed_enrolment(const crypto::Certificate& certificate, const std::string& tenant) {
  Enrolment enrolment;
  enrolment.tenant = tenant;
  enrolment.certificate_sha256 = certificate.sha256();
  enrolment.certificate_der = certificate.der();
  enrolment.subject = certificate.subject();
  enrolment.allow_sha1_until = Instant::max();
  return enrolment;
}

}  // namespace district::audit
