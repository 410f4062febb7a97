#include "gateway/receipt.h"

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "base/c_handle.h"
#include "base/limits.h"
#include "gateway/signer.h"
#include "xml/dsig.h"
#include "xml/namespaces.h"

namespace district::gateway {
namespace {

namespace ns = xml::ns;
namespace alg = xml::alg;

using X509Cert = CHandle<X509, X509_free>;
using X509Store = CHandle<X509_STORE, X509_STORE_free>;
using X509StoreContext = CHandle<X509_STORE_CTX, X509_STORE_CTX_free>;

tl::unexpected<Error> invalid(const std::string& why) {
  return fail(ErrorCode::gateway_receipt_invalid, "the answer is no proof: " + why,
              "nothing was recorded as delivered; ask the operator of the server");
}

tl::unexpected<Error> invalid(const Error& cause) { return invalid(cause.detail); }

constexpr std::array kSignatureAlgorithms{alg::kRsaSha256,   alg::kRsaSha384,   alg::kRsaSha512,
                                          alg::kEcdsaSha256, alg::kEcdsaSha384, alg::kEcdsaSha512};
constexpr std::array kDigestAlgorithms{alg::kSha256, alg::kSha384, alg::kSha512};

template <typename List>
bool allows(const List& list, std::string_view algorithm) {
  return std::find(list.begin(), list.end(), algorithm) != list.end();
}

// The parts of an answer that this profile knows. Each must be there exactly once.
struct Parts {
  xml::Element body;
  xml::Element timestamp, token, confirmation, signature;
};

Result<xml::Element> only_child(xml::Element parent, std::string_view uri, std::string_view local) {
  if (parent.count(uri, local) != 1) {
    return invalid(std::string(parent.name()) + " has not exactly one " + std::string(local));
  }
  return parent.child(uri, local);
}

Result<Parts> find_parts(xml::Element root) {
  const std::string_view soap = root.namespace_uri();
  if (root.name() != "Envelope" || (soap != ns::kSoap11 && soap != ns::kSoap12)) {
    return invalid("it is no SOAP envelope");
  }
  Parts parts;
  DISTRICT_TRY(parts.body, only_child(root, soap, "Body"));
  DISTRICT_TRY(auto header, only_child(root, soap, "Header"));
  DISTRICT_TRY(auto security, only_child(header, ns::kWsse, "Security"));
  DISTRICT_TRY(parts.timestamp, only_child(security, ns::kWsu, "Timestamp"));
  DISTRICT_TRY(parts.token, only_child(security, ns::kWsse, "BinarySecurityToken"));
  DISTRICT_TRY(parts.confirmation, only_child(security, ns::kWsse11, "SignatureConfirmation"));
  DISTRICT_TRY(parts.signature, only_child(security, ns::kDs, "Signature"));
  return parts;
}

// KeyInfo must refer to the token from which we take the certificate.
Result<Ok> check_key_reference(const xml::SignatureParts& signature, const Parts& parts) {
  DISTRICT_TRY(auto str, only_child(signature.key_info, ns::kWsse, "SecurityTokenReference"));
  DISTRICT_TRY(auto reference, only_child(str, ns::kWsse, "Reference"));
  const auto id = parts.token.attribute(ns::kWsu, "Id");
  if (!id || reference.attribute("", "URI") != "#" + *id) {
    return invalid("the signature's key is not that of the BinarySecurityToken");
  }
  return Ok{};
}

Result<crypto::Certificate> read_token(xml::Element token) {
  if (token.attribute("", "ValueType") != xml::wss::kX509v3) {
    return invalid("the BinarySecurityToken is no X.509 certificate");
  }
  const auto text = token.only_text();
  const auto der = text ? from_base64(*text) : std::nullopt;
  if (!der) return invalid("the BinarySecurityToken is not base64");
  auto certificate = crypto::Certificate::from_der(*der);
  if (!certificate) return invalid(certificate.error());
  return certificate;
}

Result<Ok> check_algorithms(const xml::SignatureParts& signature) {
  if (!allows(kSignatureAlgorithms, signature.signature_algorithm)) {
    return invalid("signature algorithm " + signature.signature_algorithm);
  }
  for (const auto& reference : signature.references) {
    if (!allows(kDigestAlgorithms, reference.digest_algorithm)) {
      return invalid("digest algorithm " + reference.digest_algorithm);
    }
  }
  return Ok{};
}

// What a reference resolves to must be the very element that is used.
Result<Ok> check_coverage(const xml::SignatureParts& signature, const Parts& parts) {
  for (const xml::Element& needed : {parts.body, parts.timestamp, parts.confirmation}) {
    const bool covered =
        std::any_of(signature.references.begin(), signature.references.end(),
                    [&](const xml::SignedReference& reference) {
                      return !reference.str_transform && reference.element == needed;
                    });
    if (!covered) return invalid("the signature does not cover " + std::string(needed.name()));
  }
  return Ok{};
}

// The clocks of gateway and server may differ by as much as the server accepts.
Result<Ok> check_fresh(xml::Element timestamp, Instant now) {
  DISTRICT_TRY(auto created_element, only_child(timestamp, ns::kWsu, "Created"));
  DISTRICT_TRY(auto expires_element, only_child(timestamp, ns::kWsu, "Expires"));
  const auto created = parse_date_time(created_element.trimmed_text());
  const auto expires = parse_date_time(expires_element.trimmed_text());
  if (!created || !expires) return invalid("its Timestamp is no time with a zone");
  if (*created < now - limits::kCreatedAgeMax || *created > now + limits::kCreatedAgeMax ||
      *expires <= now || *expires <= *created) {
    return invalid("its Timestamp " + format_instant(*created, 0) + " is not fresh at " +
                   format_instant(now, 0));
  }
  return Ok{};
}

std::string last_reason(X509_STORE_CTX* context) {
  return ::X509_verify_cert_error_string(::X509_STORE_CTX_get_error(context));
}

}  // namespace

Result<AnswerVerifier> AnswerVerifier::create(const std::vector<std::string>& certificate_files,
                                              const std::string& ca_file, const std::string& host) {
  AnswerVerifier verifier;
  for (const std::string& file : certificate_files) {
    DISTRICT_TRY(const auto certificates, read_certificates(file));
    // The authorities in a chain do not sign receipts. A signer that stands alone may be its own
    // authority.
    for (const auto& certificate : certificates) {
      if (certificates.size() == 1 || !certificate.is_authority())
        verifier.named_.push_back(certificate);
    }
    if (verifier.named_.empty()) {
      return fail(ErrorCode::gateway_input,
                  "--receipt-certificate " + file + ": all its certificates are authorities",
                  "name the certificate that signs receipts; an authority is for --ca");
    }
  }
  verifier.ca_file_ = ca_file;
  verifier.host_ = host;
  return verifier;
}

Result<Ok> AnswerVerifier::check_issued_for_host(const crypto::Certificate& certificate) const {
  const unsigned char* der = as_uchar(certificate.der());
  const X509Cert leaf{::d2i_X509(nullptr, &der, static_cast<long>(certificate.der().size()))};
  const X509Store store{::X509_STORE_new()};
  const X509StoreContext context{::X509_STORE_CTX_new()};
  if (!leaf || !store || !context || ::X509_STORE_load_file(store.get(), ca_file_.c_str()) != 1 ||
      ::X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), nullptr) != 1) {
    return fail(ErrorCode::file_unreadable, "--ca " + ca_file_ + " has no certificate");
  }
  X509_VERIFY_PARAM* rules = ::X509_STORE_CTX_get0_param(context.get());
  if (::X509_VERIFY_PARAM_set1_ip_asc(rules, host_.c_str()) != 1) {
    ::X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    ::X509_VERIFY_PARAM_set1_host(rules, host_.c_str(), host_.size());
  }
  if (::X509_verify_cert(context.get()) == 1) return Ok{};
  return invalid("its signer " + certificate.subject() + " is not trusted for " + host_ + ": " +
                 last_reason(context.get()));
}

