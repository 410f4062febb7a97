// One envelope to the server until its receipt is here and verified, or it is clear that it will
// not come. Source: docs/reference/contract.md sections 9 and 10.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "gateway/https_client.h"
#include "gateway/receipt.h"
#include "gateway/receipt_file.h"
#include "model/envelope.h"
#include "xml/signed_envelope.h"

namespace district::gateway {

// The whole answer belongs to the proof, so it comes along.
struct Delivered {
  DeliveredEnvelope envelope;
  std::string response;
};

struct DeliveryOptions {
  SoapVersion version = SoapVersion::v11;
  // How long to go on when the server is busy or the connection is lost; shorter than the five
  // minutes within which the server takes the signed bytes.
  std::chrono::seconds retry_for{60};
  // Told before each wait; may be empty.
  std::function<void(const Error& reason, std::chrono::milliseconds wait)> on_retry;
};

// Threads: one courier, one thread.
class Courier {
 public:
  Courier(HttpsClient client, AnswerVerifier verifier, const Clock& clock, DeliveryOptions options);

  // Sends the same octets again after a lost connection or a 503. A signed MessageReplayed with
  // our payload's digest is as good as a receipt: the envelope is in.
  // Errors: gateway_unreachable, gateway_refused, gateway_try_later, gateway_receipt_invalid; the
  // last for whatever comes that is no answer of the contract. Texts of a peer are as it wrote
  // them.
  Result<Delivered> deliver(const xml::SignedText& request, std::size_t message_count);

 private:
  Result<Delivered> attempt(const xml::SignedText& request, std::size_t message_count);
  std::string clocks_apart() const;
  Result<Delivered> judge(const HttpReply& reply, const xml::SignedText& request,
                          std::size_t message_count);
  Result<Delivered> read_receipt(const HttpReply& reply, const xml::SignedText& request,
                                 std::size_t message_count);
  Result<Delivered> read_fault(const HttpReply& reply, const xml::SignedText& request,
                               std::size_t message_count);

  HttpsClient client_;
  AnswerVerifier verifier_;
  const Clock& clock_;
  DeliveryOptions options_;
  std::chrono::milliseconds server_wait_{0};         // Retry-After of the last answer
  std::optional<std::chrono::seconds> clock_ahead_;  // of the last answer
};

}  // namespace district::gateway
