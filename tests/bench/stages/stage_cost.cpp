// Runs each stage a fixed number of times under callgrind, which counts its instructions: for
// tools/count-instructions, which says what becomes of them.
// usage: valgrind --tool=callgrind --instr-atstart=no district-stage-cost
//
// A measurement "A+B" does what "A" does, and B: the difference is what B costs. So what cannot be
// had apart from the parser or from the cryptography is told without them.
#include <valgrind/callgrind.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "archive/compression.h"
#include "crypto/digest.h"
#include "stage_world.h"
#include "verify/security_header.h"
#include "verify/stream_verifier.h"
#include "xml/canonicalizer.h"
#include "xml/guard.h"

namespace {

using namespace district;
using namespace district::bench;

constexpr int kTimes = 20;

// What is counted goes into a file of its own, which says "name x kTimes".
void measure(const std::string& name, const std::function<void()>& stage) {
  // callgrind writes the file later, so the text must stay.
  static std::deque<std::string> texts;
  const auto& text = texts.emplace_back(name + " x " + std::to_string(kTimes));
  for (int i = 0; i < 2; ++i) stage();  // caches are filled, memory has been allocated
  CALLGRIND_START_INSTRUMENTATION;
  stage();
  CALLGRIND_ZERO_STATS;
  for (int i = 0; i < kTimes; ++i) stage();
  CALLGRIND_DUMP_STATS_AT(text.c_str());
  CALLGRIND_STOP_INSTRUMENTATION;
}

// Only the header: the Body is not read.
class HeaderOnly final : public Nobody {
 public:
  explicit HeaderOnly(Instant now) : now_(now) {}
  Result<Ok> body_follows(std::shared_ptr<const xml::Document> head) override {
    const auto header = must(verify::read_security_header(*head, SoapVersion::v11));
    const auto trust = world().trust->snapshot();
    must(verify::authenticate(header, *trust, {std::chrono::hours(1)}, now_));
    return fail(ErrorCode::internal, "the header is all");
  }

 private:
  const Instant now_;
};

// The signature over SignedInfo alone, which the header's cost is told without.
void measure_header(const RawEnvelope& raw) {
  const auto signer = world().identity("rsa");
  const std::string text(1200, 'x');
  const auto value = must(signer.key.sign(crypto::HashAlgorithm::sha256, as_bytes(text)));
  const auto& key = signer.certificate.public_key();
  measure("rsa verify", [&] {
    if (!key.verify(crypto::HashAlgorithm::sha256, as_bytes(text), value)) std::abort();
  });
  const auto now = world().clock.now();
  measure("rsa verify+header", [&] {
    HeaderOnly handler(now);
    MemorySource source(raw.octets);
    static_cast<void>(xml::read_envelope(source, "", handler));
  });
}

void measure_stages(std::int64_t messages) {
  const auto size = "/" + std::to_string(messages);
  const auto raw = world().request(messages, "p256");
  measure("guard" + size, [&] { must(xml::Guard().check(as_text(raw.octets))); });
  measure("parse" + size, [&] {
    Nobody nobody;
    read_through(raw, nobody);
  });
  std::size_t octets = 0;
  measure("parse" + size + "+canonicalize" + size, [&] {
    xml::Canonicalizer canonicalizer({}, [&](std::string_view text) { octets += text.size(); });
    One one(canonicalizer);
    read_through(raw, one);
  });
  measure("parse" + size + "+validate" + size, [&] {
    auto reading = world().validator->read_along();
    One one(reading);
    read_through(raw, one);
  });
  measure("compress" + size, [&] { must(archive::compress(raw.octets, 1)); });
}

// All that is done between the network and the archive.
void measure_verification(std::int64_t messages) {
  const auto raw = world().request(messages, "rsa");
  const verify::StreamVerifier verifier(*world().trust, {std::chrono::hours(1)});
  const auto now = world().clock.now();
  measure("verify and validate/" + std::to_string(messages), [&] {
    auto reading = world().validator->read_along();
    must(reading.conclude(must(verifier.verify(raw, now, reading))));
  });
}

void measure_receipt() {
  const auto signer = world().identity("p256");
  const std::string text(1200, 'x');
  measure("p256 sign",
          [&] { must(signer.key.sign(crypto::HashAlgorithm::sha256, as_bytes(text))); });
  verify::Sender sender;
  sender.family = KeyFamily::ecdsa;
  sender.signature_value = std::string(88, 'A');
  const Receipt receipt{"01JD0000000000000000000000", world().clock.now(), 1, {}, 1, 2, {}};
  measure("p256 sign+receipt",
          [&] { must(world().acknowledger->sign(receipt, sender, SoapVersion::v11)); });
}

}  // namespace

int main() {
  if (RUNNING_ON_VALGRIND == 0) {
    std::fprintf(stderr, "error: not under valgrind\nhint: tools/count-instructions\n");
    return 2;
  }
  measure_header(world().request(1, "rsa"));
  for (const std::int64_t messages : {1, 24}) measure_stages(messages);
  for (const std::int64_t messages : {1, 24}) measure_verification(messages);
  measure_receipt();
}
