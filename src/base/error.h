// The one error value of District, and Result<T>, which every fallible function returns.
// Exceptions do not cross a module boundary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace district {

// The thousands digit names the stage that failed: 1 receive, 2 verify, 3 validate, 4 archive,
// 5 acknowledge, 6 quantify; 7 the gateway's side; 8 administration; 9 configuration and start-up.
// Append only: a number is never reused. docs/reference/errors.md lists them all.
enum class ErrorCode : std::uint16_t {
  // receive
  xml_malformed = 1001,          // not well-formed, or not in an encoding we accept
  xml_forbidden = 1002,          // document type declaration or processing instruction
  limit_exceeded = 1003,         // too deep, too many elements, attributes, names
  not_soap = 1004,               // not an Envelope with an optional Header and one Body
  soap_version_mismatch = 1005,  // an Envelope of a namespace that is neither SOAP 1.1 nor 1.2
  must_understand = 1006,        // a mandatory header that we do not know
  too_large = 1007,              // HTTP 413
  unsupported_media = 1008,      // HTTP 415
  overloaded = 1009,             // HTTP 503
  request_cut = 1010,            // the body ended before its end, or came too slowly
  // verify
  security_invalid = 2001,  // no or malformed Security header, wrong coverage
  algorithm_unsupported = 2002,
  token_unsupported = 2003,
  token_unavailable = 2004,
  token_invalid = 2005,          // malformed, weak, expired, revoked
  authentication_failed = 2006,  // not enrolled, or enrolled for another tenant
  signature_failed = 2007,       // signature or digest does not verify
  message_expired = 2008,
  message_replayed = 2009,
  trust_changed = 2010,  // the pipeline verifies again; told only if a clock was set back
  // validate
  schema_invalid = 3001,
  content_type_unknown = 3002,  // unknown or not allowed (type, version)
  header_rule = 3003,
  // archive
  archive_unavailable = 4001,  // disk full, locked, read-only: HTTP 503
  archive_corrupt = 4002,      // what is stored does not match its digest
  archive_foreign = 4003,      // not a District database, or a newer one
  not_found = 4004,
  // acknowledge
  signing_failed = 5001,
  // quantify
  quantify_failed = 6001,
  // gateway side
  gateway_input = 7001,            // CSV or options do not fit
  gateway_unreachable = 7002,      // no connection, TLS failure, time-out
  gateway_refused = 7003,          // the server answered with a fault that resending will not cure
  gateway_try_later = 7004,        // 503 or soap:Server
  gateway_receipt_invalid = 7005,  // the answer is not a receipt that verifies
  // administration
  admin_invalid = 8001,   // what was asked makes no sense: bad certificate, unknown tenant
  admin_conflict = 8002,  // already there
  // configuration and start-up
  config_invalid = 9001,
  file_unreadable = 9002,
  address_in_use = 9003,
  data_in_use = 9004,
  internal = 9999,
};

// One reason why a message is not valid. Told to authenticated senders only.
struct Violation {
  std::size_t message_index = 0;  // from 1; 0: the request as a whole
  std::string path;               // e.g. /messages/message[2]/head/timestamp
  long line = 0;                  // of the raw envelope, from 1; 0: not known
  std::string reason;
};

// The accepted envelope whose signature was sent again.
struct FirstCopy {
  std::string receipt_id;
  Instant received_at{};
  Sha256Digest payload_digest{};
};

struct Diagnosis;  // base/diagnosis.h

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string
      detail;  // the whole cause: for the log and the command line, not for an unauthenticated peer
  std::string hint;                   // what to do about it, where we know; for the command line
  std::vector<Violation> violations;  // with schema_invalid, content_type_unknown, header_rule
  std::shared_ptr<const FirstCopy> first_copy;  // with message_replayed
  // The facts, for the administrator, where they are known.
  std::shared_ptr<const Diagnosis> diagnosis = nullptr;
};

template <typename T>
using Result = tl::expected<T, Error>;

struct [[nodiscard]] Ok {};

// return fail(ErrorCode::not_found, "no envelope " + id, "districtctl envelope list shows them");
inline tl::unexpected<Error> fail(ErrorCode code, std::string detail, std::string hint = {}) {
  return tl::unexpected<Error>(Error{code, std::move(detail), std::move(hint), {}, {}});
}
inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace district

#define DISTRICT_CONCAT_(a, b) a##b
#define DISTRICT_CONCAT(a, b) DISTRICT_CONCAT_(a, b)
#define DISTRICT_TRY_(tmp, decl, expr)                                        \
  auto tmp = (expr);                                                          \
  if (!tmp) return tl::unexpected<::district::Error>(std::move(tmp).error()); \
  decl = std::move(tmp).value()
// DISTRICT_TRY(auto value, expression): value, or return the expression's error from this function.
#define DISTRICT_TRY(decl, expr) DISTRICT_TRY_(DISTRICT_CONCAT(try_result_, __LINE__), decl, expr)
// For a Result<Ok>.
#define DISTRICT_CHECK(expr)                                                      \
  do {                                                                            \
    auto check_result_ = (expr);                                                  \
    if (!check_result_)                                                           \
      return tl::unexpected<::district::Error>(std::move(check_result_).error()); \
  } while (false)
