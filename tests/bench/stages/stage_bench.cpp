// What each stage costs, beside what the primitives below it cost: Google Benchmark on requests of
// 1, 24 and 1,000 messages, signed on the spot.
// usage: district-stage-bench [--benchmark_filter=REGEX] [--benchmark_format=json] ...
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "archive/compression.h"
#include "audit/tree_verifier.h"
#include "crypto/digest.h"
#include "stage_world.h"
#include "verify/stream_verifier.h"
#include "xml/canonicalizer.h"
#include "xml/guard.h"

namespace {

using namespace district;
using namespace district::bench;

const char* key_name(const benchmark::State& state) { return state.range(1) == 0 ? "rsa" : "p256"; }

void count_octets(benchmark::State& state, const RawEnvelope& raw) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(raw.octets.size()));
}

void guard(benchmark::State& state) {
  const auto raw = world().request(state.range(0), "p256");
  for (auto _ : state) must(xml::Guard().check(as_text(raw.octets)));
  count_octets(state, raw);
}

void parse(benchmark::State& state) {
  const auto raw = world().request(state.range(0), "p256");
  Nobody nobody;
  for (auto _ : state) read_through(raw, nobody);
  count_octets(state, raw);
}

void parse_and_canonicalize(benchmark::State& state) {
  const auto raw = world().request(state.range(0), "p256");
  std::size_t octets = 0;
  for (auto _ : state) {
    xml::Canonicalizer canonicalizer({}, [&](std::string_view text) { octets += text.size(); });
    One one(canonicalizer);
    read_through(raw, one);
  }
  benchmark::DoNotOptimize(octets);
  count_octets(state, raw);
}

void parse_and_validate(benchmark::State& state) {
  const auto raw = world().request(state.range(0), "p256");
  for (auto _ : state) {
    auto reading = world().validator->read_along();
    One one(reading);
    read_through(raw, one);
  }
  count_octets(state, raw);
}

void verify(benchmark::State& state) {
  const auto raw = world().request(state.range(0), key_name(state));
  const verify::StreamVerifier verifier(*world().trust, {std::chrono::hours(1)});
  verify::NoReader nobody;
  for (auto _ : state)
    benchmark::DoNotOptimize(must(verifier.verify(raw, world().clock.now(), nobody)));
  count_octets(state, raw);
}

void verify_by_tree(benchmark::State& state) {
  const auto raw = world().request(state.range(0), key_name(state));
  const audit::TreeVerifier verifier(world().trust->snapshot(), {std::chrono::hours(1)});
  verify::NoReader nobody;
  for (auto _ : state)
    benchmark::DoNotOptimize(must(verifier.verify(raw, world().clock.now(), nobody)));
  count_octets(state, raw);
}

void verify_and_validate(benchmark::State& state) {
  const auto raw = world().request(state.range(0), key_name(state));
  const verify::StreamVerifier verifier(*world().trust, {std::chrono::hours(1)});
  for (auto _ : state) {
    auto reading = world().validator->read_along();
    const auto verified = must(verifier.verify(raw, world().clock.now(), reading));
    benchmark::DoNotOptimize(must(reading.conclude(verified)));
  }
  count_octets(state, raw);
}

void compress(benchmark::State& state) {
  const auto raw = world().request(state.range(0), "p256");
  std::size_t octets = 0;
  for (auto _ : state) octets = must(archive::compress(raw.octets, 1)).size();
  state.counters["octets"] = static_cast<double>(octets);
  count_octets(state, raw);
}

void acknowledge_receipt(benchmark::State& state) {
  verify::Sender sender;
  sender.family = state.range(1) == 0 ? KeyFamily::rsa : KeyFamily::ecdsa;
  sender.signature_value = std::string(344, 'A');
  const Receipt receipt{"01JD0000000000000000000000", world().clock.now(), 1, {}, 1, 2, {}};
  for (auto _ : state)
    benchmark::DoNotOptimize(must(world().acknowledger->sign(receipt, sender, SoapVersion::v11)));
}

void primitive_sign(benchmark::State& state) {
  const auto signer = world().identity(key_name(state));
  const std::string text(600, 'x');
  for (auto _ : state)
    benchmark::DoNotOptimize(must(signer.key.sign(crypto::HashAlgorithm::sha256, as_bytes(text))));
}

void primitive_verify(benchmark::State& state) {
  const auto signer = world().identity(key_name(state));
  const std::string text(600, 'x');
  const auto value = must(signer.key.sign(crypto::HashAlgorithm::sha256, as_bytes(text)));
  const auto& key = signer.certificate.public_key();
  for (auto _ : state)
    benchmark::DoNotOptimize(key.verify(crypto::HashAlgorithm::sha256, as_bytes(text), value));
}

void primitive_sha256(benchmark::State& state) {
  const auto raw = world().request(state.range(0), "p256");
  for (auto _ : state) benchmark::DoNotOptimize(crypto::sha256(raw.octets));
  count_octets(state, raw);
}

void sizes(benchmark::internal::Benchmark* b) {
  for (const int messages : {1, 24, 1000}) b->Arg(messages);
}
void sizes_and_keys(benchmark::internal::Benchmark* b) {
  for (const int messages : {1, 24, 1000}) b->Args({messages, 0})->Args({messages, 1});
}
void keys(benchmark::internal::Benchmark* b) { b->Args({1, 0})->Args({1, 1}); }

BENCHMARK(primitive_sign)->Apply(keys);
BENCHMARK(primitive_verify)->Apply(keys);
BENCHMARK(primitive_sha256)->Apply(sizes);
BENCHMARK(guard)->Apply(sizes);
BENCHMARK(parse)->Apply(sizes);
BENCHMARK(parse_and_canonicalize)->Apply(sizes);
BENCHMARK(parse_and_validate)->Apply(sizes);
BENCHMARK(verify)->Apply(sizes_and_keys);
BENCHMARK(verify_by_tree)->Apply(sizes_and_keys);
BENCHMARK(verify_and_validate)->Apply(sizes_and_keys);
BENCHMARK(compress)->Apply(sizes);
BENCHMARK(acknowledge_receipt)->Apply(keys);

}  // namespace

BENCHMARK_MAIN();
