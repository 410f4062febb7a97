#include "verify/stream_verifier.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "verify/header_facts.h"
#include "verify/security_header.h"
#include "xml/canonicalizer.h"
#include "xml/dsig.h"
#include "xml/envelope_reader.h"
#include "xml/namespaces.h"

namespace district::verify {
namespace {

// The raw octets on their way to the parser: digested, counted, and bounded once the signer is
// known.
class Octets final : public ByteSource {
 public:
  Octets(const RawEnvelope& raw, OctetsUnderWay& under_way) : raw_(raw), under_way_(under_way) {}

  void signed_by(const Sha256Digest& certificate) { share_.emplace(under_way_, certificate); }

  Result<ByteView> next() override {
    // In blocks, so that no more is looked at of a message that is refused for its header.
    const auto in_memory = ByteView(raw_.octets).subspan(std::min(size_, raw_.octets.size()));
    auto block = in_memory.first(std::min(in_memory.size(), limits::kBlockOctets));
    if (block.empty() && raw_.rest) {
      DISTRICT_TRY(block, raw_.rest->next());
      if (share_) DISTRICT_CHECK(share_->add(block.size()));
    }
    size_ += block.size();
    digest_.update(block);
    return block;
  }

  bool at_end() const override { return !raw_.rest && size_ == raw_.octets.size(); }

  std::uint64_t size() const { return size_; }
  Sha256Digest digest() { return digest_.finish(); }

 private:
  const RawEnvelope& raw_;
  OctetsUnderWay& under_way_;
  std::optional<OctetsUnderWay::Share> share_;
  std::uint64_t size_ = 0;
  crypto::Sha256 digest_;
};

// What the Body is used for while it passes: digest, ids, and the reader.
class Body {
 public:
  Body(const xml::SignedReference& reference, xml::ReferenceDigest digest, BodyReader& reader)
      : digest_(std::move(digest)),
        canonicalizer_(reference.prefixes,
                       [this](std::string_view octets) { digest_.update(octets); }),
        reader_(reader) {}
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  xml::Canonicalizer& canonicalizer() { return canonicalizer_; }
  xml::ReferenceDigest& digest() { return digest_; }

  void start_element(const xml::StartTag& tag) {
    canonicalizer_.start_element(tag);
    reader_.start_element(tag);
  }
  void text(std::string_view text) {
    canonicalizer_.text(text);
    reader_.text(text);
  }
  void end_element() {
    canonicalizer_.end_element();
    reader_.end_element();
  }

 private:
  xml::ReferenceDigest digest_;
  xml::Canonicalizer canonicalizer_;
  BodyReader& reader_;
};

class Pass final : public xml::EnvelopeHandler {
 public:
  Pass(const RawEnvelope& raw, trust::Trust& trust, const Window& window, Instant now,
       UnverifiedBodies& unverified, Octets& octets, BodyReader& reader)
      : raw_(raw),
        trust_(trust),
        window_(window),
        now_(now),
        unverified_(unverified),
        octets_(octets),
        reader_(reader) {}

  Result<Ok> body_follows(std::shared_ptr<const xml::Document> head) override;
  void start_element(const xml::StartTag& tag) override;
  void text(std::string_view text) override;
  void end_element() override;
  const Result<Ok>& state() override { return state_; }

  // When the envelope is at its end, or reading it ended early.
  Result<Ok> conclude(Result<Ok> read);

  // The error with what the header said, where it was read so far.
  Error explained(Error error) const {
    return head_ ? with_header_facts(std::move(error), *head_, snapshot_.get(), now_)
                 : std::move(error);
  }

  const SecurityHeader& header() const { return header_; }
  Authenticated& signer() { return *signer_; }
  const TrustPtr& trust() const { return snapshot_; }

 private:
  Result<Authenticated> find_signer();
  Error refused(Error error);
  Result<Ok> note_ids(const xml::StartTag& tag);
  // Whether this Body counts when it fails.
  bool counts() const { return raw_.rest || raw_.octets.size() > limits::kUncountedOctetsMax; }
  void refuse(Error error) {
    if (state_) state_ = fail(std::move(error));
  }

