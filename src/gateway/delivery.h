// Sends an envelope to the server until its receipt has come and is verified, or until it is clear
// that none will come. Source: docs/reference/contract.md sections 9 and 10.
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

// The whole answer is part of the proof, so it is kept here.
struct Delivered {
  DeliveredEnvelope envelope;
  std::string response;
};

struct DeliveryOptions {
  SoapVersion version = SoapVersion::v11;
  // How long to try while the server is busy or the connection is lost. It is shorter than the five
  // minutes for which the server accepts the signed bytes.
  std::chrono::seconds retry_for{60};
  // Called before each wait; may be empty.
  std::function<void(const Error& reason, std::chrono::milliseconds wait)> on_retry;
};

// Threads: one courier, one thread.
class Courier {
 public:
  Courier(HttpsClient client, AnswerVerifier verifier, const Clock& clock, DeliveryOptions options);

  // Sends the same octets again after a lost connection or a 503. A signed MessageReplayed with the
  // digest of our payload is as good as a receipt: the server has the envelope.
  // Errors: gateway_unreachable, gateway_refused, gateway_try_later, and gateway_receipt_invalid
  // for any answer that is not one of the contract. Texts of a peer are as it wrote them.
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
