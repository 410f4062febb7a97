#include "xml/dsig.h"

#include <libxml/xmlIO.h>
#include <openssl/evp.h>
#include <xmlsec/crypto.h>
#include <xmlsec/errors.h>
#include <xmlsec/openssl/evp.h>
#include <xmlsec/transforms.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmlsec.h>

#include <algorithm>
#include <array>

#include "base/diagnosis.h"
#include "base/limits.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "xml/handles.h"
#include "xml/namespaces.h"
#include "xml/str_transform.h"

namespace district::xml {
namespace {

using DsigContext = CHandle<xmlSecDSigCtx, xmlSecDSigCtxDestroy>;
using SecKey = CHandle<xmlSecKey, xmlSecKeyDestroy>;
using SecKeyData = CHandle<xmlSecKeyData, xmlSecKeyDataDestroy>;

tl::unexpected<Error> invalid(std::string detail, std::string rule = {}) {
  return fail_by(std::move(rule), ErrorCode::security_invalid, std::move(detail));
}

struct SignatureMethod {
  std::string_view uri;
  KeyFamily family;
  crypto::HashAlgorithm hash;
};
constexpr std::array kSignatureMethods = {
    SignatureMethod{alg::kRsaSha256, KeyFamily::rsa, crypto::HashAlgorithm::sha256},
    SignatureMethod{alg::kRsaSha384, KeyFamily::rsa, crypto::HashAlgorithm::sha384},
    SignatureMethod{alg::kRsaSha512, KeyFamily::rsa, crypto::HashAlgorithm::sha512},
    SignatureMethod{alg::kRsaSha1, KeyFamily::rsa, crypto::HashAlgorithm::sha1},
    SignatureMethod{alg::kEcdsaSha256, KeyFamily::ecdsa, crypto::HashAlgorithm::sha256},
    SignatureMethod{alg::kEcdsaSha384, KeyFamily::ecdsa, crypto::HashAlgorithm::sha384},
    SignatureMethod{alg::kEcdsaSha512, KeyFamily::ecdsa, crypto::HashAlgorithm::sha512},
};

const SignatureMethod* signature_method(std::string_view uri) {
  const auto found = std::find_if(kSignatureMethods.begin(), kSignatureMethods.end(),
                                  [&](const auto& method) { return method.uri == uri; });
  return found == kSignatureMethods.end() ? nullptr : &*found;
}

const EVP_MD* digest_method(std::string_view uri) {
  using crypto::HashAlgorithm;
  if (uri == alg::kSha256) return crypto::digest_method(HashAlgorithm::sha256);
  if (uri == alg::kSha384) return crypto::digest_method(HashAlgorithm::sha384);
  if (uri == alg::kSha512) return crypto::digest_method(HashAlgorithm::sha512);
  if (uri == alg::kSha1) return crypto::digest_method(HashAlgorithm::sha1);
  return nullptr;
}

bool is_nc_name(std::string_view text) {
  return !text.empty() && ::xmlValidateNCName(xml_chars(std::string(text).c_str()), 0) == 0;
}

bool is_empty(Element element) {
  return !element.has_child_elements() && element.trimmed_text().empty();
}

// Only these attributes, in no namespace.
Result<Ok> only_attributes(Element element, std::initializer_list<std::string_view> allowed) {
  for (const auto& attribute : element.attributes()) {
    if (!attribute.uri.empty() ||
        std::find(allowed.begin(), allowed.end(), attribute.local) == allowed.end()) {
      return invalid(std::string(element.name()) + " has an attribute " + attribute.local);
    }
  }
  return Ok{};
}

// Checks an element that names exclusive C14N by its Algorithm; gives the PrefixList.
Result<std::vector<std::string>> exclusive_c14n(Element element) {
  const auto algorithm = element.attribute("", "Algorithm");
  if (!algorithm)
    return invalid(std::string(element.name()) + " has no Algorithm", "BSP 1.1 R5404, R5423");
  if (*algorithm != ns::kExcC14n) {
    return fail_by("BSP 1.1 R5404, R5423", ErrorCode::algorithm_unsupported,
                   std::string(element.name()) + " is " + *algorithm);
  }
  DISTRICT_CHECK(only_attributes(element, {"Algorithm"}));
  const auto children = element.children();
  if (is_empty(element)) return std::vector<std::string>{};
  if (children.size() != 1 || !children[0].is(ns::kExcC14n, "InclusiveNamespaces") ||
      !is_empty(children[0])) {
    return invalid(std::string(element.name()) +
                   " has something other than one InclusiveNamespaces");
  }
  DISTRICT_CHECK(only_attributes(children[0], {"PrefixList"}));
  auto prefixes = split_at_xml_space(children[0].attribute("", "PrefixList").value_or(""));
  if (prefixes.size() > limits::kPrefixListMax) return invalid("PrefixList with too many prefixes");
  for (const auto& prefix : prefixes) {
    // #default is how the PrefixList names the default namespace (Exclusive C14N section 3).
    if (prefix != "#default" && !is_nc_name(prefix))
      return invalid("PrefixList with something that is no prefix");
  }
  return prefixes;
}

Result<Ok> read_transforms(Element transforms, SignedReference& reference) {
  const auto children = transforms.children();
  if (children.empty() || children.size() > limits::kTransformsPerReferenceMax) {
    return invalid("a Reference has " + std::to_string(children.size()) + " transforms");
  }
  for (const Element transform : children) {
    if (!transform.is(ns::kDs, "Transform"))
      return invalid("Transforms with something else than Transform");
  }
  if (children.size() == 2) {
    // node-soap sends it. It does nothing where the Signature is not inside the element.
    if (children[0].attribute("", "Algorithm").value_or("") != alg::kEnveloped) {
      return fail(ErrorCode::algorithm_unsupported,
                  "two transforms, and the first is not enveloped-signature");
    }
    DISTRICT_CHECK(only_attributes(children[0], {"Algorithm"}));
    if (!is_empty(children[0])) return invalid("enveloped-signature with content");
  }
  const Element last = children.back();
  if (last.attribute("", "Algorithm").value_or("") == alg::kStrTransform) {
    if (children.size() != 1) return invalid("STR-Transform beside another transform");
    const auto parameters = last.children();
    if (parameters.size() != 1 || !parameters[0].is(ns::kWsse, "TransformationParameters")) {
      return invalid("STR-Transform without its TransformationParameters");
    }
    const auto methods = parameters[0].children();
    if (methods.size() != 1 || !methods[0].is(ns::kDs, "CanonicalizationMethod")) {
      return invalid("STR-Transform without one CanonicalizationMethod");
    }
    reference.str_transform = true;
    DISTRICT_TRY(reference.prefixes, exclusive_c14n(methods[0]));
    return Ok{};
  }
  DISTRICT_TRY(reference.prefixes, exclusive_c14n(last));
  return Ok{};
}

Result<SignedReference> read_reference(Element element, const Ids& ids) {
  DISTRICT_CHECK(only_attributes(element, {"URI", "Id"}));
  const auto children = element.children();
  if (children.size() != 3 || !children[0].is(ns::kDs, "Transforms") ||
      !children[1].is(ns::kDs, "DigestMethod") || !children[2].is(ns::kDs, "DigestValue")) {
    // Without Transforms the canonicalisation would be inclusive (BSP R5416).
    return invalid("a Reference is not Transforms, DigestMethod, DigestValue", "BSP 1.1 R5416");
  }
  SignedReference reference;
  const auto uri = element.attribute("", "URI");
  if (!uri || uri->size() < 2 || uri->front() != '#' || !is_nc_name(uri->substr(1))) {
    return invalid("a Reference's URI is not '#' and a name", "BSP 1.1 R3005");
  }
  reference.id = uri->substr(1);
  const auto found = ids.signable.find(reference.id);
  if (found == ids.signable.end())
    return invalid("no element has the wsu:Id of the Reference " + *uri, "BSP 1.1 R3005");
  reference.element = found->second;
  DISTRICT_CHECK(read_transforms(children[0], reference));
  reference.digest_algorithm = children[1].attribute("", "Algorithm").value_or("");
  const EVP_MD* digest = digest_method(reference.digest_algorithm);
  if (digest == nullptr) {
    return fail(ErrorCode::algorithm_unsupported, "DigestMethod is " + reference.digest_algorithm);
  }
  DISTRICT_CHECK(only_attributes(children[1], {"Algorithm"}));
  if (!is_empty(children[1])) return invalid("DigestMethod with content");
  const auto value = children[2].only_text();
  const auto octets = value ? from_base64(*value) : std::nullopt;
  if (!octets || octets->size() != static_cast<std::size_t>(::EVP_MD_get_size(digest))) {
    return invalid("a DigestValue is not the base64 of a digest of its length",
                   "XMLDSig 1.1 section 4.4.3.6");
  }
  reference.digest_value = to_base64(*octets);
  return reference;
}

// The key as xmlsec1 takes it.
SecKey sec_key(const crypto::PublicKey& key) {
  if (::EVP_PKEY_up_ref(key.native()) != 1) return nullptr;
  SecKeyData data{::xmlSecOpenSSLEvpKeyAdopt(key.native())};
  SecKey result{data ? ::xmlSecKeyCreate() : nullptr};
  if (!result || ::xmlSecKeySetValue(result.get(), data.get()) < 0) return nullptr;
  // release(): the key owns its data from here on.
  static_cast<void>(data.release());
  return result;
}

// A context that can do nothing but what the profile names.
DsigContext strict_context(const SignatureParts& parts) {
  DsigContext context{::xmlSecDSigCtxCreate(nullptr)};
  if (!context) return nullptr;
  context->enabledReferenceUris = xmlSecTransformUriTypeSameDocument;
  bool good = true;
  const auto allow = [&](const char* href, bool for_reference) {
    const xmlSecTransformId id = ::xmlSecTransformIdListFindByHref(
        ::xmlSecTransformIdsGet(), xml_chars(href),
        for_reference ? xmlSecTransformUsageAny
                      : xmlSecTransformUsageSignatureMethod | xmlSecTransformUsageC14NMethod);
    good = good && id != xmlSecTransformIdUnknown &&
           (for_reference ? ::xmlSecDSigCtxEnableReferenceTransform(context.get(), id)
                          : ::xmlSecDSigCtxEnableSignatureTransform(context.get(), id)) == 0;
  };
  const std::string c14n(ns::kExcC14n);
  allow(c14n.c_str(), true);
  allow(c14n.c_str(), false);
  allow(std::string(alg::kEnveloped).c_str(), true);
  allow(parts.signature_algorithm.c_str(), false);
  good = good && ::xmlSecDSigCtxEnableReferenceTransform(context.get(), str_transform_id()) == 0;
  for (const auto& reference : parts.references) allow(reference.digest_algorithm.c_str(), true);
  if (!good) return nullptr;
  return context;
}

}  // namespace

bool is_id(std::string_view uri, std::string_view local) {
  return local == "Id" || local == "ID" || local == "id" ||
         (uri.empty() && (local == "AssertionID" || local == "RequestID" || local == "ResponseID"));
}

Result<Ok> Ids::note(std::string_view value) {
  const auto [at, first] = all.insert(collapse_xml_space(value));
  if (!first) return invalid("the id '" + at->substr(0, 64) + "' occurs twice", "BSP 1.1 R3204");
  if (all.size() > limits::kXmlIdsMax) return fail(ErrorCode::limit_exceeded, "too many ids");
  return Ok{};
}

Result<Ids> collect_ids(Element root, Element end) {
  Ids ids;
  for (Element element = root; element != end && element; element = element.next_below(root)) {
    if (element.node()->properties == nullptr) continue;
    for (auto& attribute : element.attributes()) {
      if (!is_id(attribute.uri, attribute.local)) continue;
      DISTRICT_CHECK(ids.note(attribute.value));
      if (attribute.uri == ns::kWsu && attribute.local == "Id")
        ids.signable.emplace(std::move(attribute.value), element);
    }
  }
  return ids;
}

Result<SignatureParts> read_signature(Element signature, const Ids& ids) {
  DISTRICT_CHECK(only_attributes(signature, {"Id"}));
  const auto children = signature.children();
  if (children.size() != 3 || !children[0].is(ns::kDs, "SignedInfo") ||
      !children[1].is(ns::kDs, "SignatureValue") || !children[2].is(ns::kDs, "KeyInfo")) {
    return invalid("Signature is not SignedInfo, SignatureValue, KeyInfo",
                   "XMLDSig 1.1 section 4.2");
  }
  SignatureParts parts;
  parts.signature = signature;
  parts.signed_info = children[0];
  parts.key_info = children[2];
  const auto value = children[1].only_text();
  const auto octets = value ? from_base64(*value) : std::nullopt;
  if (!octets || octets->empty())
    return invalid("SignatureValue is not base64", "XMLDSig 1.1 section 4.3");
  parts.signature_value = to_base64(*octets);

  const auto info = parts.signed_info.children();
  if (info.size() < 3 || !info[0].is(ns::kDs, "CanonicalizationMethod") ||
      !info[1].is(ns::kDs, "SignatureMethod")) {
    return invalid("SignedInfo is not CanonicalizationMethod, SignatureMethod, Reference...",
                   "XMLDSig 1.1 section 4.4");
  }
  if (info.size() - 2 > limits::kSignedReferencesMax) {
    return invalid("SignedInfo has " + std::to_string(info.size() - 2) + " references");
  }
  DISTRICT_TRY(parts.c14n_prefixes, exclusive_c14n(info[0]));
  parts.signature_algorithm = info[1].attribute("", "Algorithm").value_or("");
  if (signature_method(parts.signature_algorithm) == nullptr) {
    return fail(ErrorCode::algorithm_unsupported,
                "SignatureMethod is " + parts.signature_algorithm);
  }
  DISTRICT_CHECK(only_attributes(info[1], {"Algorithm"}));
  if (!is_empty(info[1])) return invalid("SignatureMethod with content");
  for (std::size_t i = 2; i < info.size(); ++i) {
    if (!info[i].is(ns::kDs, "Reference"))
      return invalid("SignedInfo with something else than Reference");
    DISTRICT_TRY(SignedReference reference, read_reference(info[i], ids));
    parts.references.push_back(std::move(reference));
  }
  return parts;
}

Result<std::string> canonical_signed_info(const SignatureParts& parts) {
  return canonicalize(parts.signed_info, parts.c14n_prefixes);
}

Result<Ok> verify_signed_info(std::string_view canonical_signed_info, const SignatureParts& parts,
                              const crypto::PublicKey& key) {
  const SignatureMethod* method = signature_method(parts.signature_algorithm);
  if (method == nullptr || method->family != key.family()) {
    return fail(ErrorCode::algorithm_unsupported,
                "SignatureMethod " + parts.signature_algorithm +
                    " does not fit the type of the certificate's key");
  }
  const auto value = from_base64(parts.signature_value);
  if (!value || !key.verify(method->hash, as_bytes(canonical_signed_info), *value)) {
    return fail_by(method->family == KeyFamily::ecdsa ? "XMLDSig 1.1 sections 3.2.2 and 6.4.3"
                                                      : "XMLDSig 1.1 sections 3.2.2 and 6.4.2",
                   ErrorCode::signature_failed,
                   "the signature over SignedInfo does not verify with the certificate's key");
  }
  return Ok{};
}

Result<Ok> verify_digest(const SignedReference& reference, ByteView certificate) {
  std::string octets;
  if (reference.str_transform) {
    DISTRICT_TRY(octets, dereferenced_token(reference.element, reference.prefixes, certificate));
  } else {
    DISTRICT_TRY(octets, canonicalize(reference.element, reference.prefixes));
  }
  DISTRICT_TRY(auto digest, ReferenceDigest::create(reference));
  digest.update(octets);
  return digest.verify();
}

struct ReferenceDigest::State {
  CHandle<EVP_MD_CTX, EVP_MD_CTX_free> context{::EVP_MD_CTX_new()};
  const SignedReference& reference;
  bool good = true;
};

ReferenceDigest::ReferenceDigest(std::unique_ptr<State> state) : state_(std::move(state)) {}
ReferenceDigest::ReferenceDigest(ReferenceDigest&&) noexcept = default;
ReferenceDigest::~ReferenceDigest() = default;

Result<ReferenceDigest> ReferenceDigest::create(const SignedReference& reference) {
  auto state = std::make_unique<State>(State{.reference = reference});
  const EVP_MD* method = digest_method(reference.digest_algorithm);
  if (method == nullptr || !state->context ||
      ::EVP_DigestInit_ex(state->context.get(), method, nullptr) != 1) {
    return fail(ErrorCode::internal, "digest failed");
  }
  return ReferenceDigest(std::move(state));
}

void ReferenceDigest::update(std::string_view canonical) {
  state_->good = state_->good &&
                 ::EVP_DigestUpdate(state_->context.get(), canonical.data(), canonical.size()) == 1;
}

Result<Ok> ReferenceDigest::verify() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (!state_->good || ::EVP_DigestFinal_ex(state_->context.get(), digest.data(), &length) != 1)
    return fail(ErrorCode::internal, "digest failed");
  const auto& reference = state_->reference;
  const std::string computed = to_base64(std::as_bytes(std::span(digest.data(), length)));
  if (computed == reference.digest_value) return Ok{};
  Diagnosis diagnosis;
  diagnosis.rule = "XMLDSig 1.1 section 3.2.1";
  diagnosis.reference = reference.id;
  diagnosis.expected_digest = reference.digest_value;
  diagnosis.computed_digest = computed;
  Error error{ErrorCode::signature_failed,
              "digest of #" + reference.id + " is " + computed + ", the signature has " +
                  reference.digest_value,
              {},
              {},
              {}};
  error.diagnosis = std::make_shared<const Diagnosis>(std::move(diagnosis));
  return fail(std::move(error));
}

