#include "store/codec/value_chunk.h"

#include <bit>
#include <cstdint>

#include "store/codec/octets.h"

namespace district::store {
namespace {

// What a value has in common with the one before it, one bit each; then how its number is written.
enum Common : std::uint8_t {
  same_distance = 1U << 0U,  // from the start before, as that one from its predecessor
  same_length = 1U << 1U,
  same_origin = 1U << 2U,
  next_message = 1U << 3U,
  plain_current = 1U << 4U,  // current, no flags
};
constexpr unsigned kNumberShift = 5;
enum class Number : std::uint8_t { same, same_scale, decimal, real, last = real };

struct Previous {
  ValueVersion version{};
  std::int64_t distance = 0;
  std::uint8_t scale = 0;
};

void write_number(OctetWriter& out, Number how, const Decimal& decimal, double value) {
  if (how == Number::decimal) out.octet(decimal.scale);
  if (how == Number::decimal || how == Number::same_scale) out.integer(decimal.mantissa);
  if (how == Number::real) out.real(value);
}

void write(OctetWriter& out, const ValueVersion& version, Previous& previous) {
  const auto& before = previous.version;
  const auto distance = (version.start - before.start).count();
  const auto length = version.end - version.start;
  std::uint8_t head = 0;
  if (distance == previous.distance) head |= same_distance;
  if (length == before.end - before.start) head |= same_length;
  if (version.leaf_index == before.leaf_index && version.received_at == before.received_at)
    head |= same_origin;
  if (version.message_index == before.message_index + 1) head |= next_message;
  if (version.state == MeasurementState::current && version.flags == 0) head |= plain_current;
  auto how = Number::same;
  Decimal decimal;
  if (std::bit_cast<std::uint64_t>(version.value) != std::bit_cast<std::uint64_t>(before.value)) {
    decimal = decimal_of(version.value, previous.scale);
    how = decimal.plain                     ? Number::real
          : decimal.scale == previous.scale ? Number::same_scale
                                            : Number::decimal;
  }
  out.octet(static_cast<std::uint8_t>(head | static_cast<unsigned>(how) << kNumberShift));
  if (!(head & same_distance)) out.micros(distance);
  if (!(head & same_length)) out.micros(length.count());
  if (!(head & same_origin)) {
    out.integer(static_cast<std::int64_t>(version.leaf_index - before.leaf_index));
    // Receipt follows the values, usually at the same distance.
    out.micros((version.received_at - before.received_at).count() - distance);
  }
  if (!(head & next_message)) out.natural(version.message_index);
  if (!(head & plain_current)) {
    out.octet(static_cast<std::uint8_t>(version.state));
    out.natural(version.flags);
  }
  write_number(out, how, decimal, version.value);
  previous.distance = distance;
  if (!decimal.plain) previous.scale = decimal.scale;
  previous.version = version;
}

bool read_number(OctetReader& in, Number how, Previous& previous, double& value) {
  if (how == Number::real) value = in.real();
  if (how == Number::decimal) previous.scale = in.octet();
  if (previous.scale > kScaleMax) return false;
  if (how == Number::decimal || how == Number::same_scale)
    value = value_of({in.integer(), previous.scale, false});
  return true;
}

bool read(OctetReader& in, Previous& previous, ValueVersion& version) {
  const auto before = previous.version;
  const auto head = in.octet();
  const auto how = static_cast<std::uint8_t>(head >> kNumberShift);
  if (how > static_cast<std::uint8_t>(Number::last)) return false;
  if (!(head & same_distance)) previous.distance = in.micros();
  version.start = before.start + Duration{previous.distance};
  version.end =
      version.start + (head & same_length ? before.end - before.start : Duration{in.micros()});
  version.leaf_index = before.leaf_index;
  version.received_at = before.received_at;
  if (!(head & same_origin)) {
    version.leaf_index += static_cast<std::uint64_t>(in.integer());
    version.received_at += Duration{in.micros() + previous.distance};
  }
  version.message_index =
      head & next_message ? before.message_index + 1 : static_cast<std::uint32_t>(in.natural());
  version.state = MeasurementState::current;
  version.flags = 0;
  if (!(head & plain_current)) {
    const auto state = in.octet();
    if (state > static_cast<std::uint8_t>(MeasurementState::implausible)) return false;
    version.state = static_cast<MeasurementState>(state);
    version.flags = static_cast<std::uint32_t>(in.natural());
  }
  version.value = before.value;
  if (!read_number(in, static_cast<Number>(how), previous, version.value)) return false;
  previous.version = version;
  return in.good();
}

}  // namespace

std::string pack(std::span<const ValueVersion> versions) {
  OctetWriter out;
  out.natural(versions.size());
  Previous previous;
  for (const auto& version : versions) write(out, version, previous);
  return out.take();
}

Result<Ok> unpack(ByteView octets, std::vector<ValueVersion>& versions) {
  const auto damaged = [] {
    return fail(ErrorCode::archive_corrupt, "stored values of a series make no sense");
  };
  OctetReader in(octets);
  const auto count = in.natural();
  if (count > in.left()) return damaged();  // each takes an octet at least
  versions.reserve(versions.size() + count);
  Previous previous;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!read(in, previous, versions.emplace_back())) return damaged();
  }
  if (!in.good() || !in.at_end()) return damaged();
  return Ok{};
}

}  // namespace district::store
