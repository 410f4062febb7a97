#include "crypto/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <iterator>
#include <utility>

#include "base/file.h"
#include "base/limits.h"
#include "crypto/digest.h"
#include "crypto/distinguished_name.h"
#include "crypto/handles.h"
#include "crypto/pem_certificates.h"
#include "crypto/strict_der.h"

namespace district::crypto {

struct Certificate::State {
  X509Cert x509;
  Bytes der;
  Sha256Digest sha256{};
  std::array<std::byte, 20> sha1{};
  std::string subject, issuer, serial;
  Bytes issuer_der;
  std::vector<RelativeName> issuer_parts, subject_parts;
  std::optional<Bytes> subject_key_identifier;
  Instant not_before{}, not_after{};
  bool may_sign = false;
  std::string authority_mark;
  PublicKey key;
};

namespace {

std::string name_text(const X509_NAME* name) {
  const Bio out{::BIO_new(::BIO_s_mem())};
  if (!out || ::X509_NAME_print_ex(
                  out.get(), name, 0,
                  XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB)) < 0) {
    return {};
  }
  char* text = nullptr;
  const long length = ::BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(length)};
}

std::optional<Instant> instant_of(const ASN1_TIME* time) {
  std::tm broken{};
  if (::ASN1_TIME_to_tm(time, &broken) != 1) return std::nullopt;
  return Instant{std::chrono::seconds{::timegm(&broken)}};
}

// As OpenSSL judges whom others may take for an authority.
std::string authority_mark_of(X509* x509) {
  switch (::X509_check_ca(x509)) {
    case 0:
      return {};
    case 1:
      return "CA:TRUE";
    case 3:
      return "signed by itself, and of X.509 version 1";
    case 4:
      return "keyCertSign without basic constraints";
    default:
      return "nsCertType of an authority";
  }
}

}  // namespace

Result<Certificate> Certificate::from_der(ByteView der) {
  DISTRICT_CHECK(check_outline(der));
  const unsigned char* position = as_uchar(der);
  auto state = std::make_shared<State>();
  state->x509.reset(::d2i_X509(nullptr, &position, static_cast<long>(der.size())));
  if (!state->x509) {
    return fail(ErrorCode::token_invalid, "not a DER certificate: " + openssl_errors());
  }
  if (position != as_uchar(der) + der.size()) {
    return fail(ErrorCode::token_invalid, "octets follow the certificate");
  }
  X509* x509 = state->x509.get();
  state->der = to_bytes(der);
  if (encode(x509, ::i2d_X509) != state->der) {
    return fail(ErrorCode::token_invalid, "certificate is not in strict DER");
  }
  state->sha256 = crypto::sha256(der);
  state->sha1 = crypto::sha1(der);
  state->subject = name_text(::X509_get_subject_name(x509));
  state->issuer = name_text(::X509_get_issuer_name(x509));
  state->issuer_der = encode(::X509_get_issuer_name(x509), ::i2d_X509_NAME);
  state->issuer_parts = name_parts(::X509_get_issuer_name(x509));
  state->subject_parts = name_parts(::X509_get_subject_name(x509));
  const BigNumber serial{::ASN1_INTEGER_to_BN(::X509_get0_serialNumber(x509), nullptr)};
  char* decimal = serial ? ::BN_bn2dec(serial.get()) : nullptr;
  if (decimal != nullptr) state->serial = decimal;
  ::OPENSSL_free(decimal);
  if (const ASN1_OCTET_STRING* identifier = ::X509_get0_subject_key_id(x509);
      identifier != nullptr) {
    const auto* first = reinterpret_cast<const std::byte*>(::ASN1_STRING_get0_data(identifier));
    state->subject_key_identifier = Bytes(first, first + ::ASN1_STRING_length(identifier));
  }
  const auto not_before = instant_of(::X509_get0_notBefore(x509));
  const auto not_after = instant_of(::X509_get0_notAfter(x509));
  if (!not_before || !not_after)
    return fail(ErrorCode::token_invalid, "certificate without a validity period");
  state->not_before = *not_before;
  state->not_after = *not_after;
  // Without the extension OpenSSL answers with all bits set.
  state->may_sign = (::X509_get_key_usage(x509) & KU_DIGITAL_SIGNATURE) != 0 &&
                    (::X509_get_extension_flags(x509) & EXFLAG_INVALID) == 0;
  state->authority_mark = authority_mark_of(x509);
  EvpKey key{::X509_get_pubkey(x509)};
  if (!key) return fail(ErrorCode::token_invalid, "certificate's key: " + openssl_errors());
  DISTRICT_TRY(state->key, PublicKey::adopt(key.release()));
  ::ERR_clear_error();
  Certificate certificate;
  certificate.state_ = std::move(state);
  return certificate;
}

Sha256Digest Certificate::fingerprint(ByteView der) { return crypto::sha256(der); }

Result<std::vector<Certificate>> Certificate::from_pki_path(ByteView der,
                                                            std::size_t certificates_max) {
  const auto malformed = [](const char* why) {
    return fail(ErrorCode::token_invalid, std::string("PkiPath ") + why);
  };
  DISTRICT_TRY(const DerValue path, read_der(der, kDerSequence));
  if (path.size != der.size()) return malformed("is followed by other octets");
  std::vector<Certificate> certificates;
  for (ByteView rest = path.content; !rest.empty();) {
    if (certificates.size() == certificates_max) return malformed("has too many certificates");
    DISTRICT_TRY(const DerValue one, read_der(rest, kDerSequence));
    DISTRICT_TRY(Certificate certificate, from_der(rest.first(one.size)));
    if (!certificates.empty()) {
      DISTRICT_CHECK(check_strength(certificates.back().public_key()));
      if (!certificate.names_issuer(certificates.back()))
        return malformed("is not in the order of issue");
    }
    certificates.push_back(std::move(certificate));
    rest = rest.subspan(one.size);
  }
  if (certificates.empty()) return malformed("is empty");
  return certificates;
}

