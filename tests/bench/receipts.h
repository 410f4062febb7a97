// Answers of a run, held against what was sent.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "gateways.h"

namespace district::bench {

// The text of an element of the service's namespace in an answer; empty where there is none.
std::string_view element_text(std::string_view answer, std::string_view name);

// Keeps some of the receipts of a run and verifies them after it, so that it costs nothing during
// it: signature, signer, confirmation of our signature, digest of our octets.
class ReceiptSample {
 public:
  ReceiptSample(std::string ca_file, std::string host, std::size_t every)
      : ca_file_(std::move(ca_file)), host_(std::move(host)), every_(every) {}

  // false: an answer with status 200 that has no receiptId.
  bool take(std::string_view answer, const SignedRequest& request);
  // Number of receipts verified. Errors: gateway_receipt_invalid.
  Result<std::size_t> verify() const;

 private:
  struct Kept {
    std::string answer;
    std::string signature_value;
    std::string envelope_digest;  // base64
    Instant taken_at;             // when its Timestamp had to be fresh
  };
  std::string ca_file_, host_;
  std::size_t every_, seen_ = 0;
  std::vector<Kept> kept_;
};

}  // namespace district::bench
