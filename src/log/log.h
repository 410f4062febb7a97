// The transparency log: canonical entries, and the check that what is stored is one append-only
// tree. Source: RFC 9162 section 2.1 (hashing), RFC 8785 (canonical JSON), contract.md "Response".
#pragma once

#include <functional>
#include <string>

#include "base/error.h"
#include "model/receipt.h"
#include "model/trust.h"
#include "store/archive_store.h"

namespace district::log {

// {"certificate":…,"kind":"envelope","payloadDigest":…,"receiptId":…,"size":…,"tenant":…,"time":…}
// Digests in base64, time with six fraction digits.
std::string envelope_entry(const Receipt& receipt, const std::string& tenant,
                           const Sha256Digest& certificate_sha256, std::uint64_t size);
std::string tenant_entry(const Tenant& tenant);
std::string enrol_entry(const Enrolment& enrolment, Instant at);
std::string revoke_entry(const Enrolment& enrolment);

struct LogReport {
  std::uint64_t leaves = 0;
  std::uint64_t heads = 0;
  Sha256Digest root_hash{};
  std::vector<std::string> problems;  // empty: intact. Each names its leaf or head.
};

// Recomputes every leaf hash and every recorded head from the entries, and compares each envelope's
// row with its entry; `progress(done, total)` is called now and then.
// With `receipt`: that the receipt's leaf, tree size and root agree with the log.
Result<LogReport> verify(store::Database& database,
                         const std::function<void(std::uint64_t, std::uint64_t)>& progress = {});
Result<Ok> check_receipt(store::Database& database, const Receipt& receipt);  // archive_corrupt

}  // namespace district::log