  const RawEnvelope& raw_;
  trust::Trust& trust_;
  const Window& window_;
  const Instant now_;
  UnverifiedBodies& unverified_;
  Octets& octets_;
  BodyReader& reader_;
  std::shared_ptr<const xml::Document> head_;
  SecurityHeader header_;
  TrustPtr snapshot_;
  std::optional<Authenticated> signer_;
  std::optional<Body> body_;
  std::size_t depth_ = 0;  // 1: in the Body
  Result<Ok> state_;
};

Result<Ok> Pass::body_follows(std::shared_ptr<const xml::Document> head) {
  head_ = std::move(head);
  DISTRICT_TRY(header_, read_security_header(*head_, raw_.soap_version));
  DISTRICT_TRY(signer_, find_signer());
  if (counts()) DISTRICT_CHECK(unverified_.check(signer_->replay_key, now_));
  octets_.signed_by(signer_->sender.certificate_sha256);

  const auto& reference = header_.signature.references[header_.body_reference];
  DISTRICT_TRY(auto digest, xml::ReferenceDigest::create(reference));
  body_.emplace(reference, std::move(digest), reader_);
  for (const auto& [prefix, uri] : head_->root().declared_namespaces())
    body_->canonicalizer().enter_scope(prefix, uri);
  reader_.begin(signer_->sender, snapshot_, now_);
  return Ok{};
}

// By the trust in memory. Before it is refused, or a large Body is read, by that in the database.
Result<Authenticated> Pass::find_signer() {
  snapshot_ = trust_.snapshot();
  auto signer = authenticate(header_, *snapshot_, window_, now_);
  if (signer && !counts()) return signer;
  DISTRICT_TRY(auto current, trust_.refresh());
  if (current == snapshot_) return signer;
  snapshot_ = std::move(current);
  return authenticate(header_, *snapshot_, window_, now_);
}

// What a Body is refused for, unless its signer has lost its trust: then it is that.
Error Pass::refused(Error error) {
  auto current = trust_.refresh();
  if (!current) return std::move(current).error();
  if (*current == snapshot_) return error;
  snapshot_ = *std::move(current);
  auto signer = authenticate(header_, *snapshot_, window_, now_);
  return signer ? std::move(error) : std::move(signer).error();
}

void Pass::start_element(const xml::StartTag& tag) {
  if (is_encryption(tag.uri())) {
    refuse(fail_by("docs/reference/contract.md section 5", ErrorCode::algorithm_unsupported,
                   "encrypted parts in the Body")
               .value());
  }
  // The Body's own ids are among those of the head.
  if (depth_++ > 0 && tag.attribute_count() > 0) {
    if (auto noted = note_ids(tag); !noted) refuse(std::move(noted).error());
  }
  body_->start_element(tag);
}

void Pass::text(std::string_view text) {
  if (depth_ == 1 && !std::ranges::all_of(text, is_xml_space))
    refuse({ErrorCode::not_soap, "Body with text beside its elements", {}, {}, {}});
  body_->text(text);
}

void Pass::end_element() {
  --depth_;
  body_->end_element();
}

Result<Ok> Pass::note_ids(const xml::StartTag& tag) {
  for (std::size_t i = 0; i < tag.attribute_count(); ++i) {
    const auto attribute = tag.attribute(i);
    if (!xml::is_id(attribute.uri, attribute.local)) continue;
    DISTRICT_CHECK(header_.ids.note(attribute.value));
  }
  return Ok{};
}

// Whatever goes wrong behind a good header of a large Body counts, but for what is our own want of
// room.
Result<Ok> Pass::conclude(Result<Ok> read) {
  auto verified = std::move(read);
  if (verified) verified = body_->digest().verify();
  if (verified || !signer_) return verified;
  const ErrorCode code = verified.error().code;
  if (body_ && counts() && code != ErrorCode::overloaded && code != ErrorCode::archive_unavailable)
    unverified_.failed(signer_->replay_key, octets_.size(), signer_->acceptable_until, now_);
  return fail(refused(std::move(verified).error()));
}

}  // namespace

Result<VerifiedEnvelope> StreamVerifier::verify(const RawEnvelope& raw, Instant now,
                                                BodyReader& reader) const {
  Octets octets(raw, under_way_);
  Pass pass(raw, trust_, window_, now, unverified_, octets, reader);
  if (auto concluded = pass.conclude(xml::read_envelope(octets, raw.charset, pass)); !concluded)
    return fail(pass.explained(std::move(concluded).error()));

  Parts parts;
  parts.sender = std::move(pass.signer().sender);
  parts.payload_digest = octets.digest();
  parts.payload_size = octets.size();
  parts.replay_key = pass.signer().replay_key;
  parts.created = pass.header().times.created;
  parts.acceptable_until = pass.signer().acceptable_until;
  parts.verified_at = now;
  parts.trust = pass.trust();
  parts.reader = &reader;
  return make(std::move(parts));
}

}  // namespace district::verify
