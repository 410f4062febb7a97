#include "xml/str_transform.h"

#include <libxml/c14n.h>
#include <libxml/xmlIO.h>
#include <xmlsec/nodeset.h>
#include <xmlsec/transforms.h>
#include <xmlsec/xmlsec.h>

#include "base/text.h"
#include "xml/handles.h"
#include "xml/namespaces.h"

namespace district::xml {
namespace {

// The BinarySecurityToken in the message that the SecurityTokenReference points to, or null.
Element token_of(Element str) {
  if (!str.is(ns::kWsse, "SecurityTokenReference")) return {};
  const Element reference = str.child(ns::kWsse, "Reference");
  const auto uri = reference ? reference.attribute("", "URI") : std::nullopt;
  if (!uri || !uri->starts_with('#')) return {};
  const std::string id = uri->substr(1);
  // The whole document: the token is a child of a Security header, found by its wsu:Id, whose
  // uniqueness collect_ids() has established.
  const Element root{::xmlDocGetRootElement(str.node()->doc)};
  const auto parts = root.children();
  const Element header = parts.empty() ? Element{} : parts.front();
  if (!header || header.name() != "Header") return {};
  for (const Element security : header.children()) {
    if (!security.is(ns::kWsse, "Security")) continue;
    for (const Element token : security.children()) {
      if (token.is(ns::kWsse, "BinarySecurityToken") && token.attribute(ns::kWsu, "Id") == id)
        return token;
    }
  }
  return {};
}

// A certificate that is not in the message, as the token that it would have there: with the prefix
// of the reference, without an id and EncodingType, its base64 without line breaks. Nothing of it
// is in scope of a PrefixList. All versions of WSS4J spell it so.
std::string made_token(Element str, ByteView certificate) {
  const std::string prefix(view(str.node()->ns->prefix));
  const std::string name = (prefix.empty() ? "" : prefix + ":") + "BinarySecurityToken";
  const std::string declarations =
      (prefix.empty() ? " xmlns=\"" : " xmlns=\"\" xmlns:" + prefix + "=\"") +
      std::string(ns::kWsse) + "\"";
  return "<" + name + declarations + " ValueType=\"" + std::string(wss::kX509v3) + "\">" +
         to_base64(certificate) + "</" + name + ">";
}

// Whether the reference names a certificate by what is not a token of the message.
bool names_certificate(Element str) {
  return str.is(ns::kWsse, "SecurityTokenReference") && !str.child(ns::kWsse, "Reference") &&
         (str.child(ns::kWsse, "KeyIdentifier") || str.child(ns::kDs, "X509Data"));
}

// PrefixList of the CanonicalizationMethod among the parameters; read_signature() has checked them.
std::vector<std::string> prefixes_of(Element transform) {
  const Element parameters = transform.child(ns::kWsse, "TransformationParameters");
  const Element method =
      parameters ? parameters.child(ns::kDs, "CanonicalizationMethod") : Element{};
  const Element list = method ? method.child(ns::kExcC14n, "InclusiveNamespaces") : Element{};
  if (!list) return {};
  return split_at_xml_space(list.attribute("", "PrefixList").value_or(""));
}

int write_token(xmlSecTransformPtr transform, xmlSecNodeSetPtr nodes,
                xmlSecTransformCtxPtr context) noexcept;

int read_node(xmlSecTransformPtr transform, xmlNodePtr node, xmlSecTransformCtxPtr) noexcept {
  transform->hereNode = node;
  return 0;
}

// Asked for when the transform is put before another, but the octets are always pushed.
int pop_nothing(xmlSecTransformPtr, xmlSecByte*, xmlSecSize, xmlSecSize*,
                xmlSecTransformCtxPtr) noexcept {
  return -1;
}

int initialize(xmlSecTransformPtr) noexcept { return 0; }
void finalize(xmlSecTransformPtr) noexcept {}

const xmlSecTransformKlass kStrTransformKlass = {
    sizeof(xmlSecTransformKlass),
    sizeof(xmlSecTransform),
    xml_chars("str-transform"),
    xml_chars("http://docs.oasis-open.org/wss/2004/01/"
              "oasis-200401-wss-soap-message-security-1.0#STR-Transform"),
    xmlSecTransformUsageDSigTransform,
    initialize,
    finalize,
    read_node,
    nullptr,  // writeNode
    nullptr,  // setKeyReq
    nullptr,  // setKey
    nullptr,  // verify
    xmlSecTransformDefaultGetDataType,
    nullptr,      // pushBin
    pop_nothing,  // popBin
    write_token,  // pushXml
    nullptr,      // popXml
    nullptr,      // execute
    nullptr,
    nullptr,
};

Result<std::string> canonical_token(Element token, const std::vector<std::string>& prefixes) {
  DISTRICT_TRY(std::string text, canonicalize(token, prefixes));
  // WSS 1.1.1 section 8.3: the apex element always carries a default namespace declaration.
  const auto tag_end = text.find('>');
  if (text.substr(0, tag_end).find(" xmlns=") == std::string::npos) {
    const auto first_blank = text.find(' ');
    text.insert(first_blank < tag_end ? first_blank : tag_end, " xmlns=\"\"");
  }
  return text;
}

// The element that the ds:Reference around the transform has as its URI, if it is among `nodes`.
Element referenced(xmlNode* transform, xmlSecNodeSetPtr nodes) {
  const Element reference = Element{transform}.parent().parent();
  const auto uri = reference.attribute("", "URI");
  if (!uri || !uri->starts_with('#')) return {};
  const xmlAttr* id = ::xmlGetID(transform->doc, xml_chars(uri->c_str() + 1));
  if (id == nullptr || ::xmlSecNodeSetContains(nodes, id->parent, id->parent->parent) != 1)
    return {};
  return Element{id->parent};
}

int write_token(xmlSecTransformPtr transform, xmlSecNodeSetPtr nodes,
                xmlSecTransformCtxPtr context) noexcept {
  if (nodes == nullptr || transform->hereNode == nullptr || transform->next == nullptr) return -1;
  const Element str = referenced(transform->hereNode, nodes);
  if (!str) return -1;
  const auto* certificate = static_cast<const ByteView*>(str.node()->doc->_private);
  const auto text = dereferenced_token(str, prefixes_of(Element{transform->hereNode}),
                                       certificate == nullptr ? ByteView{} : *certificate);
  if (!text) return -1;
  xmlOutputBuffer* out = ::xmlSecTransformCreateOutputBuffer(transform->next, context);
  if (out == nullptr) return -1;
  const int written = ::xmlOutputBufferWrite(out, static_cast<int>(text->size()), text->data());
  const int closed = ::xmlOutputBufferClose(out);
  return written < 0 || closed < 0 ? -1 : 0;
}

}  // namespace

Result<std::string> dereferenced_token(Element str, const std::vector<std::string>& prefixes,
                                       ByteView certificate) {
  if (const Element token = token_of(str)) return canonical_token(token, prefixes);
  if (names_certificate(str) && !certificate.empty()) return made_token(str, certificate);
  return fail(ErrorCode::security_invalid,
              "STR-Transform on something other than a reference to the signer's certificate");
}

const _xmlSecTransformKlass* str_transform_id() { return &kStrTransformKlass; }

}  // namespace district::xml
