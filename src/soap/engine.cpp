#include "soap/engine.h"

#include <algorithm>
#include <cstring>

#include "xml/namespaces.h"

// gSOAP's library expects this symbol. Each use sets a table of its own.
SOAP_NMAC struct Namespace namespaces[] = {{nullptr, nullptr, nullptr, nullptr}};

namespace district::soap {
namespace {

// All of these are literals, and so end with a zero.
constexpr const char* kSoap11 = xml::ns::kSoap11.data();
constexpr const char* kSoap12 = xml::ns::kSoap12.data();
constexpr const char* kXsi = xml::ns::kXsi.data();
constexpr const char* kXsd = "http://www.w3.org/2001/XMLSchema";
constexpr const char* kUrb = xml::ns::kUrb.data();
constexpr const char* kWsse = xml::ns::kWsse.data();
constexpr const char* kWsu = xml::ns::kWsu.data();

const Namespace kNamespaces11[] = {{"SOAP-ENV", kSoap11, kSoap12, nullptr},
                                   {"SOAP-ENC", "http://schemas.xmlsoap.org/soap/encoding/",
                                    "http://www.w3.org/2003/05/soap-encoding", nullptr},
                                   {"xsi", kXsi, nullptr, nullptr},
                                   {"xsd", kXsd, nullptr, nullptr},
                                   {"urb", kUrb, nullptr, nullptr},
                                   {"wsse", kWsse, nullptr, nullptr},
                                   {"wsu", kWsu, nullptr, nullptr},
                                   {nullptr, nullptr, nullptr, nullptr}};

const Namespace kNamespaces12[] = {{"SOAP-ENV", kSoap12, kSoap11, nullptr},
                                   {"SOAP-ENC", "http://www.w3.org/2003/05/soap-encoding",
                                    "http://schemas.xmlsoap.org/soap/encoding/", nullptr},
                                   {"xsi", kXsi, nullptr, nullptr},
                                   {"xsd", kXsd, nullptr, nullptr},
                                   {"urb", kUrb, nullptr, nullptr},
                                   {"wsse", kWsse, nullptr, nullptr},
                                   {"wsu", kWsu, nullptr, nullptr},
                                   {nullptr, nullptr, nullptr, nullptr}};

}  // namespace

const Namespace* namespace_table(SoapVersion version) {
  return version == SoapVersion::v11 ? kNamespaces11 : kNamespaces12;
}

// STRICT: without it gSOAP checks no occurrences. CANONICAL: exclusive C14N, which declares a
// prefix where it is first used. TREE: no references between equal values.
Engine::Engine()
    : context_(soap_new2(SOAP_ENC_PLAIN | SOAP_C_UTFSTRING | SOAP_XML_STRICT,
                         SOAP_ENC_PLAIN | SOAP_C_UTFSTRING | SOAP_XML_CANONICAL | SOAP_XML_TREE)) {
  if (context_ == nullptr) throw std::bad_alloc();
  context_->user = this;
  context_->frecv = receive;
  context_->fsend = send;
}

Engine::~Engine() {
  soap_destroy(context_);
  soap_end(context_);
  soap_free(context_);
}

Engine& Engine::of_this_thread() {
  thread_local Engine engine;
  return engine;
}

std::size_t Engine::receive(::soap* context, char* to, std::size_t size) {
  auto& input = static_cast<Engine*>(context->user)->input_;
  const std::size_t count = std::min(size, input.size());
  if (count > 0) std::memcpy(to, input.data(), count);
  input.remove_prefix(count);
  return count;
}

int Engine::send(::soap* context, const char* from, std::size_t size) {
  static_cast<Engine*>(context->user)->output_.append(from, size);
  return SOAP_OK;
}

Engine::Use::Use(SoapVersion version, std::string_view input) : engine_(of_this_thread()) {
  engine_.input_ = input;
  engine_.output_.clear();
  soap_begin(context());
  soap_set_namespaces(context(), namespace_table(version));
  context()->version = version == SoapVersion::v11 ? 1 : 2;
  // Document/literal: no encodingStyle attribute anywhere.
  context()->encodingStyle = nullptr;
}

Engine::Use::~Use() {
  soap_destroy(context());
  soap_end(context());
  engine_.input_ = {};
}

std::string Engine::Use::error_text() const {
  if (context()->error == SOAP_OK) return "no error";
  char text[512] = "";
  soap_sprint_fault(context(), text, sizeof text);
  return text;
}

std::string enveloped(SoapVersion version, std::string_view body_child) {
  const std::string_view uri = version == SoapVersion::v11 ? xml::ns::kSoap11 : xml::ns::kSoap12;
  std::string text;
  text.reserve(body_child.size() + 200);
  text.append("<soap:Envelope xmlns:soap=\"").append(uri).append("\"><soap:Body>");
  text.append(body_child).append("</soap:Body></soap:Envelope>");
  return text;
}

}  // namespace district::soap
