// What a key reference that names no enrolled certificate may be meant for: subject for issuer, a
// serial number in hexadecimal, a thumbprint of another kind. For people only: nothing is accepted
// because of it. Threads: any.
// Source: X.509 Token Profile 1.1.1 section 3; XMLDSig 1.1 section 4.5.4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "crypto/certificate.h"
#include "xml/document.h"

namespace district::verify {

// What a reference says, as it came. It is the sender's text: bounded, and not escaped.
struct KeyName {
  enum class Kind : std::uint8_t { issuer_serial, thumbprint, key_identifier };
  Kind kind = Kind::issuer_serial;
  std::string issuer;  // of issuer_serial
  std::string value;   // serial number, or base64
};

// nullopt: the KeyInfo does not refer to a certificate by one of these.
std::optional<KeyName> named_key(xml::Element key_info);

// "issuer 'CN=CA,O=X', serial number '12'"
std::string shown(const KeyName& name);

// Enrolled certificates, the newest, that a reference which names none is held against: one costs
// some microseconds, and anybody can send such a reference.
inline constexpr std::size_t kNearMissCertificatesMax = 200;

struct NearMiss {
  std::string explanation, hint;  // empty: nothing comes near
};
// `certificates`: that may be meant, the likeliest first.
NearMiss near_miss(const KeyName& name, const std::vector<crypto::Certificate>& certificates);

}  // namespace district::verify
