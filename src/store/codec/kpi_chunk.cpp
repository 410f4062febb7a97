#include "store/codec/kpi_chunk.h"

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#include "store/codec/octets.h"

namespace district::store {
namespace {

// Names of attributes that occur often, by their number from 1; 0: spelled out. Append only.
constexpr std::array<std::string_view, 12> kNames = {
    "missing",          "hours_expected",    "hours_present", "peak_at_utc",
    "estimated_values", "excluded_overlaps", "readings",      "rollovers",
    "anomalies",        "implausible",       "valid_days",    "expected_days"};

enum Head : std::uint8_t {
  status_bits = 3U,
  revised = 1U << 2U,            // the revision follows
  same_completeness = 1U << 3U,  // as of the entry before; of the first: 1
  has_attributes = 1U << 4U,
};
constexpr unsigned kNumberShift = 5;
enum class Number : std::uint8_t { null, same, decimal, real, zero, one, last = one };

bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

struct Previous {
  double completeness = 1;
  double value = 0;  // the last that was not null
  Instant computed_at{};
};

Number way_of(const PackedKpi& kpi, const Previous& previous, Decimal& decimal) {
  if (!kpi.value) return Number::null;
  if (same_bits(*kpi.value, 0)) return Number::zero;
  if (same_bits(*kpi.value, 1)) return Number::one;
  if (same_bits(*kpi.value, previous.value)) return Number::same;
  decimal = decimal_of(*kpi.value, 1);
  return decimal.plain ? Number::real : Number::decimal;
}

void write_attributes(OctetWriter& out, const PackedKpi& kpi) {
  out.natural(kpi.attributes.size());
  for (const auto& [name, value] : kpi.attributes) {
    std::size_t number = 0;
    while (number < kNames.size() && kNames[number] != name) ++number;
    out.natural(number == kNames.size() ? 0 : number + 1);
    if (number == kNames.size()) out.text(name);
    out.text(value);
  }
}

void write(OctetWriter& out, const PackedKpi& kpi, Previous& previous) {
  const bool recomputed = kpi.computed_at != previous.computed_at;
  out.natural(static_cast<std::uint64_t>(kpi.kpi_id) << 1U | (recomputed ? 1U : 0U));
  if (recomputed) out.micros((kpi.computed_at - previous.computed_at).count());
  Decimal decimal;
  const auto how = way_of(kpi, previous, decimal);
  unsigned head = static_cast<unsigned>(kpi.status) | static_cast<unsigned>(how) << kNumberShift;
  if (kpi.revision != 1) head |= revised;
  if (same_bits(kpi.completeness, previous.completeness)) head |= same_completeness;
  if (!kpi.attributes.empty()) head |= has_attributes;
  out.octet(static_cast<std::uint8_t>(head));
  if (head & revised) out.natural(kpi.revision);
  if (!(head & same_completeness)) out.real(kpi.completeness);
  if (how == Number::decimal) {
    out.octet(decimal.scale);
    out.integer(decimal.mantissa);
  }
  if (how == Number::real) out.real(*kpi.value);
  if (head & has_attributes) write_attributes(out, kpi);
  previous.completeness = kpi.completeness;
  previous.computed_at = kpi.computed_at;
  if (kpi.value) previous.value = *kpi.value;
}

bool read_attributes(OctetReader& in, PackedKpi& kpi) {
  const auto count = in.natural();
  if (count > in.left()) return false;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto number = in.natural();
    if (number > kNames.size()) return false;
    auto name = number == 0 ? in.text() : std::string(kNames[number - 1]);
    kpi.attributes.emplace_back(std::move(name), in.text());
  }
  return in.good();
}

bool read_number(OctetReader& in, Number how, const Previous& previous, PackedKpi& kpi) {
  switch (how) {
    case Number::null:
      return true;
    case Number::same:
      kpi.value = previous.value;
      return true;
    case Number::zero:
      kpi.value = 0;
      return true;
    case Number::one:
      kpi.value = 1;
      return true;
    case Number::real:
      kpi.value = in.real();
      return true;
    case Number::decimal: {
      const auto scale = in.octet();
      if (scale > kScaleMax) return false;
      kpi.value = value_of({in.integer(), scale, false});
      return true;
    }
  }
  return false;
}

bool read(OctetReader& in, Previous& previous, PackedKpi& kpi) {
  const auto id = in.natural();
  kpi.kpi_id = static_cast<std::int64_t>(id >> 1U);
  if (id & 1U) previous.computed_at += Duration{in.micros()};
  kpi.computed_at = previous.computed_at;
  const auto head = in.octet();
  const auto how = static_cast<std::uint8_t>(head >> kNumberShift);
  if (how > static_cast<std::uint8_t>(Number::last)) return false;
  kpi.status = static_cast<KpiStatus>(head & status_bits);
  if (head & revised) kpi.revision = static_cast<std::uint32_t>(in.natural());
  if (!(head & same_completeness)) previous.completeness = in.real();
  kpi.completeness = previous.completeness;
  if (!read_number(in, static_cast<Number>(how), previous, kpi)) return false;
  if (kpi.value) previous.value = *kpi.value;
  return head & has_attributes ? read_attributes(in, kpi) : in.good();
}

}  // namespace

bool PackedKpi::says_the_same(const PackedKpi& other) const {
  if (value.has_value() != other.value.has_value()) return false;
  return (!value || same_bits(*value, *other.value)) &&
         same_bits(completeness, other.completeness) && status == other.status &&
         attributes == other.attributes;
}

std::string pack(const PackedWindows& windows) {
  OctetWriter out;
  out.natural(windows.size());
  Instant expected{};
  Previous previous;
  for (const auto& [start, window] : windows) {
    out.micros((start - expected).count());
    out.micros((window.end - start).count());
    out.natural(window.kpis.size());
    previous.completeness = 1;
    for (const auto& kpi : window.kpis) write(out, kpi, previous);
    expected = window.end;
  }
  return out.take();
}

Result<PackedWindows> unpack_windows(ByteView octets) {
  const auto damaged = [] {
    return fail(ErrorCode::archive_corrupt, "stored KPI values make no sense");
  };
  OctetReader in(octets);
  PackedWindows windows;
  const auto count = in.natural();
  Instant expected{};
  Previous previous;
  for (std::uint64_t i = 0; i < count && in.good(); ++i) {
    const auto start = expected + Duration{in.micros()};
    auto& window = windows.emplace_hint(windows.end(), start, PackedWindow{})->second;
    window.end = start + Duration{in.micros()};
    const auto kpis = in.natural();
    if (kpis > in.left()) return damaged();
    window.kpis.resize(kpis);
    previous.completeness = 1;
    for (auto& kpi : window.kpis) {
      if (!read(in, previous, kpi)) return damaged();
    }
    expected = window.end;
  }
  if (!in.good() || !in.at_end()) return damaged();
  return windows;
}

}  // namespace district::store
