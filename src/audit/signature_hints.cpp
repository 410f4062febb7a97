#include "audit/signature_hints.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "xml/namespaces.h"

namespace district::audit {
namespace {

using xml::CanonicalForm;

bool fits(const xml::SignedReference& reference, std::string_view octets) {
  auto digest = xml::ReferenceDigest::create(reference);
  if (!digest) return false;
  digest->update(octets);
  return digest->verify().has_value();
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

// The text without white space that stands alone between two tags.
std::string without_indentation(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '>') {
      out += text[at++];
      continue;
    }
    out += text[at++];
    const auto next = text.find_first_not_of(" \t\n", at);
    if (next != std::string_view::npos && text[next] == '<') at = next;
  }
  return out;
}

// nullopt: the text is ASCII only, or has characters beyond ISO-8859-1.
std::optional<std::string> as_latin1(std::string_view utf8) {
  std::string out;
  bool beyond_ascii = false;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto octet = static_cast<unsigned char>(utf8[i]);
    if (octet < 0x80) {
      out += utf8[i];
      continue;
    }
    if ((octet != 0xC2 && octet != 0xC3) || i + 1 == utf8.size()) return std::nullopt;
    const auto low = static_cast<unsigned>(static_cast<unsigned char>(utf8[++i])) & 0x3FU;
    out += static_cast<char>((octet == 0xC3 ? 0x40U : 0U) | 0x80U | low);
    beyond_ascii = true;
  }
  return beyond_ascii ? std::optional(std::move(out)) : std::nullopt;
}

struct Trial {
  std::string octets;
  std::string sentence;
};

void add_form(std::vector<Trial>& trials, CanonicalForm form, xml::Element element,
              const std::vector<std::string>& prefixes, std::string sentence) {
  auto text = xml::canonicalize_as(form, element, prefixes);
  if (text) trials.push_back({*std::move(text), std::move(sentence)});
}

// The same element in other forms. `what`: "the digest matches", "the signature verifies".
std::vector<Trial> trials_of(xml::Element element, const std::vector<std::string>& prefixes,
                             const std::string& what) {
  std::vector<Trial> trials;
  const auto exclusive = xml::canonicalize(element, prefixes);
  if (exclusive) {
    trials.push_back({without_indentation(*exclusive),
                      what + " without the white space between the tags: something indented the "
                             "message after it was signed"});
    trials.push_back({replaced(*exclusive, "\n", "&#xD;\n"),
                      what + " with carriage returns: the signer digested CRLF line ends, which "
                             "every XML parser turns into LF; write LF before signing"});
    trials.push_back({replaced(*exclusive, "&#xD;", ""),
                      what + " without the carriage returns that the message has as &#13;"});
  }
  add_form(trials, CanonicalForm::inclusive, element, {},
           what +
               " with inclusive canonicalisation (Canonical XML 1.0): the signer uses another "
               "method than the message names; set exclusive C14N, "
               "http://www.w3.org/2001/10/xml-exc-c14n#");
  add_form(trials, CanonicalForm::inclusive_with_comments, element, {},
           what + " with inclusive canonicalisation with comments; set exclusive C14N without");
  add_form(trials, CanonicalForm::exclusive_with_comments, element, prefixes,
           what + " with comments: the signer uses exclusive C14N with comments");
  if (!prefixes.empty()) {
    add_form(trials, CanonicalForm::exclusive, element, {},
             what +
                 " without the InclusiveNamespaces PrefixList that the message names: the "
                 "signer did not apply it");
  }
  if (exclusive) {
    if (auto latin1 = as_latin1(*exclusive)) {
      trials.push_back({*std::move(latin1), what + " over ISO-8859-1 octets: canonical XML is "
                                                   "UTF-8 (Exclusive C14N section 1.1)"});
    }
  }
  return trials;
}

// Recognises r||s with a zero octet for the sign before each number. nullopt: it is not that.
std::optional<Bytes> without_sign_octets(ByteView value, std::size_t width) {
  const std::size_t half = value.size() / 2;
  if (half != width + 1 || value.size() != 2 * half || value[0] != std::byte{0} ||
      value[half] != std::byte{0}) {
    return std::nullopt;
  }
  Bytes plain = to_bytes(value.subspan(1, width));
  plain.insert(plain.end(), value.begin() + static_cast<std::ptrdiff_t>(half) + 1, value.end());
  return plain;
}

// Recognises ECDSA values in DER (X.690): a SEQUENCE of two INTEGERs, of up to 127 octets together,
// or with one octet of length. nullopt: it is not that.
std::optional<Bytes> from_der(ByteView der, std::size_t width) {
  const auto at = [&](std::size_t i) { return std::to_integer<std::size_t>(der[i]); };
  if (der.size() < 8 || at(0) != 0x30) return std::nullopt;
  std::size_t i = at(1) == 0x81 ? 3 : 2;
  Bytes plain;
  for (int number = 0; number < 2; ++number) {
    if (i + 2 > der.size() || at(i) != 0x02 || i + 2 + at(i + 1) > der.size()) return std::nullopt;
    auto value = der.subspan(i + 2, at(i + 1));
    i += 2 + value.size();
    while (!value.empty() && value[0] == std::byte{0}) value = value.subspan(1);
    if (value.size() > width) return std::nullopt;
    plain.insert(plain.end(), width - value.size(), std::byte{0});
    plain.insert(plain.end(), value.begin(), value.end());
  }
  if (i != der.size()) return std::nullopt;
  return plain;
}

