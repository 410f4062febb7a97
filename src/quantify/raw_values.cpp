#include "quantify/raw_values.h"

#include <optional>

#include "archive/stored_octets.h"
#include "receive/media_type.h"

namespace district::quantify {
namespace {

std::string charset_of(const StoredEnvelope& stored) {
  const auto type = receive::parse_media_type(stored.content_type);
  const auto* parameter = type ? type->find("charset") : nullptr;
  return parameter == nullptr ? std::string() : receive::to_lower(*parameter);
}

// Reading all octets checks their digest. When they cannot be understood, this tells whether they
// are those that were received.
Result<Ok> read_to_end(ByteSource& octets) {
  while (true) {
    DISTRICT_TRY(const auto block, octets.next());
    if (block.empty()) return Ok{};
  }
}

}  // namespace

Result<Ok> read_values(store::ArchiveReader& archive, const validate::Validator& validator,
                       const StoredEnvelope& stored, const validate::BatchTaker& take) {
  archive::StoredOctets octets(archive, stored);
  std::optional<Error> refused;
  const auto with_tenant = [&](const Batch& part) -> Result<Ok> {
    Batch values = part;
    values.tenant = stored.tenant;
    auto taken = take(values);
    if (!taken) refused = taken.error();
    return taken;
  };
  auto content = validator.extract(octets, charset_of(stored), stored.received_at, with_tenant);
  if (content) return Ok{};
  if (!refused) DISTRICT_CHECK(read_to_end(octets));
  return fail(std::move(content.error()));
}

}  // namespace district::quantify