Result<Ok> AnswerVerifier::check_signer(const crypto::Certificate& certificate, Instant now) const {
  if (now < certificate.not_before() || now > certificate.not_after()) {
    return invalid("the certificate of its signer is valid from " +
                   format_instant(certificate.not_before(), 0) + " to " +
                   format_instant(certificate.not_after(), 0) +
                   ", and the clock of this machine says " + format_instant(now, 0));
  }
  if (!certificate.may_sign()) return invalid("its signer's certificate is not for signatures");
  auto strong = crypto::check_strength(certificate.public_key());
  if (!strong) return invalid(strong.error());
  if (named_.empty()) return check_issued_for_host(certificate);
  const bool named = std::any_of(named_.begin(), named_.end(), [&](const auto& trusted) {
    return trusted.der() == certificate.der();
  });
  if (!named) return invalid("its signer " + certificate.subject() + " is none of those named");
  return Ok{};
}

Result<SignedAnswer> AnswerVerifier::verify(std::string_view octets, std::string_view charset,
                                            std::string_view request_signature, Instant now) const {
  auto document = xml::Document::parse(as_bytes(octets), charset);
  if (!document) return invalid(document.error());
  const xml::Element root = (*document)->root();
  DISTRICT_TRY(auto parts, find_parts(root));
  auto ids = xml::collect_ids(root);
  if (!ids) return invalid(ids.error());
  auto signature = xml::read_signature(parts.signature, *ids);
  if (!signature) return invalid(signature.error());

  DISTRICT_CHECK(check_algorithms(*signature));
  DISTRICT_CHECK(check_key_reference(*signature, parts));
  DISTRICT_TRY(auto certificate, read_token(parts.token));
  DISTRICT_CHECK(check_signer(certificate, now));

  auto signed_info = xml::canonical_signed_info(*signature);
  if (!signed_info) return invalid(signed_info.error());
  auto signed_by_key = xml::verify_signed_info(*signed_info, *signature, certificate.public_key());
  if (!signed_by_key) return invalid(signed_by_key.error());
  auto digests = xml::verify_by_xmlsec(*signature, certificate.public_key());
  if (!digests) return invalid(digests.error());

  DISTRICT_CHECK(check_coverage(*signature, parts));
  if (parts.confirmation.attribute("", "Value") != request_signature) {
    return invalid("it confirms another request's signature");
  }
  DISTRICT_CHECK(check_fresh(parts.timestamp, now));
  return SignedAnswer{*document, parts.body};
}

}  // namespace district::gateway
