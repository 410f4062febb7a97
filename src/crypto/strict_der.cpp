#include "crypto/strict_der.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/limits.h"

namespace district::crypto {
namespace {

constexpr std::byte kDerInteger{0x02};
constexpr std::byte kDerObjectIdentifier{0x06};
constexpr std::byte kDerVersion{0xA0};  // [0] EXPLICIT, of a TBSCertificate

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

}  // namespace

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

}  // namespace district::crypto