struct Hash {
  crypto::HashAlgorithm algorithm;
  std::string_view name;
};
constexpr std::array kHashes = {
    Hash{crypto::HashAlgorithm::sha256, "SHA-256"}, Hash{crypto::HashAlgorithm::sha384, "SHA-384"},
    Hash{crypto::HashAlgorithm::sha512, "SHA-512"}, Hash{crypto::HashAlgorithm::sha1, "SHA-1"}};

// The hash of a SignatureMethod that we know.
crypto::HashAlgorithm hash_of(std::string_view method) {
  if (method.ends_with("512")) return crypto::HashAlgorithm::sha512;
  if (method.ends_with("384")) return crypto::HashAlgorithm::sha384;
  if (method.ends_with("256")) return crypto::HashAlgorithm::sha256;
  return crypto::HashAlgorithm::sha1;
}

std::vector<std::string> explain_value(const xml::SignatureParts& signature,
                                       const crypto::PublicKey& key, ByteView info,
                                       const Bytes& value) {
  const auto hash = hash_of(signature.signature_algorithm);
  if (key.family() == KeyFamily::ecdsa) {
    const auto width = (key.bits() + 7) / 8;
    const auto plain = from_der(value, width);
    if (plain && key.verify(hash, info, *plain)) {
      return {
          "the value is ASN.1 DER, as OpenSSL and gSOAP's wsse plugin make it, and would "
          "verify as r||s: XMLDSig 1.1 section 6.4.3 wants the two numbers of " +
          std::to_string(width) +
          " octets each, one after the other. gSOAP sends DER: sign "
          "with an RSA key there"};
    }
    const auto unsigned_value = without_sign_octets(value, width);
    if (unsigned_value && key.verify(hash, info, *unsigned_value)) {
      return {
          "r and s have a zero octet of sign in front, as Java's BigInteger.toByteArray() makes "
          "it: leave it out, so that each has " +
          std::to_string(width) + " octets"};
    }
    if (value.size() > 2 * width || value.size() % 2 != 0) {
      return {"the value has " + std::to_string(value.size()) + " octets; of this key it has " +
              std::to_string(2 * width) +
              ", or fewer by an even number where both halves begin "
              "with zeros"};
    }
  } else {
    const Bytes reversed(value.rbegin(), value.rend());
    if (key.verify(hash, info, reversed)) {
      return {
          "the value verifies with its octets in reverse order: Microsoft's CryptoAPI writes "
          "the least significant octet first"};
    }
    if (value.size() != (key.bits() + 7) / 8) {
      return {"the value has " + std::to_string(value.size()) + " octets, the key's modulus " +
              std::to_string((key.bits() + 7) / 8) + ": another key made it"};
    }
  }
  for (const auto& other : kHashes) {
    if (other.algorithm != hash && key.verify(other.algorithm, info, value)) {
      return {"the signature verifies with " + std::string(other.name) +
              ": the signer uses another hash than the SignatureMethod names"};
    }
  }
  return {};
}

}  // namespace

std::vector<std::string> explain_digest(const xml::SignedReference& reference,
                                        const xml::Ids& ids) {
  if (reference.str_transform) return {};
  if (fits(reference, ""))
    return {"the digest is that of nothing: the signer did not find the element by its id"};
  for (const auto& trial : trials_of(reference.element, reference.prefixes, "the digest matches")) {
    if (fits(reference, trial.octets)) return {trial.sentence};
  }
  for (const auto child : reference.element.children()) {
    const auto text = xml::canonicalize(child, reference.prefixes);
    if (text && fits(reference, *text)) {
      return {"the digest is that of the element's child " + std::string(child.name()) +
              ": the element itself must be digested, with its tags"};
    }
  }
  for (const auto& [id, element] : ids.signable) {
    const auto text = xml::canonicalize(element, reference.prefixes);
    if (element != reference.element && text && fits(reference, *text)) {
      return {"the digest is that of #" + id + ", another element of this message"};
    }
  }
  return {
      "no usual mistake of canonicalisation explains it: the element's content was changed "
      "after signing, or a namespace was declared elsewhere. Compare the octets: xmlsec1 "
      "--verify --store-references shows what a tool digests here"};
}

std::vector<std::string> explain_signature(const xml::SignatureParts& signature,
                                           const crypto::Certificate& certificate,
                                           const std::vector<crypto::Certificate>& others) {
  const auto info = xml::canonical_signed_info(signature);
  const auto value = from_base64(signature.signature_value);
  if (!info || !value) return {};
  auto hints = explain_value(signature, certificate.public_key(), as_bytes(*info), *value);
  if (!hints.empty()) return hints;
  const auto hash = hash_of(signature.signature_algorithm);
  for (const auto& trial :
       trials_of(signature.signed_info, signature.c14n_prefixes, "the signature verifies")) {
    if (certificate.public_key().verify(hash, as_bytes(trial.octets), *value))
      return {trial.sentence};
  }
  for (const auto& other : others) {
    if (xml::verify_signed_info(*info, signature, other.public_key())) {
      return {"the signature verifies with the key of another certificate, " + other.subject() +
              " (" + to_hex(other.sha256()).substr(0, 16) +
              "): the message presents one certificate and signs with another's key"};
    }
  }
  return {
      "SignedInfo was changed after signing, or another private key than this certificate's "
      "made the signature: compare openssl x509 -pubkey with openssl pkey -pubout"};
}

}  // namespace district::audit
