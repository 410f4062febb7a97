// The STR-Transform, which WSS4J uses to sign the token that a SecurityTokenReference means.
// Private to xml/. Source: WSS SOAP Message Security 1.1.1 section 8.3.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "xml/document.h"

struct _xmlSecTransformKlass;

namespace district::xml {

// The octets that stand for the reference `str` (wsse:SecurityTokenReference): the canonical
// BinarySecurityToken that it points to within the message; or, where it names a certificate that
// is not in the message, one made of `certificate`, the signer's (DER; empty: it is not known).
// Errors: security_invalid where it points to anything else.
Result<std::string> dereferenced_token(Element str, const std::vector<std::string>& prefixes,
                                       ByteView certificate);

// The transform for xmlsec1, which has none of its own. The certificate is what the document's
// _private points to: null or a ByteView.
const _xmlSecTransformKlass* str_transform_id();

}  // namespace district::xml
