// A tenant with a key of its own, and envelopes signed with it around any Body.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/text.h"
#include "crypto/digest.h"
#include "demo_certificates.h"
#include "store/database.h"
#include "temporary_folder.h"
#include "trust/changes.h"
#include "trust/trust.h"
#include "xml/document.h"
#include "xml/dsig.h"
#include "xml/namespaces.h"
#include "xml/signed_envelope.h"

namespace district::test {

class SigningSite {
 public:
  SigningSite() {
    xml::initialize();
    certificate_ = certificates_.make("signer");
    key_ = value(crypto::PrivateKey::from_pem_file(certificates_.key_file("signer")));
    const auto database =
        value(store::ArchiveDatabase::open(store::Location::of(path_), store::OpenMode::create));
    const Instant before = now - std::chrono::minutes(10);
    const Tenant tenant{"10", "a pilot", "Europe/Madrid", {"001/001"}, {}, {}};
    static_cast<void>(value(trust::add_tenant(*database, tenant, before)));
    const trust::EnrolRequest request{"10", certificate_, {}, {}, {}, {}};
    static_cast<void>(value(trust::enrol(*database, std::span(&request, 1), before)));
    trust_ = value(trust::Trust::open(store::Location::of(path_), store::OpenMode::existing));
  }

  trust::Trust& trust() { return *trust_; }
  // In the database: what trust() has in memory does not know it yet.
  void revoke() const {
    const auto database =
        value(store::ArchiveDatabase::open(store::Location::of(path_), store::OpenMode::existing));
    static_cast<void>(
        value(trust::revoke(*database, to_hex(certificate_.sha256()), {}, "lost", now)));
  }
  const crypto::Certificate& certificate() const { return certificate_; }

  // Signed an hour ahead, when the certificate is surely valid.
  const Instant now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) +
                      std::chrono::hours(1);

  // `content`: of the Body, in canonical form.
  std::string sign(const std::string& content) const {
    xml::EnvelopeToSign envelope;
    envelope.body_content = content;
    envelope.created = now;
    return value(xml::write_signed_envelope(envelope, certificate_, key_)).envelope;
  }

  // `content`: however written. `declarations`: for the root, e.g. " xmlns:a='urn:a'". Where they
  // do not make a document, what is signed is an empty Body.
  std::string sign_as_written(const std::string& content, const std::string& declarations) const {
    const auto written = [&](std::string envelope) {
      const auto [from, to] = content_of(envelope);
      envelope.replace(from, to - from, content);
      return envelope.insert(envelope.find(" "), declarations);
    };
    const auto document = xml::Document::parse(as_bytes(written(sign(""))));
    std::string canonical;
    if (document) {
      const std::string body = value(xml::canonicalize((*document)->root().children().back()));
      const auto [from, to] = content_of(body);
      canonical = body.substr(from, to - from);
    }
    return written(sign(canonical));
  }

  // The envelope with the digests and the signature value that its SignedInfo asks for.
  std::string sign_again(std::string envelope) const {
    std::size_t at = 0;
    const auto put = [&](const std::string& tag, const std::string& text) {
      at = envelope.find(tag, at) + tag.size();
      envelope.replace(at, envelope.find('<', at) - at, text);
    };
    {
      const Signed is(envelope);
      for (const auto& reference : is.parts.references) {
        const auto octets = value(xml::canonicalize(reference.element, reference.prefixes));
        put("<ds:DigestValue>", to_base64(crypto::sha256(as_bytes(octets))));
      }
    }
    const std::string info = value(xml::canonical_signed_info(Signed(envelope).parts));
    put("<ds:SignatureValue>",
        to_base64(value(key_.sign(crypto::HashAlgorithm::sha256, as_bytes(info)))));
    return envelope;
  }

  // Where the Body's content begins and ends.
  static std::pair<std::size_t, std::size_t> content_of(const std::string& envelope) {
    return {envelope.find('>', envelope.find("<soap:Body")) + 1, envelope.rfind("</soap:Body>")};
  }

 private:
  struct Signed {
    explicit Signed(const std::string& envelope)
        : document(value(xml::Document::parse(as_bytes(envelope)))),
          parts(
              value(xml::read_signature(signature(), value(xml::collect_ids(document->root()))))) {}
    xml::Element signature() const {
      xml::Element element = document->root();
      while (!element.is(xml::ns::kDs, "Signature")) element = element.next_below(document->root());
      return element;
    }
    std::shared_ptr<const xml::Document> document;
    xml::SignatureParts parts;
  };

  template <typename T>
  static T value(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().detail);
    return *std::move(result);
  }

  DemoCertificates certificates_;
  TemporaryFolder folder_;
  const std::string path_ = folder_.file("trust.db");
  crypto::Certificate certificate_;
  crypto::PrivateKey key_;
  std::unique_ptr<trust::Trust> trust_;
};

}  // namespace district::test
