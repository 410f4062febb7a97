// The Security header, its tokens and times. Input: an envelope; or "der:" and a token's octets; or
// "name:" and an issuer's name; or "time:" and an instant. What is accepted has the properties that
// later stages rely on.
#include <algorithm>
#include <filesystem>

#include "../vectors/vector_trust.h"
#include "crypto/certificate.h"
#include "fuzz_target.h"
#include "verify/key_reference.h"
#include "verify/security_header.h"
#include "xml/namespaces.h"

namespace district::fuzz {
namespace {

void check_token(ByteView octets) {
  if (const auto one = crypto::Certificate::from_der(octets)) {
    require(std::ranges::equal(one->der(), octets), "a certificate of other octets");
    const auto again = crypto::Certificate::from_der(one->der());
    require(again && again->sha256() == one->sha256(), "not the same certificate again");
    require(one->issuer_matches(one->issuer()) || one->issuer().empty() ||
                one->issuer().find_first_of("\\\"#") != std::string::npos,
            "its own issuer does not match: " + one->issuer());
  }
  const auto path = crypto::Certificate::from_pki_path(octets, 8);
  if (!path) return;
  require(!path->empty() && path->size() <= 8, "a path of another length");
  for (std::size_t i = 1; i < path->size(); ++i)
    require((*path)[i].names_issuer((*path)[i - 1]), "a path that is not in its order");
}

void check_time(const std::string& text) {
  const auto later = verify::read_times("2026-01-15T12:00:00Z", text);
  const auto earlier = verify::read_times(text, "2026-01-15T12:00:00Z");
  require(!(later && earlier), "both before and after: " + text);
  if (later) require(later->created < later->expires, "Created is not before Expires: " + text);
  if (earlier) require(earlier->created < earlier->expires, "not before: " + text);
}

void check_header(std::string_view text, trust::Trust& trust) {
  const auto document = xml::Document::parse(as_bytes(text));
  if (!document) return;
  for (const auto version : {SoapVersion::v11, SoapVersion::v12}) {
    const auto header = verify::read_security_header(**document, version);
    if (!header) continue;
    const auto root = (*document)->root();
    const auto& references = header->signature.references;
    const auto body = references[header->body_reference].element;
    const auto timestamp = references[header->timestamp_reference].element;
    require(body.parent() == root && body.name() == "Body", "another Body");
    require(timestamp.parent() == header->security && timestamp.is(xml::ns::kWsu, "Timestamp"),
            "another Timestamp");
    require(header->security.parent().parent() == root, "another Security header");
    require(header->times.created < header->times.expires, "times out of order");
    const auto snapshot = trust.snapshot();
    const auto source =
        verify::find_certificates(header->signature.key_info, header->security, *snapshot);
    if (!source) continue;
    require(!source->candidates.empty(), "no candidate and no error");
    for (const auto& one : source->candidates) {
      require(crypto::check_strength(one.public_key()).has_value() && one.may_sign(),
              "a key that must not sign");
    }
    static_cast<void>(verify::check_issuers(*source));
    static_cast<void>(verify::authenticate(*header, *snapshot, {}, test::kVectorTime));
  }
}

}  // namespace

void fuzz(std::string_view input) {
  static test::VectorTrust vectors;
  if (input.starts_with("der:")) return check_token(as_bytes(input.substr(4)));
  if (input.starts_with("time:")) return check_time(std::string(input.substr(5)));
  if (input.starts_with("name:")) {
    const auto snapshot = vectors.trust().snapshot();
    for (const auto* one : snapshot->find_by_issuer_serial(input.substr(5), "3237998081"))
      require(one->certificate.serial_decimal() == "3237998081", "another serial number");
    return;
  }
  check_header(input, vectors.trust());
}

}  // namespace district::fuzz
