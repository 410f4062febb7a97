#include "verify/near_miss.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "base/utf8.h"
#include "crypto/digest.h"
#include "xml/namespaces.h"

namespace district::verify {
namespace {

namespace ns = xml::ns;
using crypto::Certificate;

constexpr std::size_t kShownBytesMax = 200;
constexpr std::size_t kReadBytesMax = 4096;

std::string bounded(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  return std::string(cut(text, bytes_max)) + "...";
}

std::string who(const Certificate& certificate) {
  return bounded(certificate.subject(), kShownBytesMax) + " (" +
         to_hex(certificate.sha256()).substr(0, 8) + "...)";
}

// Octets as one number in decimal, the most significant first.
std::string decimal_of(ByteView octets) {
  std::string digits = "0";  // the least significant first
  for (const std::byte octet : octets) {
    unsigned carry = std::to_integer<unsigned>(octet);
    for (char& digit : digits) {
      carry += static_cast<unsigned>(digit - '0') * 256;
      digit = static_cast<char>('0' + carry % 10);
      carry /= 10;
    }
    for (; carry > 0; carry /= 10) digits += static_cast<char>('0' + carry % 10);
  }
  std::ranges::reverse(digits);
  return digits;
}

// Hex digits in any of its spellings: 0x, colons, blanks, dashes, "h". nullopt: it is no hex.
std::optional<Bytes> octets_of_hex(std::string_view text) {
  std::string digits;
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  if (text.ends_with("h") || text.ends_with("H")) text.remove_suffix(1);
  for (const char c : text)
    if (c != ':' && c != '-' && !is_xml_space(c)) digits += c;
  if (digits.empty() || digits.size() > 256) return std::nullopt;
  if (digits.size() % 2 != 0) digits.insert(0, "0");
  return from_hex(digits);
}

std::string without_leading_zeros(std::string digits) {
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  return digits;
}

// How the text of a serial number may be meant.
struct SerialReading {
  std::string decimal;
  const char* words;  // empty: as it should be written
};

std::vector<SerialReading> readings_of_serial(const std::string& text) {
  std::vector<SerialReading> readings;
  const bool decimal = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  if (decimal) readings.push_back({without_leading_zeros(text), ""});
  if (const auto octets = octets_of_hex(text)) {
    readings.push_back({decimal_of(*octets), "in hexadecimal"});
    const Bytes reversed(octets->rbegin(), octets->rend());
    readings.push_back({decimal_of(reversed), "in hexadecimal, with its octets in reverse order"});
  }
  if (!decimal && text.size() <= 64) {
    std::string digits;
    for (const char c : text)
      if (c >= '0' && c <= '9') digits += c;
    const bool separated = text.find_first_not_of("0123456789 .,'_+") == std::string::npos;
    if (separated && !digits.empty())
      readings.push_back(
          {without_leading_zeros(digits), "with signs between or before its digits"});
  }
  if (const auto octets = from_base64(text); octets && !octets->empty() && octets->size() <= 20)
    readings.push_back({decimal_of(*octets), "in base64"});
  return readings;
}

// The number that a signed integer of its octets makes of a serial number with its top bit set.
std::optional<std::string> negative_of(const std::string& decimal) {
  // From the decimal back to octets, by division.
  Bytes octets;
  for (std::string rest = decimal; rest != "0";) {
    unsigned carry = 0;
    for (char& digit : rest) {
      carry = carry * 10 + static_cast<unsigned>(digit - '0');
      digit = static_cast<char>('0' + carry / 256);
      carry %= 256;
    }
    octets.insert(octets.begin(), static_cast<std::byte>(carry));
    rest = without_leading_zeros(rest);
  }
  if (octets.empty() || (octets.front() & std::byte{0x80}) == std::byte{0}) return std::nullopt;
  for (auto& octet : octets) octet = ~octet;
  for (auto octet = octets.rbegin(); octet != octets.rend(); ++octet) {
    *octet = static_cast<std::byte>(std::to_integer<unsigned>(*octet) + 1U);
    if (*octet != std::byte{0}) break;
  }
  return "-" + decimal_of(octets);
}

// nullptr: the text does not mean this certificate's serial number.
const char* serial_words(const std::string& text, const std::vector<SerialReading>& readings,
                         const Certificate& certificate) {
  const auto& serial = certificate.serial_decimal();
  for (const auto& reading : readings)
    if (reading.decimal == serial) return reading.words;
  if (text.starts_with('-') && negative_of(serial) == text)
    return "as a negative number, of its octets read with a sign";
  return nullptr;
}

// What is wrong with the name; nullptr: it is another name altogether.
const char* name_words(const crypto::WrittenName& name, const Certificate& certificate) {
  if (name.is_issuer_of(certificate))
    return name.slashed() ? "the issuer's name is written with slashes" : "";
  if (name.is_subject_of(certificate)) return "the message names its subject as the issuer";
  if (name.has_parts_of_issuer_of(certificate))
    return "the parts of the issuer's name are in another order";
  return nullptr;
}

std::string right_issuer_serial(const Certificate& certificate) {
  return "write X509IssuerName " + bounded(certificate.issuer(), kShownBytesMax) +
         " and X509SerialNumber " + certificate.serial_decimal();
}

// The serial number is that of the certificate.
NearMiss explain_serial(const Certificate& certificate, const char* serial,
                        const crypto::WrittenName& name) {
  NearMiss result;
  result.explanation = "the serial number is that of " + who(certificate);
  if (*serial != '\0') {
    result.explanation += std::string(" ") + serial + ": write " + certificate.serial_decimal();
  }
  const char* issuer = name_words(name, certificate);
  if (issuer == nullptr) {
    issuer = name.readable() ? "the issuer named is another one"
                             : "what is named as the issuer is no distinguished name";
  }
  if (*issuer != '\0') {
    result.explanation += std::string(", but ") + issuer + "; its issuer is " +
                          bounded(certificate.issuer(), kShownBytesMax);
  }
  result.hint = right_issuer_serial(certificate);
  return result;
}

NearMiss explain_issuer_serial(const KeyName& key, const std::vector<Certificate>& certificates) {
  const crypto::WrittenName name(key.issuer);
  const auto readings = readings_of_serial(key.value);
  const Certificate* by_serial = nullptr;
  const Certificate* by_name = nullptr;
  std::string others;
  std::size_t count = 0;
  for (const auto& certificate : certificates) {
    const char* serial = serial_words(key.value, readings, certificate);
    const bool fits = name_words(name, certificate) != nullptr;
    if (serial != nullptr && fits) return explain_serial(certificate, serial, name);
    if (serial != nullptr && by_serial == nullptr) by_serial = &certificate;
    if (!fits) continue;
    if (by_name == nullptr) by_name = &certificate;
    if (++count <= 3) {
      others += (others.empty() ? "" : ", ") + who(certificate) + " with the serial number " +
                certificate.serial_decimal();
    }
  }
  if (by_serial != nullptr)
    return explain_serial(*by_serial, serial_words(key.value, readings, *by_serial), name);
  if (by_name == nullptr) return {};
  const std::string_view words = name_words(name, *by_name);
  if (words.empty()) {
    std::string text = "of this issuer there is " + others;
    if (count > 3) text += " and " + std::to_string(count - 3) + " more";
    if (key.value.find_first_of("eE.") != std::string::npos &&
        key.value.find_first_not_of("0123456789.eE+") == std::string::npos) {
      return {
          text + "; the serial number is written as a floating-point number and has lost digits",
          right_issuer_serial(*by_name)};
    }
    return {text + ", none with the serial number that the message names",
            count == 1 ? right_issuer_serial(*by_name)
                       : "the gateway uses a certificate that is not enrolled, or names another's "
                         "serial number"};
  }
  return {std::string(words) + ", if " + who(*by_name) + " is meant: its issuer is " +
              bounded(by_name->issuer(), kShownBytesMax),
          right_issuer_serial(*by_name)};
}

struct OctetsReading {
  Bytes octets;
  const char* words;  // empty: base64, as it should be
};

std::vector<OctetsReading> readings_of_octets(const std::string& text) {
  std::vector<OctetsReading> readings;
  const auto plain = from_base64(text);
  if (plain) readings.push_back({*plain, ""});
  if (const auto octets = octets_of_hex(text)) readings.push_back({*octets, "in hexadecimal"});
  if (plain) {
    if (const auto octets = octets_of_hex(as_text(*plain)))
      readings.push_back({*octets, "as base64 of its hexadecimal digits"});
    readings.push_back({Bytes(plain->rbegin(), plain->rend()), "with its octets in reverse order"});
    // OCTET STRING
    if (plain->size() > 2 && (*plain)[0] == std::byte{4} &&
        std::to_integer<std::size_t>((*plain)[1]) == plain->size() - 2)
      readings.push_back({Bytes(plain->begin() + 2, plain->end()), "wrapped in DER"});
  }
  std::string padded = collapse_xml_space(text);
  std::ranges::replace(padded, '-', '+');
  std::ranges::replace(padded, '_', '/');
  while (padded.size() % 4 != 0) padded += '=';
  if (const auto octets = from_base64(padded); octets && !plain)
    readings.push_back({*octets, "in the base64 of URLs, or without its padding"});
  return readings;
}

struct Known {
  Bytes octets;
  const char* words;
};

std::vector<Known> octets_of(const Certificate& certificate) {
  const auto bytes = [](const auto& digest) { return Bytes(digest.begin(), digest.end()); };
  const auto& spki = certificate.public_key().spki_der();
  std::vector<Known> known{
      {bytes(certificate.sha1()), "the SHA-1 thumbprint"},
      {bytes(certificate.sha256()), "the SHA-256 thumbprint"},
      {certificate.key_sha1(), "the SHA-1 of the public key"},
      {bytes(crypto::sha1(spki)), "the SHA-1 of the public key's SubjectPublicKeyInfo"},
      {bytes(crypto::sha256(spki)), "the SHA-256 of the public key's SubjectPublicKeyInfo"}};
  if (const auto& identifier = certificate.subject_key_identifier())
    known.insert(known.begin(), Known{*identifier, "the subject key identifier"});
  if (auto identifier = certificate.authority_key_identifier();
      identifier && identifier != certificate.subject_key_identifier())
    known.push_back(Known{*std::move(identifier), "the key identifier of the issuer"});
  return known;
}

NearMiss explain_octets(const KeyName& key, const std::vector<Certificate>& certificates) {
  const bool thumbprint = key.kind == KeyName::Kind::thumbprint;
  const auto readings = readings_of_octets(key.value);
  for (const auto& certificate : certificates) {
    for (const auto& [octets, words] : octets_of(certificate)) {
      for (const auto& reading : readings) {
        if (octets.empty() || reading.octets != octets) continue;
        NearMiss result;
        result.explanation = std::string("the value is ") + words + " of " + who(certificate);
        if (*reading.words != '\0') result.explanation += std::string(" ") + reading.words;
        if (thumbprint) {
          result.hint = "ThumbprintSHA1 is the SHA-1 of the whole certificate in base64: " +
                        to_base64(certificate.sha1());
        } else if (const auto& identifier = certificate.subject_key_identifier()) {
          result.hint = "X509SubjectKeyIdentifier is the certificate's extension in base64: " +
                        to_base64(*identifier);
        } else {
          result.explanation += ", which has no subject key identifier";
          result.hint = "let the gateway send the certificate in a BinarySecurityToken";
        }
        return result;
      }
    }
  }
  return {};
}

}  // namespace

std::optional<KeyName> named_key(xml::Element key_info) {
  const xml::Element str =
      key_info ? key_info.child(ns::kWsse, "SecurityTokenReference") : xml::Element{};
  if (!str) return std::nullopt;
  const auto text_of = [](xml::Element element) {
    return bounded(element ? collapse_xml_space(element.text()) : std::string(), kReadBytesMax);
  };
  if (const xml::Element data = str.child(ns::kDs, "X509Data")) {
    const xml::Element issuer_serial = data.child(ns::kDs, "X509IssuerSerial");
    if (!issuer_serial || data.child(ns::kDs, "X509Certificate")) return std::nullopt;
    const xml::Element issuer = issuer_serial.child(ns::kDs, "X509IssuerName");
    // Its blanks may be escaped ones.
    return KeyName{KeyName::Kind::issuer_serial,
                   bounded(issuer ? issuer.text() : std::string(), kReadBytesMax),
                   text_of(issuer_serial.child(ns::kDs, "X509SerialNumber"))};
  }
  const xml::Element identifier = str.child(ns::kWsse, "KeyIdentifier");
  if (!identifier) return std::nullopt;
  const auto type = identifier.attribute("", "ValueType");
  if (type == xml::wss::kThumbprintSha1)
    return KeyName{KeyName::Kind::thumbprint, {}, text_of(identifier)};
  if (type == xml::wss::kX509SubjectKeyIdentifier)
    return KeyName{KeyName::Kind::key_identifier, {}, text_of(identifier)};
  return std::nullopt;
}

std::string shown(const KeyName& name) {
  const auto quoted = [](const std::string& text) {
    return "'" + bounded(text, kShownBytesMax) + "'";
  };
  switch (name.kind) {
    case KeyName::Kind::issuer_serial:
      return "issuer " + quoted(name.issuer) + ", serial number " + quoted(name.value);
    case KeyName::Kind::thumbprint:
      return "thumbprint " + quoted(name.value);
    case KeyName::Kind::key_identifier:
      return "key identifier " + quoted(name.value);
  }
  return {};
}

NearMiss near_miss(const KeyName& name, const std::vector<Certificate>& certificates) {
  return name.kind == KeyName::Kind::issuer_serial ? explain_issuer_serial(name, certificates)
                                                   : explain_octets(name, certificates);
}

}  // namespace district::verify
