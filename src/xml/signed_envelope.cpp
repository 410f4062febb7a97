#include "xml/signed_envelope.h"

#include <array>

#include "crypto/digest.h"
#include "xml/document.h"
#include "xml/namespaces.h"

namespace district::xml {
namespace {

// Start tag, content and end tag, with attributes as given.
std::string element(const std::string& name, const std::string& attributes,
                    const std::string& content) {
  return "<" + name + (attributes.empty() ? "" : " " + attributes) + ">" + content + "</" + name +
         ">";
}

std::string xmlns(const char* prefix, std::string_view uri) {
  return std::string("xmlns:") + prefix + "=\"" + std::string(uri) + "\"";
}

std::string attribute(const char* name, std::string_view value) {
  return std::string(name) + "=\"" + escape_attribute(value) + "\"";
}

std::string_view soap_namespace(SoapVersion version) {
  return version == SoapVersion::v11 ? ns::kSoap11 : ns::kSoap12;
}

// Ids that differ from envelope to envelope, so that two signatures are never the same by chance.
std::string fresh_suffix() {
  std::array<std::byte, 10> random;
  crypto::fill_random(random);
  return to_hex(random);
}

struct Part {
  std::string id;
  std::string canonical;  // exclusive canonical form, also what is sent
  std::vector<std::string> prefixes;
};

std::string inclusive_namespaces(const std::vector<std::string>& prefixes) {
  if (prefixes.empty()) return {};
  std::string list;
  for (const auto& prefix : prefixes) list += (list.empty() ? "" : " ") + prefix;
  return element("ec:InclusiveNamespaces",
                 xmlns("ec", ns::kExcC14n) + " " + attribute("PrefixList", list), "");
}

std::string reference(const Part& part) {
  const std::string transform = element("ds:Transform", attribute("Algorithm", ns::kExcC14n),
                                        inclusive_namespaces(part.prefixes));
  return element(
      "ds:Reference", attribute("URI", "#" + part.id),
      element("ds:Transforms", "", transform) +
          element("ds:DigestMethod", attribute("Algorithm", alg::kSha256), "") +
          element("ds:DigestValue", "", to_base64(crypto::sha256(as_bytes(part.canonical)))));
}

std::string signed_info(const std::vector<Part>& parts, KeyFamily family) {
  std::string content =
      element("ds:CanonicalizationMethod", attribute("Algorithm", ns::kExcC14n), "") +
      element(
          "ds:SignatureMethod",
          attribute("Algorithm", family == KeyFamily::rsa ? alg::kRsaSha256 : alg::kEcdsaSha256),
          "");
  for (const Part& part : parts) content += reference(part);
  return element("ds:SignedInfo", xmlns("ds", ns::kDs), content);
}

std::string key_info(const std::string& token_id) {
  const std::string ref =
      element("wsse:Reference",
              attribute("URI", "#" + token_id) + " " + attribute("ValueType", wss::kX509v3), "");
  return element("ds:KeyInfo", "", element("wsse:SecurityTokenReference", "", ref));
}

Part timestamp(const EnvelopeToSign& envelope, const std::string& suffix) {
  const std::string id = "TS-" + suffix;
  return {id,
          element("wsu:Timestamp", xmlns("wsu", ns::kWsu) + " " + attribute("wsu:Id", id),
                  element("wsu:Created", "", format_instant(envelope.created, 3)) +
                      element("wsu:Expires", "",
                              format_instant(envelope.created + envelope.lifetime, 3))),
          {}};
}

Part confirmation(const std::string& value, std::size_t number, const std::string& suffix) {
  const std::string id = "SC" + std::to_string(number) + "-" + suffix;
  return {id,
          element("wsse11:SignatureConfirmation",
                  xmlns("wsse11", ns::kWsse11) + " " + xmlns("wsu", ns::kWsu) + " " +
                      attribute("Value", value) + " " + attribute("wsu:Id", id),
                  ""),
          {}};
}

std::string envelope_text(SoapVersion version, const std::string& header, const std::string& body) {
  return element("soap:Envelope", xmlns("soap", soap_namespace(version)),
                 (header.empty() ? "" : element("soap:Header", "", header)) + body);
}

}  // namespace

Result<SignedText> write_signed_envelope(const EnvelopeToSign& envelope,
                                         const crypto::Certificate& certificate,
                                         const crypto::PrivateKey& key) {
  const std::string suffix = fresh_suffix();
  const std::string body_id = "Body-" + suffix;
  const std::string token_id = "X509-" + suffix;
  std::vector<Part> parts{timestamp(envelope, suffix)};
  const std::string stamp_text = parts[0].canonical;
  std::string confirmations;
  for (std::size_t i = 0; i < envelope.confirmations.size(); ++i) {
    parts.push_back(confirmation(envelope.confirmations[i], i + 1, suffix));
    confirmations += parts.back().canonical;
  }
  parts.push_back({body_id,
                   element("soap:Body",
                           xmlns("soap", soap_namespace(envelope.version)) + " " +
                               xmlns("wsu", ns::kWsu) + " " + attribute("wsu:Id", body_id),
                           std::string(envelope.body_content)),
                   envelope.inclusive_prefixes});
  const std::string info = signed_info(parts, key.family());
  DISTRICT_TRY(const Bytes value, key.sign(crypto::HashAlgorithm::sha256, as_bytes(info)));
  SignedText result;
  result.signature_value = to_base64(value);
  const std::string token = element(
      "wsse:BinarySecurityToken",
      attribute("EncodingType", wss::kBase64Binary) + " " + attribute("ValueType", wss::kX509v3) +
          " " + xmlns("wsu", ns::kWsu) + " " + attribute("wsu:Id", token_id),
      to_base64(certificate.der()));
  const std::string signature =
      element("ds:Signature", xmlns("ds", ns::kDs),
              info + element("ds:SignatureValue", "", result.signature_value) + key_info(token_id));
  // Signature last and no signed element after it: gSOAP's receivers miscount the Body otherwise.
  result.envelope = envelope_text(envelope.version,
                                  element("wsse:Security", xmlns("wsse", ns::kWsse),
                                          stamp_text + token + confirmations + signature),
                                  parts.back().canonical);
  return result;
}

std::string write_plain_envelope(SoapVersion version, std::string_view body_content) {
  return envelope_text(version, "", element("soap:Body", "", std::string(body_content)));
}

}  // namespace district::xml
