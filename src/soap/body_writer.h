// Writes receipts and faults by gSOAP's serialisation, as canonical text.
#pragma once

#include "acknowledge/acknowledger.h"

namespace district::soap {

// The text is in exclusive canonical form as it stands in a signed Body, which binds `soap` and
// `wsu` and nothing else; the prefix of a fault's code is declared where the code is, and kept by a
// PrefixList of inclusive_prefixes(). A fault without detail is for an unsigned Body, too: it
// declares all that it needs but `soap`.
// Threads: any; each thread reuses one gSOAP context.
class BodyWriter final : public acknowledge::BodyWriter {
 public:
  Result<std::string> receipt(const Receipt& receipt) const override;
  Result<std::string> fault(SoapVersion version, const Error& error, std::string_view rejection_id,
                            bool with_detail) const override;
};

}  // namespace district::soap
