#include "crypto/key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/file.h"
#include "base/limits.h"
#include "crypto/certificate.h"
#include "crypto/digest.h"
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

struct PrivateKey::State {
  EvpKey key;
  PublicKey public_key;
};

namespace {

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

}  // namespace

Result<PublicKey> PublicKey::adopt(evp_pkey_st* its_key) {
  EvpKey key{its_key};
  auto state = std::make_shared<State>();
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
  PublicKey result;
  result.state_ = std::move(state);
  return result;
}

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
  DISTRICT_TRY(state->public_key, PublicKey::adopt(key.get()));
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