bool xmlsec_reads_prefix_lists(const SignatureParts& parts) {
  for (Element element = parts.signed_info; element;
       element = element.next_below(parts.signed_info)) {
    if (!element.is(ns::kExcC14n, "InclusiveNamespaces")) continue;
    const auto list = element.attribute("", "PrefixList");
    if (!list || list->find_first_of("\t\r\n") != std::string::npos) return false;
  }
  return true;
}

Result<Ok> verify_by_xmlsec(const SignatureParts& parts, const crypto::PublicKey& key,
                            ByteView certificate) {
  xmlDoc* doc = parts.signature.node()->doc;
  for (const auto& reference : parts.references) {
    // Registers the one attribute that the reference may mean; null would be a duplicate.
    xmlAttr* attribute =
        ::xmlHasNsProp(reference.element.node(), xml_chars("Id"), xml_chars(ns::kWsu.data()));
    if (attribute == nullptr ||
        (::xmlGetID(doc, xml_chars(reference.id.c_str())) == nullptr &&
         ::xmlAddID(nullptr, doc, xml_chars(reference.id.c_str()), attribute) == nullptr)) {
      return invalid("the id '" + reference.id + "' cannot be registered");
    }
    const xmlAttr* resolved = ::xmlGetID(doc, xml_chars(reference.id.c_str()));
    if (resolved == nullptr || resolved->parent != reference.element.node()) {
      return invalid("the id '" + reference.id + "' resolves to another element");
    }
  }
  const DsigContext context = strict_context(parts);
  SecKey sec = sec_key(key);
  if (!context || !sec) return fail(ErrorCode::internal, "xmlsec1 context cannot be made");
  // release(): the context owns the key. With it preset, xmlsec1 never reads KeyInfo.
  context->signKey = sec.release();
  // Where STR-Transform finds it: xmlsec1 hands a transform nothing of ours.
  doc->_private = &certificate;
  const int result = ::xmlSecDSigCtxVerify(context.get(), parts.signature.node());
  doc->_private = nullptr;
  if (result < 0 || context->status != xmlSecDSigStatusSucceeded) {
    return fail(ErrorCode::signature_failed, "xmlsec1 does not verify the signature");
  }
  return Ok{};
}

}  // namespace district::xml
