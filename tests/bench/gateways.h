// The simulated gateways: who they are, what they measure, and their envelopes, signed ahead.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "crypto/certificate.h"
#include "gateway/csv_source.h"

namespace district::bench {

// Whose kind of data a gateway sends: docs/reference/contract.md section 3 has its elements.
enum class Pilot : std::uint8_t { barcelona, eibar, kalundborg };
Result<Pilot> pilot_named(const std::string& name);
const char* name_of(Pilot pilot);

struct Gateway {
  std::string tenant;
  Pilot pilot = Pilot::barcelona;
  std::string source;  // messageSourceElement of its messages
  crypto::Certificate certificate;
  crypto::PrivateKey key;
};

// Reads gateways.csv as make_gateways() writes it. Errors: file_unreadable, gateway_input,
// token_invalid, config_invalid.
Result<std::vector<Gateway>> read_gateways(const std::string& folder);

// Tenants and certificates to be made: gateway i belongs to tenant i modulo their number.
struct GatewayPlan {
  std::vector<std::string> tenants;  // CODE:PILOT
  std::size_t count = 1;
  KeyFamily family = KeyFamily::rsa;  // RSA-2048 or P-256
  std::string ca_certificate_file, ca_key_file;
};
// Writes into the folder keys, certificates, gateways.csv, and enrol.csv for districtctl.
// Errors: file_unreadable, gateway_input, internal.
Result<Ok> make_gateways(const std::string& folder, const GatewayPlan& plan);

// Messages without end in the shape of a pilot's real ones: the rows of a month of the sample, and
// when they are used up, the same rows a month earlier, as often as needed.
// Threads: any, once it is made.
class Samples {
 public:
  // folder: tests/data/pilots. Errors: file_unreadable, gateway_input.
  static Result<Samples> read(const std::string& folder);

  // The message number `index` of a source. scaled: another value for the same time, as a
  // correction has it.
  Result<std::string> message(Pilot pilot, const std::string& source, std::uint64_t index,
                              bool scaled = false) const;

 private:
  struct Month {
    std::vector<gateway::Row> rows;
    Duration length{};
  };
  const Month& month(Pilot pilot) const { return months_.at(static_cast<std::size_t>(pilot)); }
  static Result<Month> read_month(const std::string& file);
  std::vector<Month> months_;
};

// A request that waits to be sent, and what its answer is held against.
struct SignedRequest {
  std::string head;  // of HTTP
  std::string envelope;
  std::string signature_value;  // base64
  std::size_t messages = 0;
};

struct SigningPlan {
  std::size_t messages = 1;         // in each envelope
  std::vector<std::size_t> counts;  // envelopes of each gateway
  Duration ahead{};                 // wsu:Created less the time of signing
};
using Requests = std::vector<std::deque<SignedRequest>>;  // by gateway

class Target;
// Composes and signs with all processors; each envelope has other rows and its own signature.
// Errors: signing_failed, gateway_input.
Result<Requests> sign_ahead(const std::vector<Gateway>& gateways, const Samples& samples,
                            const Target& target, const SigningPlan& plan);

// One envelope. first: number of its first message.
struct ToSign {
  std::uint64_t first = 0;
  std::size_t messages = 1;
  Duration ahead{};
  bool scaled = false;
};
Result<SignedRequest> sign_one(const Gateway& gateway, const Samples& samples, const Target& target,
                               const ToSign& wanted);

}  // namespace district::bench
