// Dispatches the operation of a request by gSOAP's generated service.
#pragma once

#include "validate/validator.h"

namespace district::soap {

// Threads: any; each thread reuses one gSOAP context.
class OperationReader final : public validate::OperationReader {
 public:
  Result<validate::OperationHead> read(std::string_view body_child) const override;
};

}  // namespace district::soap
