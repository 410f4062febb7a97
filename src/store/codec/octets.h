// Numbers as few octets, for what is stored packed: variable-length integers, and doubles that were
// written as decimals as their digits.
// Threads: any.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace district::store {

// value = mantissa / 10^scale, exactly; scale 0 to 6. `plain`: it is not of this form.
struct Decimal {
  std::int64_t mantissa = 0;
  std::uint8_t scale = 0;
  bool plain = true;
};

inline constexpr double kPowersOfTen[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
inline constexpr std::uint8_t kScaleMax = 6;

inline bool decimal_of_scale(double value, std::uint8_t scale, Decimal& result) {
  const double scaled = value * kPowersOfTen[scale];
  if (!(std::abs(scaled) < 9e15)) return false;
  const auto mantissa = static_cast<std::int64_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
  if (static_cast<double>(mantissa) / kPowersOfTen[scale] != value) return false;
  if (mantissa == 0 && std::signbit(value)) return false;
  result = {mantissa, scale, false};
  return true;
}

// Tries the likely scale first.
inline Decimal decimal_of(double value, std::uint8_t likely) {
  Decimal result;
  if (decimal_of_scale(value, likely, result)) return result;
  for (std::uint8_t scale = 0; scale <= kScaleMax; ++scale) {
    if (decimal_of_scale(value, scale, result)) return result;
  }
  return result;
}

inline double value_of(const Decimal& decimal) {
  return static_cast<double>(decimal.mantissa) / kPowersOfTen[decimal.scale];
}

class OctetWriter {
 public:
  void octet(std::uint8_t value) { text_.push_back(static_cast<char>(value)); }
  void natural(std::uint64_t value) {  // seven bits an octet, the lowest first
    while (value >= 0x80) {
      octet(static_cast<std::uint8_t>(value | 0x80));
      value >>= 7U;
    }
    octet(static_cast<std::uint8_t>(value));
  }
  void integer(std::int64_t value) {  // small ones of either sign are short
    natural((static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63));
  }
  // Microseconds; whole seconds are shorter.
  void micros(std::int64_t value) {
    value % 1'000'000 == 0 ? integer(value / 1'000'000 * 2) : integer(value * 2 + 1);
  }
  void real(double value) {
    char octets[sizeof value];
    std::memcpy(octets, &value, sizeof value);
    text_.append(octets, sizeof value);
  }
  void text(std::string_view value) {
    natural(value.size());
    text_.append(value);
  }
  std::string take() { return std::move(text_); }
  std::size_t size() const { return text_.size(); }

 private:
  std::string text_;
};

// Reads what an OctetWriter wrote. After the end, or where the octets make no sense, it gives zeros
// and good() is false.
class OctetReader {
 public:
  explicit OctetReader(ByteView octets)
      : at_(reinterpret_cast<const std::uint8_t*>(octets.data())), end_(at_ + octets.size()) {}

  bool good() const { return good_; }
  bool at_end() const { return at_ == end_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  std::uint8_t octet() {
    if (at_ == end_) return bad();
    return *at_++;
  }
  std::uint64_t natural() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && at_ != end_; shift += 7) {
      const std::uint8_t next = *at_++;
      value |= static_cast<std::uint64_t>(next & 0x7FU) << shift;
      if (next < 0x80) return value;
    }
    return bad();
  }
  std::int64_t integer() {
    const auto value = natural();
    return static_cast<std::int64_t>((value >> 1U) ^ (~(value & 1U) + 1));
  }
  std::int64_t micros() {
    const auto value = integer();
    const auto half = value >> 1;
    if ((value & 1) != 0) return half;
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(half) * 1'000'000U);
  }
  double real() {
    double value = 0;
    if (left() < sizeof value) return bad();
    std::memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  std::string text() {
    const auto size = natural();
    if (size > left()) return bad(), std::string();
    std::string value(reinterpret_cast<const char*>(at_), size);
    at_ += size;
    return value;
  }

 private:
  std::uint8_t bad() {
    good_ = false;
    at_ = end_;
    return 0;
  }
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  bool good_ = true;
};

}  // namespace district::store
