// What requests cost that are refused before their sender is known, and behind a captured header:
// from the octets of the HTTP body to the fault. TLS and HTTP come on top, the same for all.
//
// usage: district-hostile-bench [--benchmark_filter=REGEX] ...
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>

#include "hostile_requests.h"
#include "receive/receive.h"
#include "stage_world.h"
#include "verify/stream_verifier.h"

namespace {

using namespace district;
using namespace district::bench;

void refuse(benchmark::State& state, const HostileRequest& hostile, Instant now) {
  for (auto _ : state) {
    // A new one each time, which has not yet counted any Body that failed.
    const verify::StreamVerifier verifier(*world().trust, {std::chrono::hours(1)});
    auto reading = world().validator->read_along();
    receive::HttpRequest request{"text/xml; charset=utf-8", hostile.content_encoding, "",
                                 "127.0.0.1", hostile.body};
    if (hostile.name == "UTF-16") request.content_type = "text/xml";
    auto raw = receive::make_raw_envelope(std::move(request), std::size_t{1} << 29U);
    const auto verified = raw ? verifier.verify(*raw, now, reading)
                              : Result<verify::VerifiedEnvelope>(fail(raw.error()));
    if (verified || verified.error().code != hostile.expected) {
      state.SkipWithError(
          verified
              ? "accepted"
              : ("refused for another reason: " + verified.error().detail.substr(0, 200)).c_str());
      return;
    }
    benchmark::DoNotOptimize(world().acknowledger->fault(
        verified.error(), "01JD0000000000000000000000", SoapVersion::v11, nullptr));
  }
  state.counters["octets"] = static_cast<double>(hostile.body.size());
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  static_cast<void>(world());
  const auto add = [](const std::string& name, const HostileRequest& request, Instant now) {
    benchmark::RegisterBenchmark(name.c_str(), refuse, request, now)->Unit(benchmark::kMillisecond);
  };
  for (const auto& request : hostile_requests())
    add(request.name, request, *parse_date_time("2026-01-15T12:00:30Z"));
  for (const auto& request : captured_headers())
    add("behind a captured header, a mebibyte of " + request.name, request, world().clock.now());
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