Result<Certificate> Certificate::from_pem(std::string_view pem, const std::string& file) {
  DISTRICT_TRY(const auto all, certificates_of_pem(pem, file));
  if (all.read.size() == 1 && all.unread.empty()) return all.read.front();
  std::vector<Certificate> signers;
  std::ranges::copy_if(all.read, std::back_inserter(signers), [&](const Certificate& certificate) {
    return !certificate.is_authority() && std::ranges::none_of(all.read, [&](const auto& other) {
      return other.sha256() != certificate.sha256() && other.names_issuer(certificate) &&
             other.signed_by(certificate);
    });
  });
  if (signers.size() == 1) return signers.front();
  return fail(ErrorCode::token_invalid,
              "which of its " + std::to_string(all.read.size() + all.unread.size()) +
                  " certificates is meant? " + all.names(),
              "put the signer's own certificate alone into a file");
}

Result<Certificate> Certificate::from_pem_file(const std::string& path) {
  DISTRICT_TRY(const std::string pem, read_file(path, limits::kPemFileBytesMax));
  auto certificate = from_pem(pem, path);
  if (!certificate) certificate.error().detail = path + ": " + certificate.error().detail;
  return certificate;
}

std::string Certificate::pem() const {
  const Bio out{::BIO_new(::BIO_s_mem())};
  if (!out || ::PEM_write_bio_X509(out.get(), state_->x509.get()) != 1) return {};
  char* text = nullptr;
  const long length = ::BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(length)};
}

const Bytes& Certificate::der() const { return state_->der; }
const Sha256Digest& Certificate::sha256() const { return state_->sha256; }
const std::array<std::byte, 20>& Certificate::sha1() const { return state_->sha1; }
const std::string& Certificate::subject() const { return state_->subject; }
const std::string& Certificate::issuer() const { return state_->issuer; }
const std::string& Certificate::serial_decimal() const { return state_->serial; }
const Bytes& Certificate::issuer_der() const { return state_->issuer_der; }
const std::optional<Bytes>& Certificate::subject_key_identifier() const {
  return state_->subject_key_identifier;
}
Instant Certificate::not_before() const { return state_->not_before; }
Instant Certificate::not_after() const { return state_->not_after; }
bool Certificate::may_sign() const { return state_->may_sign; }
const std::string& Certificate::authority_mark() const { return state_->authority_mark; }
const PublicKey& Certificate::public_key() const { return state_->key; }

Bytes Certificate::key_sha1() const {
  Bytes digest(20);
  unsigned length = 0;
  if (::X509_pubkey_digest(state_->x509.get(), digest_method(HashAlgorithm::sha1),
                           reinterpret_cast<unsigned char*>(digest.data()), &length) != 1) {
    return {};
  }
  return digest;
}

std::optional<Bytes> Certificate::authority_key_identifier() const {
  const ASN1_OCTET_STRING* identifier = ::X509_get0_authority_key_id(state_->x509.get());
  if (identifier == nullptr) return std::nullopt;
  const auto* first = reinterpret_cast<const std::byte*>(::ASN1_STRING_get0_data(identifier));
  return Bytes(first, first + ::ASN1_STRING_length(identifier));
}

namespace {

// RFC 4514 writes the most significant part last; some clients write it first. Either is safe,
// since the certificate that is found must still have made the signature.
bool same_in_either_order(const std::vector<RelativeName>& written,
                          const std::vector<RelativeName>& name) {
  return written == name || std::equal(written.rbegin(), written.rend(), name.begin(), name.end());
}

}  // namespace

bool Certificate::issuer_matches(std::string_view text) const {
  const auto parts = parse_name(text);
  return parts && same_in_either_order(*parts, state_->issuer_parts);
}

struct WrittenName::State {
  std::optional<std::vector<RelativeName>> parts;
  bool slashed = false;
};

WrittenName::WrittenName(std::string_view text) {
  auto state = std::make_shared<State>();
  state->parts = parse_name(text);
  if (!state->parts) {
    state->parts = parse_slashed_name(text);
    state->slashed = state->parts.has_value();
  }
  state_ = std::move(state);
}

bool WrittenName::readable() const { return state_->parts.has_value(); }
bool WrittenName::slashed() const { return state_->slashed; }

bool WrittenName::is_issuer_of(const Certificate& certificate) const {
  return readable() && same_in_either_order(*state_->parts, certificate.state_->issuer_parts);
}

bool WrittenName::is_subject_of(const Certificate& certificate) const {
  return readable() && same_in_either_order(*state_->parts, certificate.state_->subject_parts);
}

bool WrittenName::has_parts_of_issuer_of(const Certificate& certificate) const {
  const auto& issuer = certificate.state_->issuer_parts;
  return readable() && std::is_permutation(state_->parts->begin(), state_->parts->end(),
                                           issuer.begin(), issuer.end());
}

bool Certificate::names_issuer(const Certificate& issuer) const {
  return ::X509_NAME_cmp(::X509_get_issuer_name(state_->x509.get()),
                         ::X509_get_subject_name(issuer.state_->x509.get())) == 0;
}

bool Certificate::signed_by(const Certificate& issuer) const {
  const bool good = ::X509_verify(state_->x509.get(), issuer.public_key().native()) == 1;
  ::ERR_clear_error();
  return good;
}

}  // namespace district::crypto
