#include "soap/operation_reader.h"

#include <soapAggregationBindingService.h>

#include "base/text.h"
#include "soap/engine.h"

namespace district::soap {
namespace {

// The generated service, with each operation only noted: the pipeline answers, not gSOAP.
class Dispatcher final : public AggregationBindingService {
 public:
  explicit Dispatcher(::soap* context) : AggregationBindingService(context) {
    // The generated constructor has set a table that speaks SOAP 1.2 first.
    soap_set_namespaces(context, namespace_table(SoapVersion::v11));
  }

  // The generated dispatch() would set that table again.
  void AggregationBindingService_init(soap_mode, soap_mode) override {}
  AggregationBindingService* copy() override { return nullptr; }

  int AggregateMessage(_urb__AggregateMessageRequest* request,
                       _urb__AggregateMessageResponse&) override {
    head.operation = "AggregateMessage";
    head.tenant_code = collapse_xml_space(request->tenantCode);
    // No response from here: it is written once the envelope is durable.
    return SOAP_STOP;
  }

  validate::OperationHead head;
};

}  // namespace

Result<validate::OperationHead> OperationReader::read(std::string_view body_child) const {
  const std::string envelope = enveloped(SoapVersion::v11, body_child);
  const Engine::Use use(SoapVersion::v11, envelope);
  ::soap* context = use.context();
  Dispatcher dispatcher(context);
  const bool body_found =
      soap_begin_recv(context) == SOAP_OK && soap_envelope_begin_in(context) == SOAP_OK &&
      soap_recv_header(context) == SOAP_OK && soap_body_begin_in(context) == SOAP_OK;
  if (!body_found || dispatcher.dispatch(context) != SOAP_STOP) {
    return fail(ErrorCode::schema_invalid,
                "gSOAP cannot dispatch the request: " + use.error_text());
  }
  return std::move(dispatcher.head);
}

}  // namespace district::soap
