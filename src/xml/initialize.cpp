#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <xmlsec/crypto.h>
#include <xmlsec/errors.h>
#include <xmlsec/transforms.h>
#include <xmlsec/xmlsec.h>

#include <cstdlib>
#include <mutex>
#include <string>

#include "xml/document.h"
#include "xml/schema.h"
#include "xml/str_transform.h"

namespace district::xml {
namespace {

// The name in the contract that a resolved schemaLocation means.
std::string contract_name(std::string_view url) {
  if (const auto query = url.find("?xsd="); query != std::string_view::npos)
    url.remove_prefix(query + 5);
  if (url.starts_with("./")) url.remove_prefix(2);
  return std::string(url);
}

// The only external things that libxml2 may ever read are the contract's own schemas, by name.
xmlParserInput* load_contract_only(const char* url, const char*, xmlParserCtxt* parser) noexcept {
  const auto text = url == nullptr ? std::nullopt : contract_file(contract_name(url));
  if (!text) return nullptr;
  // A copy: libxml2 2.9.14 corrupts what it reads from a static buffer of more than 4,000 octets.
  xmlParserInputBuffer* buffer = ::xmlParserInputBufferCreateMem(
      text->data(), static_cast<int>(text->size()), XML_CHAR_ENCODING_NONE);
  if (buffer == nullptr) return nullptr;
  xmlParserInput* input = ::xmlNewIOInputStream(parser, buffer, XML_CHAR_ENCODING_NONE);
  if (input != nullptr)
    input->filename = reinterpret_cast<char*>(::xmlStrdup(reinterpret_cast<const xmlChar*>(url)));
  return input;
}

// Their reasons are ours to tell, not stderr's.
void silent_generic(void*, const char*, ...) noexcept {}
void silent_structured(void*, xmlError*) noexcept {}
void silent_xmlsec(const char*, int, const char*, const char*, const char*, int,
                   const char*) noexcept {}

void initialize_once() {
  ::xmlInitParser();
  ::xmlSetGenericErrorFunc(nullptr, silent_generic);
  ::xmlSetStructuredErrorFunc(nullptr, silent_structured);
  ::xmlSetExternalEntityLoader(load_contract_only);
  ::xmlSecErrorsSetCallback(silent_xmlsec);
  const bool good = ::xmlSecInit() == 0 && ::xmlSecCheckVersion() == 1 &&
                    ::xmlSecCryptoAppInit(nullptr) == 0 && ::xmlSecCryptoInit() == 0 &&
                    ::xmlSecTransformIdsRegister(str_transform_id()) == 0;
  if (!good) ::abort();  // a broken installation: nothing can be verified
  ::xmlSecErrorsSetCallback(silent_xmlsec);
}

}  // namespace

void initialize() {
  static std::once_flag once;
  std::call_once(once, initialize_once);
}

}  // namespace district::xml
