#include "crypto/certificate.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <iterator>

#include "base/file.h"
#include "base/limits.h"
#include "crypto/digest.h"
#include "crypto/distinguished_name.h"
#include "crypto/handles.h"
#include "crypto/key_file.h"

namespace district::crypto {

struct PublicKey::State {
  EvpKey key;
  KeyFamily family = KeyFamily::rsa;
  std::size_t bits = 0;
  std::string curve;
  Bytes spki;
};

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

struct PrivateKey::State {
  EvpKey key;
  PublicKey public_key;
};

namespace {

template <typename T, typename Encode>
Bytes encode(const T* object, Encode encoder) {
  unsigned char* octets = nullptr;
  const int length = encoder(object, &octets);
  if (length <= 0) return {};
  const auto* first = reinterpret_cast<const std::byte*>(octets);
  Bytes bytes(first, first + length);
  ::OPENSSL_free(octets);
  return bytes;
}

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

// With 1 anybody can sign, an even one has no private key, and a long one costs long.
bool has_sound_exponent(const EVP_PKEY* rsa_key) {
  BIGNUM* exponent = nullptr;
  if (::EVP_PKEY_get_bn_param(rsa_key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1) return false;
  const BigNumber owner{exponent};
  return ::BN_is_odd(exponent) == 1 && ::BN_is_one(exponent) == 0 &&
         static_cast<std::size_t>(::BN_num_bits(exponent)) <= limits::kRsaExponentBitsMax;
}

// Width of r and of s in octets: that of the curve's order.
std::size_t ecdsa_width(std::size_t bits) { return (bits + 7) / 8; }

// r||s to DER; empty where the value is not two halves of 1 to `width` octets, or a half is zero.
// Some versions of Java's Santuario leave out the zeros that both halves begin with.
Bytes ecdsa_to_der(ByteView value, std::size_t width) {
  const std::size_t half = value.size() / 2;
  if (half == 0 || half > width || value.size() != 2 * half) return {};
  const EcdsaSignature signature{::ECDSA_SIG_new()};
  BigNumber r{::BN_bin2bn(as_uchar(value), static_cast<int>(half), nullptr)};
  BigNumber s{::BN_bin2bn(as_uchar(value) + half, static_cast<int>(half), nullptr)};
  if (!signature || !r || !s || ::BN_is_zero(r.get()) == 1 || ::BN_is_zero(s.get()) == 1) return {};
  if (::ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) return {};
  // The signature owns them now.
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  return encode(signature.get(), ::i2d_ECDSA_SIG);
}

Result<Bytes> ecdsa_from_der(ByteView der, std::size_t width) {
  const unsigned char* position = as_uchar(der);
  const EcdsaSignature signature{
      ::d2i_ECDSA_SIG(nullptr, &position, static_cast<long>(der.size()))};
  if (!signature) return fail(ErrorCode::signing_failed, "ECDSA signature: " + openssl_errors());
  Bytes fixed(2 * width);
  auto* out = reinterpret_cast<unsigned char*>(fixed.data());
  const int size = static_cast<int>(width);
  if (::BN_bn2binpad(::ECDSA_SIG_get0_r(signature.get()), out, size) != size ||
      ::BN_bn2binpad(::ECDSA_SIG_get0_s(signature.get()), out + width, size) != size) {
    return fail(ErrorCode::signing_failed, "ECDSA signature does not fit its curve");
  }
  return fixed;
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

// "CN=a; CN=b (an authority's, CA:TRUE)"; at most a few.
std::string names_of(const std::vector<Certificate>& certificates) {
  constexpr std::size_t kNamed = 5;
  std::string names;
  for (std::size_t i = 0; i < std::min(kNamed, certificates.size()); ++i) {
    names += (i == 0 ? "" : "; ") + certificates[i].subject();
    if (certificates[i].is_authority())
      names += " (an authority's, " + certificates[i].authority_mark() + ")";
  }
  if (certificates.size() > kNamed)
    names += " and " + std::to_string(certificates.size() - kNamed) + " more";
  return names;
}

struct DerValue {
  ByteView content;
  std::size_t size = 0;  // with tag and length
};

constexpr std::byte kDerInteger{0x02};
constexpr std::byte kDerObjectIdentifier{0x06};
constexpr std::byte kDerSequence{0x30};
constexpr std::byte kDerVersion{0xA0};  // [0] EXPLICIT, of a TBSCertificate

// A value with a definite length in its shortest form (X.690 section 10.1), at the start.
Result<DerValue> read_der(ByteView der, std::byte tag) {
  const auto bad = [] { return fail(ErrorCode::token_invalid, "token is not in strict DER"); };
  if (der.size() < 2 || der[0] != tag) return bad();
  std::size_t length = std::to_integer<std::size_t>(der[1]);
  std::size_t head = 2;
  if (length >= 0x80) {
    const std::size_t octets = length & 0x7FU;
    if (octets == 0 || octets > 3 || der.size() < 2 + octets) return bad();
    length = 0;
    for (; head < 2 + octets; ++head)
      length = (length << 8U) | std::to_integer<std::size_t>(der[head]);
    if (length < 0x80 || (octets > 1 && length >> (8U * (octets - 1)) == 0)) return bad();
  }
  if (der.size() - head < length) return bad();
  return DerValue{der.subspan(head, length), head + length};
}

// Takes a value from the front of `rest`; gives its content.
Result<ByteView> take_der(ByteView& rest, std::byte tag) {
  DISTRICT_TRY(const DerValue value, read_der(rest, tag));
  rest = rest.subspan(value.size);
  return value.content;
}

// SubjectPublicKeyInfo's algorithm: rsaEncryption (RFC 8017), or id-ecPublicKey with one of the
// curves by name (RFC 5480).
Result<Ok> check_key_algorithm(ByteView algorithm) {
  using namespace std::string_view_literals;
  constexpr auto kRsaEncryption = "\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01"sv;
  constexpr auto kEcPublicKey = "\x2A\x86\x48\xCE\x3D\x02\x01"sv;
  constexpr std::array kCurves = {"\x2A\x86\x48\xCE\x3D\x03\x01\x07"sv,  // P-256
                                  "\x2B\x81\x04\x00\x22"sv,              // P-384
                                  "\x2B\x81\x04\x00\x23"sv};             // P-521
  DISTRICT_TRY(const ByteView type, take_der(algorithm, kDerObjectIdentifier));
  if (as_text(type) == kRsaEncryption) return Ok{};
  if (as_text(type) != kEcPublicKey) {
    return fail(ErrorCode::token_invalid, "key is neither RSA nor ECDSA",
                "use an RSA key of 2048 bits or more, or an EC key on P-256, P-384 or P-521");
  }
  const auto curve = take_der(algorithm, kDerObjectIdentifier);
  if (curve && std::ranges::find(kCurves, as_text(*curve)) != kCurves.end()) return Ok{};
  return fail(ErrorCode::token_invalid, "EC key on another curve than P-256, P-384 and P-521",
              "use an RSA key of 2048 bits or more, or an EC key on P-256, P-384 or P-521");
}

// What must be known before OpenSSL decodes a stranger's certificate: it makes a curve of whatever
// parameters there are, and the decimal spelling of a serial number takes the square of its length.
Result<Ok> check_outline(ByteView der) {
  DISTRICT_TRY(ByteView certificate, take_der(der, kDerSequence));
  DISTRICT_TRY(ByteView fields, take_der(certificate, kDerSequence));
  if (!fields.empty() && fields.front() == kDerVersion)
    DISTRICT_CHECK(take_der(fields, kDerVersion));
  DISTRICT_TRY(const ByteView serial, take_der(fields, kDerInteger));
  if (serial.size() > limits::kSerialNumberBytesMax)
    return fail(ErrorCode::token_invalid,
                "certificate with a serial number of more than 20 octets");
  for ([[maybe_unused]] const char* field : {"signature", "issuer", "validity", "subject"})
    DISTRICT_CHECK(take_der(fields, kDerSequence));
  DISTRICT_TRY(ByteView key, take_der(fields, kDerSequence));
  DISTRICT_TRY(const ByteView algorithm, take_der(key, kDerSequence));
  return check_key_algorithm(algorithm);
}

Result<std::shared_ptr<PublicKey::State>> read_public_key(EvpKey key) {
  auto state = std::make_shared<PublicKey::State>();
  state->bits = static_cast<std::size_t>(::EVP_PKEY_get_bits(key.get()));
  const int type = ::EVP_PKEY_get_base_id(key.get());
  if (type == EVP_PKEY_RSA) {
    state->family = KeyFamily::rsa;
  } else if (type == EVP_PKEY_EC) {
    state->family = KeyFamily::ecdsa;
    char curve[64] = {};
    if (::EVP_PKEY_get_utf8_string_param(key.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve, sizeof curve,
                                         nullptr) != 1) {
      ::ERR_clear_error();
      return fail(ErrorCode::token_invalid, "EC key without a named curve");
    }
    state->curve = curve;
  } else {
    return fail(ErrorCode::token_invalid, "key is neither RSA nor ECDSA",
                "use an RSA key of 2048 bits or more, or an EC key on P-256, P-384 or P-521");
  }
  state->spki = encode(key.get(), ::i2d_PUBKEY);
  state->key = std::move(key);
  return state;
}

}  // namespace

KeyFamily PublicKey::family() const { return state_->family; }
std::size_t PublicKey::bits() const { return state_->bits; }
const std::string& PublicKey::curve() const { return state_->curve; }
const Bytes& PublicKey::spki_der() const { return state_->spki; }
evp_pkey_st* PublicKey::native() const { return state_->key.get(); }

bool PublicKey::verify(HashAlgorithm hash, ByteView data, ByteView signature) const {
  Bytes der;
  if (state_->family == KeyFamily::rsa) {
    if (signature.size() != static_cast<std::size_t>(::EVP_PKEY_get_size(native()))) return false;
  } else {
    der = ecdsa_to_der(signature, ecdsa_width(state_->bits));
    if (der.empty()) return false;
    signature = der;
  }
  const EvpDigest context{::EVP_MD_CTX_new()};
  EVP_PKEY_CTX* options = nullptr;  // owned by the digest context
  bool good = context && ::EVP_DigestVerifyInit(context.get(), &options, digest_method(hash),
                                                nullptr, native()) == 1;
  if (good && state_->family == KeyFamily::rsa) {
    good = ::EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PADDING) == 1;
  }
  good = good && ::EVP_DigestVerify(context.get(), as_uchar(signature), signature.size(),
                                    as_uchar(data), data.size()) == 1;
  ::ERR_clear_error();
  return good;
}

Result<Ok> check_strength(const PublicKey& key) {
  if (key.family() == KeyFamily::rsa) {
    if (key.bits() < limits::kRsaModulusBitsMin || key.bits() > limits::kRsaModulusBitsMax) {
      return fail(ErrorCode::token_invalid,
                  "RSA key of " + std::to_string(key.bits()) + " bits; 2048 to 8192 are accepted",
                  "make a new key of 2048 bits or more");
    }
    if (!has_sound_exponent(key.native())) {
      return fail(ErrorCode::token_invalid,
                  "RSA key with a public exponent that is 1, even or above 32 bits",
                  "make a new key with the usual exponent 65537");
    }
    return Ok{};
  }
  for (const char* curve : {"prime256v1", "secp384r1", "secp521r1"}) {
    if (key.curve() == curve) return Ok{};
  }
  return fail(ErrorCode::token_invalid, "EC key on curve " + key.curve(),
              "use P-256, P-384 or P-521");
}

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
  DISTRICT_TRY(state->key.state_, read_public_key(std::move(key)));
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

namespace {

// The certificates of a PEM text, in its order, each once.
struct PemCertificates {
  std::vector<Certificate> read;
  std::vector<Error> unread;  // of these, each with its number among all
};

Result<Certificate> certificate_of(const PemBlock& block) {
  // A TRUSTED CERTIFICATE has OpenSSL's own words behind it.
  const unsigned char* at = as_uchar(block.der);
  const X509Cert x509{::d2i_X509(nullptr, &at, static_cast<long>(block.der.size()))};
  if (x509) return Certificate::from_der(encode(x509.get(), ::i2d_X509));
  ::ERR_clear_error();
  return fail(ErrorCode::token_invalid, "a CERTIFICATE block is not a certificate",
              "export it anew");
}

// At least one is read.
Result<PemCertificates> all_from_pem(std::string_view pem, const std::string& file) {
  const auto text = read_pem(pem);
  PemCertificates all;
  const auto total = std::ranges::count_if(text.blocks, is_certificate);
  std::size_t number = 0;
  for (const auto& block : text.blocks) {
    if (!is_certificate(block)) continue;
    ++number;
    auto certificate = certificate_of(block);
    if (!certificate) {
      if (total > 1)
        certificate.error().detail = "its certificate " + std::to_string(number) + " of " +
                                     std::to_string(total) +
                                     " was not understood: " + certificate.error().detail;
      all.unread.push_back(std::move(certificate).error());
      continue;
    }
    const bool again = std::ranges::any_of(
        all.read, [&](const auto& other) { return other.sha256() == certificate->sha256(); });
    if (!again) all.read.push_back(*std::move(certificate));
  }
  if (all.read.empty() && all.unread.empty())
    return fail(wrong_file(pem, Wanted::certificate, file));
  if (text.damaged) {
    return fail(ErrorCode::token_invalid,
                "damaged PEM behind " + std::to_string(text.blocks.size()) + " good blocks",
                "export it anew, or copy the whole of it with its line breaks");
  }
  if (all.read.empty()) return fail(std::move(all.unread.front()));
  return all;
}

// "; its certificate 2 of 3 was not understood: why": they may be what was meant.
std::string names_of_unread(const std::vector<Error>& unread) {
  std::string names;
  constexpr std::size_t kNamed = 3;
  for (std::size_t i = 0; i < std::min(kNamed, unread.size()); ++i)
    names += "; " + unread[i].detail;
  if (unread.size() > kNamed) names += "; and " + std::to_string(unread.size() - kNamed) + " more";
  return names;
}

}  // namespace

Result<Certificate> Certificate::from_pem(std::string_view pem, const std::string& file) {
  DISTRICT_TRY(const auto all, all_from_pem(pem, file));
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
                  " certificates is meant? " + names_of(all.read) + names_of_unread(all.unread),
              "put the signer's own certificate alone into a file");
}

Result<Certificate> Certificate::from_pem_file(const std::string& path) {
  DISTRICT_TRY(const std::string pem, read_file(path, limits::kPemFileBytesMax));
  auto certificate = from_pem(pem, path);
  if (!certificate) certificate.error().detail = path + ": " + certificate.error().detail;
  return certificate;
}

Result<KeyPair> read_key_pair(const std::string& certificate_file, const std::string& key_file) {
  DISTRICT_TRY(const std::string pem, read_file(certificate_file, limits::kPemFileBytesMax));
  auto all = all_from_pem(pem, certificate_file);
  if (!all) all.error().detail = certificate_file + ": " + all.error().detail;
  if (!all) return fail(std::move(all).error());
  DISTRICT_TRY(auto key, PrivateKey::from_pem_file(key_file));
  for (auto& certificate : all->read)
    if (key.matches(certificate)) return KeyPair{std::move(certificate), std::move(key)};
  return fail(
      ErrorCode::config_invalid,
      key_file + " does not belong to the certificate in " + certificate_file + ": " +
          names_of(all->read) + names_of_unread(all->unread),
      "give the key that the certificate was made for, or a certificate made anew for this key");
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

Result<PrivateKey> PrivateKey::from_pem_file(const std::string& path) {
  DISTRICT_TRY(std::string pem, read_file(path, limits::kPemFileBytesMax));
  auto text = read_pem(pem);
  EvpKey key;
  const auto block = std::ranges::find_if(text.blocks, is_private_key);
  if (block != text.blocks.end()) {
    const unsigned char* at = as_uchar(block->der);
    key.reset(::d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(block->der.size())));
    ::ERR_clear_error();
  }
  std::optional<Error> wrong;
  if (!key) wrong = wrong_file(pem, Wanted::private_key, path);
  for (auto& each : text.blocks) ::OPENSSL_cleanse(each.der.data(), each.der.size());
  ::OPENSSL_cleanse(pem.data(), pem.size());
  if (wrong) {
    wrong->detail = path + ": " + wrong->detail;
    return fail(*std::move(wrong));
  }
  auto state = std::make_shared<State>();
  ::EVP_PKEY_up_ref(key.get());
  DISTRICT_TRY(state->public_key.state_, read_public_key(EvpKey{key.get()}));
  state->key = std::move(key);
  PrivateKey result;
  result.state_ = std::move(state);
  return result;
}

KeyFamily PrivateKey::family() const { return state_->public_key.family(); }
const PublicKey& PrivateKey::public_key() const { return state_->public_key; }

bool PrivateKey::matches(const Certificate& certificate) const {
  return certificate.public_key().spki_der() == state_->public_key.spki_der();
}

Result<Bytes> PrivateKey::sign(HashAlgorithm hash, ByteView data) const {
  const EvpDigest context{::EVP_MD_CTX_new()};
  if (!context || ::EVP_DigestSignInit(context.get(), nullptr, digest_method(hash), nullptr,
                                       state_->key.get()) != 1) {
    return fail(ErrorCode::signing_failed, openssl_errors());
  }
  std::size_t length = static_cast<std::size_t>(::EVP_PKEY_get_size(state_->key.get()));
  Bytes signature(length);
  if (::EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length,
                       as_uchar(data), data.size()) != 1) {
    return fail(ErrorCode::signing_failed, openssl_errors());
  }
  signature.resize(length);
  if (family() == KeyFamily::rsa) return signature;
  return ecdsa_from_der(signature, ecdsa_width(state_->public_key.bits()));
}

}  // namespace district::crypto
