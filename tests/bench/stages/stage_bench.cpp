// What each stage costs, beside what the primitives below it cost: Google Benchmark on requests of
// 1, 24 and 1,000 messages, signed on the spot.
// usage: district-stage-bench [--benchmark_filter=REGEX] [--benchmark_format=json] ...
#include <benchmark/benchmark.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../../support/demo_certificates.h"
#include "acknowledge/acknowledger.h"
#include "archive/compression.h"
#include "audit/tree_verifier.h"
#include "base/limits.h"
#include "crypto/digest.h"
#include "soap/body_writer.h"
#include "soap/operation_reader.h"
#include "store/database.h"
#include "trust/trust.h"
#include "validate/validator.h"
#include "verify/stream_verifier.h"
#include "xml/canonicalizer.h"
#include "xml/document.h"
#include "xml/envelope_reader.h"
#include "xml/guard.h"
#include "xml/signed_envelope.h"

namespace {

using namespace district;

template <typename T>
T must(Result<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "district-stage-bench: error: %s\n", result.error().detail.c_str());
  std::exit(1);
}

void must(const Result<Ok>& result) {
  if (!result) static_cast<void>(must(Result<int>(fail(result.error()))));
}

std::string two_digits(int number) { return (number < 10 ? "0" : "") + std::to_string(number); }

// An hour of a shop, as Barcelona sends it.
std::string message(int number) {
  const std::string day = "2018-03-" + two_digits(1 + number / 24 % 30);
  const std::string hour = day + "T" + two_digits(number % 24) + ":00:00+01:00";
  const std::string end = day + "T" + two_digits(number % 24) + ":59:59+01:00";
  return "<message>\n  <head>\n    <timestamp>" + end +
         "</timestamp>\n    <messageType><type>001</type><version>0.0.1</version></messageType>\n"
         "    <messageSource><messageSourceElement>BCN-SHOP-" +
         std::to_string(number % 7) +
         "</messageSourceElement></messageSource>\n  </head>\n  <content><gcontent>\n"
         "    <measure_timestamp_start>" +
         hour +
         "</measure_timestamp_start>\n"
         "    <measure_timestamp_end>" +
         end +
         "</measure_timestamp_end>\n"
         "    <energy_measure>" +
         std::to_string(0.37 * number) +
         "</energy_measure>\n"
         "    <energy_price>0.12</energy_price>\n  </gcontent></content>\n</message>\n";
}

// Everything that a server has, in a temporary folder, with one gateway for each kind of key.
struct World {
  test::DemoCertificates certificates;
  SystemClock clock;
  soap::OperationReader operations;
  soap::BodyWriter bodies;
  std::string database;
  std::unique_ptr<validate::Validator> validator;
  std::unique_ptr<trust::Trust> trust;
  std::unique_ptr<acknowledge::Acknowledger> acknowledger;

  World() {
    xml::initialize();
    database = certificates.key_file("district") + ".db";
    const auto store = must(store::Database::open(database, store::OpenMode::create));
    must(trust::add_tenant(*store, {"20", "Barcelona", "Europe/Madrid", {"001/0.0.1"}, {}, {}},
                           clock.now() - std::chrono::hours(1)));
    for (const char* name : {"rsa", "p256"}) {
      const bool rsa = std::string_view(name) == "rsa";
      std::vector<trust::EnrolRequest> requests(
          1, {"20",
              rsa ? certificates.make(name, "-days 30", "rsa:2048") : certificates.make(name),
              {},
              {},
              {},
              {}});
      must(trust::enrol(*store, requests, clock.now()));
    }
    trust = must(trust::Trust::open(database, store::OpenMode::existing));
    validator = must(validate::Validator::create(operations));
    acknowledger = std::make_unique<acknowledge::Acknowledger>(identity("rsa"), identity("p256"),
                                                               bodies, clock);
  }

  acknowledge::SigningIdentity identity(const std::string& name) const {
    return {must(crypto::Certificate::from_pem_file(certificates.certificate_file(name))),
            must(crypto::PrivateKey::from_pem_file(certificates.key_file(name)))};
  }

  RawEnvelope request(std::int64_t messages, const std::string& key) const {
    std::string body =
        "<urb:AggregateMessageRequest xmlns:urb=\"http://urb-grade.eu\"><messages>\n";
    for (std::int64_t i = 0; i < messages; ++i) body += message(static_cast<int>(i));
    body += "</messages><urb:tenantCode>20</urb:tenantCode></urb:AggregateMessageRequest>";
    xml::EnvelopeToSign to_sign;
    to_sign.body_content = body;
    to_sign.created = clock.now();
    const auto signer = identity(key);
    const auto text = must(xml::write_signed_envelope(to_sign, signer.certificate, signer.key));
    RawEnvelope raw;
    raw.octets = to_bytes(as_bytes(text.envelope));
    raw.content_type = "text/xml; charset=utf-8";
    return raw;
  }
};

World& world() {
  static World made;
  return made;
}

// Tells nobody: what the parser and its guards cost.
class Nobody : public xml::EnvelopeHandler {
 public:
  Result<Ok> body_follows(std::shared_ptr<const xml::Document>) override { return Ok{}; }
  void start_element(const xml::StartTag&) override {}
  void text(std::string_view) override {}
  void end_element() override {}
};

// Tells one reader.
class One final : public Nobody {
 public:
  explicit One(xml::ElementHandler& handler) : handler_(handler) {}
  void start_element(const xml::StartTag& tag) override { handler_.start_element(tag); }
  void text(std::string_view text) override { handler_.text(text); }
  void end_element() override { handler_.end_element(); }

 private:
  xml::ElementHandler& handler_;
};

const char* key_name(const benchmark::State& state) { return state.range(1) == 0 ? "rsa" : "p256"; }

void count_octets(benchmark::State& state, const RawEnvelope& raw) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(raw.octets.size()));
}

void read_through(const RawEnvelope& raw, xml::EnvelopeHandler& handler) {
  MemorySource source(raw.octets);
  must(xml::read_envelope(source, "", handler));
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
  const audit::TreeVerifier verifier(*world().trust, {std::chrono::hours(1)});
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
