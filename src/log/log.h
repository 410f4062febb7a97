// The transparency log: its canonical entries, and the check that what is stored is one append-only
// tree. Source: RFC 9162 section 2.1, RFC 8785 (canonical JSON); docs/reference/contract.md section
// 7.
// Threads: entries from any thread; a check needs a Database of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/api_key.h"
#include "model/trust.h"
#include "store/database.h"
#include "store/ledger.h"

namespace district::log {

// Entries are JSON objects with a "kind" and a "time" (UTC, six fraction digits). Digests are in
// base64.
// {"certificate":…,"contentEncoding":…,"contentType":…,"kind":"envelope","payloadDigest":…,
// "receiptId":…,"size":…,"soapAction":…,"tenant":…,"time":…}. What the transport said is as it was
// sent; if it is not UTF-8, it is an array of one text, its base64.
std::string envelope_entry(const StoredEnvelope& envelope);
std::string envelope_entry(const store::NewEnvelope& envelope);
// The entry as earlier versions wrote it: without the three members from the transport.
std::string earlier_envelope_entry(const StoredEnvelope& envelope);
// The entry that the row of the envelope demands, in the form (of this or earlier versions) that
// `entry` has. Nobody can change the form, since the leaf is the hash of the whole entry.
std::string expected_entry(const StoredEnvelope& envelope, const std::string& entry);
// {"contentTypes":[…],"kind":"tenant","name":…,"sources":[…],"tenant":…,"time":…,"zone":…}
std::string tenant_entry(const Tenant& tenant);
// {"certificate":…,"kind":"enrol","subject":…,"tenant":…,"time":…,"validFrom":…}, with
// "allowSha1Until" and "validTo" if they are set.
std::string enrol_entry(const Enrolment& enrolment);
// {"certificate":…,"kind":"revoke","reason":…,"tenant":…,"time":…}
std::string revoke_entry(const Enrolment& enrolment);
// {"kind":"site","statements":…,"tenant":…,"time":…}, with the SHA-256 of what an administrator
// stated.
std::string site_entry(const std::string& tenant, const Sha256Digest& statements, Instant at);
// {"everyTenant":…,"expiresAt":…,"keyId":…,"kind":"apikey","name":…,"role":"reader","secret":…,
// "tenants":[…],"time":…}, with the digest of the secret, as it is stored.
std::string api_key_entry(const ApiKey& key);
// For a key that an earlier version made, whose leaf came later: with "createdAt", and the "time"
// of the leaf.
std::string earlier_api_key_entry(const ApiKey& key, Instant logged_at);
// {"keyId":…,"kind":"apikey-revoke","reason":…,"time":…}
std::string api_key_revoke_entry(const ApiKey& key);
// Likewise, with "revokedAt".
std::string earlier_api_key_revoke_entry(const ApiKey& key, Instant logged_at);
// The entry that the row of the key demands, in the form that `entry` has.
std::string expected_api_key_entry(const ApiKey& key, const std::string& entry);
std::string expected_api_key_revoke_entry(const ApiKey& key, const std::string& entry);
// Whether the entry has the form of a key that an earlier version made, or of its revocation.
bool is_of_earlier_api_key(const std::string& entry);
// The "time" of an entry. nullopt: it has none that can be read.
std::optional<Instant> time_of(const std::string& entry);

struct LogReport {
  std::uint64_t leaves = 0;
  std::uint64_t heads = 0;
  Sha256Digest root_hash{};           // recomputed from the entries
  std::vector<std::string> problems;  // empty: intact. Each names its leaf or head.
};

// Recomputes every leaf hash and every recorded head from the entries. Compares the row of each
// envelope, tenant, enrolment, revocation, site import and API key with its entry, and checks what
// is noted of all of them together. Before that, compares the schema with that of a new database,
// and checks the structure of the file. The log is judged as it is at one moment, and may grow
// meanwhile. `progress(done, total)` is called now and then. It does not check whether the octets
// of an envelope still have its digest; the audit does. The database must not be in a transaction.
// Errors: archive_unavailable, archive_corrupt when the rows cannot be read at all.
Result<LogReport> verify(store::ArchiveDatabase& database,
                         const std::function<void(std::uint64_t, std::uint64_t)>& progress = {});

}  // namespace district::log
