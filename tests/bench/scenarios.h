// The ways to drive a server. Each signs ahead, runs, and gives what was measured as JSON.
// Errors of all: gateway_input, gateway_unreachable, signing_failed.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "connection.h"
#include "gateways.h"
#include "measurement.h"

namespace district::bench {

// What all scenarios need.
struct Setting {
  const Target& target;
  const Server& server;
  const std::vector<Gateway>& gateways;
  const Samples& samples;
  std::string ca_file;
  std::size_t messages = 1;  // in each envelope
};
using Json = nlohmann::ordered_json;

// Every connection sends its next envelope as soon as it has the answer to the one before.
struct ClosedPlan {
  std::size_t connections = 16;
  std::size_t count = 1000;         // envelopes, of which the first twentieth is warm-up
  bool one_per_connection = false;  // a new TLS connection for each
};
Result<Json> run_closed(const Setting& setting, const ClosedPlan& plan);

// Envelopes fall due at a fixed rate, whatever the server does; latency counts from then. An
// envelope that was refused with 503 is sent again later, as gateways do.
struct OpenPlan {
  std::size_t connections = 256;
  double rate = 100;  // envelopes/s
  double seconds = 10;
  std::size_t count = 0;   // envelopes to sign; 0: rate times seconds
  double heavy_share = 0;  // of all envelopes that the first tenant sends; 0: all send alike
};
Result<Json> run_open(const Setting& setting, const OpenPlan& plan);

// Every gateway connects once, at a random moment of the given time, sends one envelope and
// goes. Who is refused with 503 or not let in comes again as Retry-After says, four times at most.
struct HerdPlan {
  double seconds = 60;
};
Result<Json> run_herd(const Setting& setting, const HerdPlan& plan);

// A closed loop alone, then beside many connections that are open and send nothing.
struct IdlePlan {
  std::size_t idle = 1000;
  std::size_t connections = 16;
  std::size_t count = 1000;  // envelopes of each loop
};
Result<Json> run_idle(const Setting& setting, const IdlePlan& plan);

// One envelope after the other, each of at least `octets`.
struct LargePlan {
  std::size_t octets = 300'000'000;
  std::size_t count = 1;
};
Result<Json> run_large(const Setting& setting, const LargePlan& plan);

}  // namespace district::bench
