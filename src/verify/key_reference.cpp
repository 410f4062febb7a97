#include "verify/key_reference.h"

#include <algorithm>

#include "base/diagnosis.h"
#include "base/limits.h"
#include "verify/near_miss.h"
#include "xml/namespaces.h"

namespace district::verify {
namespace {

namespace ns = xml::ns;
namespace wss = xml::wss;
using crypto::Certificate;

tl::unexpected<Error> invalid(std::string detail, std::string rule = {}) {
  return fail_by(std::move(rule), ErrorCode::security_invalid, std::move(detail));
}

// Base64 content of a token, bounded before it is decoded.
Result<Bytes> token_octets(xml::Element element) {
  const auto encoding = element.attribute("", "EncodingType");
  if (encoding && *encoding != wss::kBase64Binary) {
    return fail_by(
        "BSP 1.1 R3030, R3071", ErrorCode::token_unsupported,
        std::string(element.name()) + " has EncodingType '" + encoding->substr(0, 128) + "'",
        "set it to " + std::string(wss::kBase64Binary));
  }
  const auto text = element.only_text();
  if (!text)
    return fail(ErrorCode::token_invalid, std::string(element.name()) + " has child nodes");
  if (text->size() > limits::kTokenBytesMax)
    return fail(ErrorCode::token_invalid, "token is too long");
  auto octets = from_base64(*text);
  if (!octets || octets->empty())
    return fail(ErrorCode::token_invalid, std::string(element.name()) + " is not base64");
  return std::move(*octets);
}

Result<Certificate> from_octets(ByteView der, const trust::TrustSnapshot& trust) {
  // Decoding costs far more than a digest: take the enrolled one where it is the same.
  if (const auto* known = trust.find_by_sha256(crypto::Certificate::fingerprint(der));
      known != nullptr) {
    return known->certificate;
  }
  return Certificate::from_der(der);
}

Result<KeySource> from_binary_token(xml::Element token, const trust::TrustSnapshot& trust) {
  const auto type = token.attribute("", "ValueType");
  if (type != wss::kX509v3 && type != wss::kX509PkiPathv1) {
    return fail_by(
        "BSP 1.1 R3031, R3032", ErrorCode::token_unsupported,
        "BinarySecurityToken has ValueType '" + type.value_or("(none)").substr(0, 128) + "'",
        "set it to " + std::string(wss::kX509v3) + " or " + std::string(wss::kX509PkiPathv1));
  }
  if (!token.attribute("", "EncodingType"))
    return fail_by("BSP 1.1 R3029", ErrorCode::token_unsupported,
                   "BinarySecurityToken without EncodingType",
                   "set the token's EncodingType to " + std::string(wss::kBase64Binary) +
                       "; its ValueType is right");
  DISTRICT_TRY(const Bytes octets, token_octets(token));
  if (type == wss::kX509v3) {
    DISTRICT_TRY(Certificate certificate, from_octets(octets, trust));
    return KeySource{{std::move(certificate)}};
  }
  DISTRICT_TRY(auto path, Certificate::from_pki_path(octets, limits::kPkiPathCertificatesMax));
  KeySource source{{path.back()}};  // X.509: from the trust anchor's side to the end entity
  path.pop_back();
  source.issuers = std::move(path);
  return source;
}

Result<KeySource> from_reference(xml::Element reference, xml::Element security,
                                 const trust::TrustSnapshot& trust) {
  const auto uri = reference.attribute("", "URI");
  if (!uri || uri->empty()) return invalid("wsse:Reference without URI", "BSP 1.1 R3062");
  if (uri->front() != '#')
    return fail(ErrorCode::token_unavailable, "wsse:Reference to something outside the message");
  const xml::Element token = find_token(security, uri->substr(1));
  if (!token) {
    return fail(ErrorCode::token_unavailable,
                "no token of this Security header has the wsu:Id " + uri->substr(1));
  }
  if (!token.is(ns::kWsse, "BinarySecurityToken")) {
    return fail(ErrorCode::token_unsupported, "wsse:Reference to a " + std::string(token.name()));
  }
  const auto type = reference.attribute("", "ValueType");
  if (type && type != token.attribute("", "ValueType")) {
    return invalid("wsse:Reference and its BinarySecurityToken have different ValueTypes",
                   "BSP 1.1 R3058");
  }
  return from_binary_token(token, trust);
}

Result<KeySource> known(const std::vector<const trust::EnrolledCertificate*>& found,
                        const char* by) {
  if (found.empty()) {
    return fail(ErrorCode::token_unavailable, std::string("no enrolled certificate has this ") + by,
                "enrol the certificate, or let the gateway send it in a BinarySecurityToken");
  }
  KeySource source;
  for (const auto* certificate : found) source.candidates.push_back(certificate->certificate);
  return source;
}

Result<KeySource> from_key_identifier(xml::Element identifier, const trust::TrustSnapshot& trust) {
  const auto type = identifier.attribute("", "ValueType");
  if (type != wss::kX509v3 && type != wss::kThumbprintSha1 &&
      type != wss::kX509SubjectKeyIdentifier) {
    return fail_by("BSP 1.1 R3054, R3063", ErrorCode::token_unsupported,
                   "KeyIdentifier has ValueType '" + type.value_or("(none)").substr(0, 128) + "'",
                   "set it to " + std::string(wss::kThumbprintSha1) + ", " +
                       std::string(wss::kX509SubjectKeyIdentifier) + " or " +
                       std::string(wss::kX509v3));
  }
  DISTRICT_TRY(const Bytes octets, token_octets(identifier));
  if (type == wss::kX509v3) {
    DISTRICT_TRY(Certificate certificate, from_octets(octets, trust));
    return KeySource{{std::move(certificate)}};
  }
  if (type == wss::kThumbprintSha1) return known(trust.find_by_sha1(octets), "thumbprint");
  return known(trust.find_by_subject_key_identifier(octets), "subject key identifier");
}

Result<KeySource> from_x509_data(xml::Element data, const trust::TrustSnapshot& trust) {
  const xml::Element certificate = data.child(ns::kDs, "X509Certificate");
  const xml::Element issuer_serial = data.child(ns::kDs, "X509IssuerSerial");
  const auto expected = static_cast<std::size_t>(certificate ? 1 : 0) +
                        static_cast<std::size_t>(issuer_serial ? 1 : 0);
  if (expected == 0)
    return fail(ErrorCode::token_unsupported,
                "X509Data with neither X509IssuerSerial nor X509Certificate");
  if (data.children().size() != expected)
    return invalid("X509Data with more than one reference", "BSP 1.1 R3061");
  std::string issuer, serial;
  if (issuer_serial) {
    const auto parts = issuer_serial.children();
    // zeep writes an empty X509IssuerSerial beside the certificate.
    if (!(certificate && parts.empty() && issuer_serial.trimmed_text().empty())) {
      if (parts.size() != 2 || !parts[0].is(ns::kDs, "X509IssuerName") ||
          !parts[1].is(ns::kDs, "X509SerialNumber")) {
        return invalid("X509IssuerSerial is not X509IssuerName, X509SerialNumber");
      }
      issuer = parts[0].text();
      serial = parts[1].trimmed_text();
    }
  }
  if (!certificate)
    return known(trust.find_by_issuer_serial(issuer, serial), "issuer and serial number");
  DISTRICT_TRY(const Bytes octets, token_octets(certificate));
  DISTRICT_TRY(Certificate result, from_octets(octets, trust));
  if (!issuer.empty() && (!result.issuer_matches(issuer) || result.serial_decimal() != serial)) {
    return invalid("X509IssuerSerial and X509Certificate mean different certificates");
  }
  return KeySource{{std::move(result)}};
}

Result<KeySource> dispatch(xml::Element key_info, xml::Element security,
                           const trust::TrustSnapshot& trust) {
  const auto references = key_info.children();
  if (references.size() != 1)
    return invalid("KeyInfo does not have exactly one child", "BSP 1.1 R5402");
  if (!references[0].is(ns::kWsse, "SecurityTokenReference")) {
    return fail_by("BSP 1.1 R5402, R5417", ErrorCode::token_unsupported,
                   "KeyInfo has a " + std::string(references[0].name()) +
                       " instead of a wsse:SecurityTokenReference");
  }
  const auto type = references[0].attribute(ns::kWsse11, "TokenType");
  if (type && type != wss::kX509v3 && type != wss::kX509PkiPathv1) {
    return fail_by("BSP 1.1 R3074", ErrorCode::token_unsupported,
                   "SecurityTokenReference has TokenType " + type->substr(0, 128));
  }
  const auto children = references[0].children();
  if (children.size() != 1)
    return invalid("SecurityTokenReference does not have exactly one child", "BSP 1.1 R3061");
  const xml::Element child = children[0];
  if (child.is(ns::kWsse, "Reference")) return from_reference(child, security, trust);
  if (child.is(ns::kWsse, "KeyIdentifier")) return from_key_identifier(child, trust);
  if (child.is(ns::kDs, "X509Data")) return from_x509_data(child, trust);
  return fail(ErrorCode::token_unsupported,
              "SecurityTokenReference has a " + std::string(child.name()));
}

// With what came, and what it may be meant for.
Error explained(Error error, xml::Element key_info, const trust::TrustSnapshot& trust) {
  if (error.code != ErrorCode::token_unavailable && error.code != ErrorCode::token_invalid)
    return error;
  const auto name = named_key(key_info);
  if (!name) return error;
  error.detail += ": " + shown(*name);
  auto near = near_miss(*name, trust.newest(kNearMissCertificatesMax));
  if (near.explanation.empty()) return error;
  error.detail += "; " + near.explanation;
  error.hint = std::move(near.hint);
  return error;
}

}  // namespace

xml::Element find_token(xml::Element security, std::string_view id) {
  for (const xml::Element token : security.children()) {
    if (token.attribute(ns::kWsu, "Id") == id) return token;
  }
  return {};
}

Result<KeySource> read_key_reference(xml::Element key_info, xml::Element security,
                                     const trust::TrustSnapshot& trust) {
  auto found = dispatch(key_info, security, trust);
  if (!found) return fail(explained(std::move(found).error(), key_info, trust));
  return found;
}

Result<KeySource> find_certificates(xml::Element key_info, xml::Element security,
                                    const trust::TrustSnapshot& trust) {
  DISTRICT_TRY(KeySource source, read_key_reference(key_info, security, trust));
  for (const Certificate& certificate : source.candidates) {
    DISTRICT_CHECK(crypto::check_strength(certificate.public_key()));
    if (!certificate.may_sign()) {
      return fail_by("RFC 5280 section 4.2.1.3", ErrorCode::token_invalid,
                     "the key usage of " + certificate.subject() + " lacks digitalSignature");
    }
  }
  return source;
}

Result<Ok> check_issuers(const KeySource& source) {
  auto subjects = source.issuers;
  subjects.insert(subjects.end(), source.candidates.begin(), source.candidates.end());
  for (std::size_t i = 0; i < source.issuers.size(); ++i) {
    if (subjects[i + 1].signed_by(source.issuers[i])) continue;
    return fail(ErrorCode::token_invalid,
                "PkiPath: " + subjects[i + 1].subject() + " was not signed by the one above it");
  }
  return Ok{};
}

}  // namespace district::verify
