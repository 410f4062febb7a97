#include "fill.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

#include "archive/compression.h"
#include "base/ulid.h"
#include "connection.h"
#include "crypto/digest.h"
#include "log/log.h"
#include "measurement.h"
#include "store/archive_reader.h"
#include "store/ledger.h"
#include "store/work_queue.h"
#include "trust/trust.h"

namespace district::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kGroup = 1000;
constexpr std::size_t kTemplates = 256;
constexpr int kCompressionLevel = 3;  // the server's default
constexpr auto kReplayKept = 6min;

// A real envelope, to be stored many times.
struct Template {
  const Gateway* gateway = nullptr;
  std::uint64_t raw_size = 0;
  Sha256Digest digest{};
  Bytes zstd;
};

Result<std::vector<Template>> make_templates(const std::vector<Gateway>& gateways,
                                             const Samples& samples, const Target& target,
                                             const FillPlan& plan) {
  std::vector<Template> templates;
  const auto count = std::min<std::uint64_t>(kTemplates, plan.envelopes);
  for (std::size_t i = 0; i < count; ++i) {
    const Gateway& gateway = gateways[i % gateways.size()];
    DISTRICT_TRY(const auto request,
                 sign_one(gateway, samples, target, {i * plan.messages, plan.messages, {}, false}));
    const auto raw = as_bytes(request.envelope);
    DISTRICT_TRY(auto zstd, archive::compress(raw, kCompressionLevel));
    templates.push_back({&gateway, raw.size(), crypto::sha256(raw), std::move(zstd)});
  }
  return templates;
}

store::NewEnvelope envelope_of(const Template& from, Instant received_at, std::uint64_t epoch,
                               std::size_t messages) {
  std::array<std::byte, 10> random;
  crypto::fill_random(random);
  const bool rsa = from.gateway->key.family() == KeyFamily::rsa;
  store::NewEnvelope envelope;
  envelope.receipt_id = make_ulid(received_at, random);
  envelope.received_at = received_at;
  envelope.created = received_at;
  envelope.tenant = from.gateway->tenant;
  envelope.certificate_sha256 = from.gateway->certificate.sha256();
  envelope.signature_method = std::string("http://www.w3.org/2001/04/xmldsig-more#") +
                              (rsa ? "rsa-sha256" : "ecdsa-sha256");
  crypto::fill_random(envelope.replay_key);
  envelope.replay_until = received_at + kReplayKept;
  envelope.trust_epoch = epoch;
  envelope.message_count = messages;
  envelope.source = from.gateway->source;
  envelope.content_type = "text/xml; charset=utf-8";
  envelope.soap_action = "http://urb-grade.eu/AggregateMessage";
  envelope.raw_size = from.raw_size;
  envelope.payload_digest = from.digest;
  envelope.raw_zstd = from.zstd;
  envelope.log_entry = log::envelope_entry(envelope);
  return envelope;
}

// The quantifier's work of the group is done, too.
Result<Ok> finish_work(store::ArchiveDatabase& database,
                       const std::vector<store::AppendOutcome>& outcomes) {
  std::vector<std::uint64_t> leaf_indexes;
  for (const auto& outcome : outcomes) {
    const auto* receipt = std::get_if<Receipt>(&outcome);
    if (receipt == nullptr) return fail(ErrorCode::internal, "an envelope was not stored");
    leaf_indexes.push_back(receipt->leaf_index);
  }
  store::WorkQueue queue(database, "fill");
  DISTRICT_TRY(const auto mark, queue.finished_into());
  return queue.finish(leaf_indexes, mark);
}

double octets_of(const std::string& database) {
  std::error_code ignored;
  return static_cast<double>(std::filesystem::file_size(database, ignored));
}

}  // namespace

Result<nlohmann::ordered_json> fill_archive(const std::vector<Gateway>& gateways,
                                            const Samples& samples, const Target& target,
                                            const FillPlan& plan) {
  DISTRICT_TRY(const auto templates, make_templates(gateways, samples, target, plan));
  DISTRICT_TRY(const auto trust,
               trust::Trust::open(store::Location::of(plan.database), store::OpenMode::existing));
  const auto snapshot = trust->snapshot();
  DISTRICT_TRY(const auto database, store::ArchiveDatabase::open(store::Location::of(plan.database),
                                                                 store::OpenMode::existing));
  DISTRICT_CHECK(database->execute("PRAGMA synchronous = OFF"));
  DISTRICT_CHECK(database->execute("PRAGMA wal_autocheckpoint = 20000"));
  store::Ledger archive(*database);

  const double octets_before = octets_of(plan.database);
  const auto begin = std::chrono::steady_clock::now();
  auto told = begin;
  Instant received_at =
      SystemClock().now() - 1min - std::chrono::seconds(static_cast<std::int64_t>(plan.envelopes));
  double compressed = 0;
  for (std::uint64_t done = 0; done < plan.envelopes;) {
    const auto count = std::min<std::uint64_t>(kGroup, plan.envelopes - done);
    std::vector<store::NewEnvelope> group;
    for (std::uint64_t i = 0; i < count; ++i, received_at += 1s) {
      group.push_back(envelope_of(templates[(done + i) % templates.size()], received_at,
                                  snapshot->epoch(), plan.messages));
      compressed += static_cast<double>(group.back().raw_zstd.size());
    }
    DISTRICT_TRY(const auto outcomes, archive.append(group, received_at));
    DISTRICT_CHECK(finish_work(*database, outcomes));
    done += count;
    const auto now = std::chrono::steady_clock::now();
    if (now - told < 5s) continue;
    told = now;
    std::fprintf(stderr, "district-bench: %llu of %llu envelopes\n",
                 static_cast<unsigned long long>(done),
                 static_cast<unsigned long long>(plan.envelopes));
  }
  DISTRICT_CHECK(database->execute("PRAGMA synchronous = FULL"));
  DISTRICT_CHECK(database->execute("PRAGMA wal_checkpoint(TRUNCATE)"));

  const auto envelopes = static_cast<double>(plan.envelopes);
  nlohmann::ordered_json json;
  json["envelopes"] = plan.envelopes;
  json["seconds"] = rounded(Seconds(std::chrono::steady_clock::now() - begin).count());
  json["database_octets_per_envelope"] =
      rounded((octets_of(plan.database) - octets_before) / envelopes);
  json["compressed_octets_per_envelope"] = rounded(compressed / envelopes);
  json["raw_octets_per_envelope"] = templates.front().raw_size;
  return json;
}

}  // namespace district::bench
