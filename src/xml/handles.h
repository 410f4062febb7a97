// Owners of libxml2 and xmlsec1 objects, and conversions of its strings. Private to xml/.
#pragma once

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlschemas.h>

#include <string_view>

#include "base/c_handle.h"

namespace district::xml {

using XmlParser = CHandle<xmlParserCtxt, xmlFreeParserCtxt>;
using XmlDoc = CHandle<xmlDoc, xmlFreeDoc>;
using XmlSchemaParser = CHandle<xmlSchemaParserCtxt, xmlSchemaFreeParserCtxt>;
using XmlSchema = CHandle<xmlSchema, xmlSchemaFree>;
using XmlSchemaValidator = CHandle<xmlSchemaValidCtxt, xmlSchemaFreeValidCtxt>;
using XmlOutput = CHandle<xmlOutputBuffer, xmlOutputBufferClose>;

inline std::string_view view(const xmlChar* text) {
  return text == nullptr ? std::string_view{} : reinterpret_cast<const char*>(text);
}
inline const xmlChar* xml_chars(const char* text) { return reinterpret_cast<const xmlChar*>(text); }

// libxml2's strings that it hands over.
inline void free_xml_chars(xmlChar* text) { ::xmlFree(text); }
using XmlText = CHandle<xmlChar, free_xml_chars>;

}  // namespace district::xml
