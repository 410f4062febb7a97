// /envelopes, /envelopes/{receipt_id}, its raw octets, /quality/failures
#include <algorithm>

#include "archive/stored_octets.h"
#include "base/bytes.h"
#include "base/ulid.h"
#include "query/resource.h"
#include "store/archive_reader.h"
#include "store/series_reader.h"

namespace district::query {
namespace {

// A raw envelope is answered whole, from memory.
constexpr std::uint64_t kRawOctetsMax = 32U << 20U;

Row row_of(const Question& question, const StoredEnvelope& envelope) {
  return {envelope.receipt_id,       question.spell(envelope.received_at),
          envelope.tenant,           envelope.source,
          envelope.message_count,    to_hex(envelope.certificate_sha256),
          envelope.signature_method, to_base64(envelope.payload_digest),
          envelope.raw_size,         envelope.content_type,
          envelope.content_encoding, envelope.leaf_index,
          envelope.tree_size,        envelope.quantified};
}

// For a caller, only envelopes of tenants that it sees exist.
Result<StoredEnvelope> find(const Question& question) {
  const auto receipt_id = question.parameters.text("receipt_id").value_or("");
  store::ArchiveReader archive(question.archive);
  auto envelope = archive.find(receipt_id);
  if (envelope && question.caller.sees(envelope->tenant)) return envelope;
  if (!envelope && envelope.error().code != ErrorCode::not_found) return envelope;
  return fail(ErrorCode::not_found, "you see no envelope '" + receipt_id + "'",
              "GET /api/v1/envelopes shows which");
}

}  // namespace

Result<RowPage> read_envelopes(const Question& question) {
  DISTRICT_TRY(const auto tenants, question.tenants());
  store::EnvelopeFilter filter;
  DISTRICT_TRY(const auto span, question.span());
  filter.from = span.from;
  filter.to = span.to;
  if (question.after.is_number_unsigned()) filter.after_leaf = question.after.get<std::uint64_t>();
  filter.limit = question.limit + 1;
  store::ArchiveReader archive(question.archive);
  std::vector<StoredEnvelope> found;
  for (const auto& tenant : tenants) {
    filter.tenant = tenant;
    DISTRICT_TRY(auto some, archive.list(filter));
    std::ranges::move(some, std::back_inserter(found));
  }
  std::ranges::sort(found, {}, &StoredEnvelope::leaf_index);
  RowPage page;
  for (const auto& envelope : found) {
    if (page.rows.size() == question.limit) {
      page.next = found[question.limit - 1].leaf_index;
      break;
    }
    page.rows.push_back(row_of(question, envelope));
  }
  return page;
}

Result<RowPage> read_envelope(const Question& question) {
  DISTRICT_TRY(const auto envelope, find(question));
  return RowPage{{row_of(question, envelope)}};
}

Result<HttpResponse> read_raw(const Question& question) {
  DISTRICT_TRY(const auto envelope, find(question));
  if (!question.caller.may_read_raw) {
    return fail(ErrorCode::authentication_failed, "this key does not read raw envelopes",
                "an auditor's key does: districtctl apikey create --role auditor");
  }
  if (envelope.raw_size > kRawOctetsMax) {
    return fail(ErrorCode::too_large, "a raw envelope above 32 MiB is not given here",
                "districtctl envelope show --raw writes it");
  }
  store::ArchiveReader archive(question.archive);
  DISTRICT_TRY(const auto octets, archive::read_octets(archive, envelope));
  HttpResponse answer;
  // A browser must never show what a peer sent.
  answer.content_type = "application/octet-stream";
  answer.body = as_text(octets);
  answer.fields = "Content-Disposition: attachment; filename=\"" + envelope.receipt_id +
                  ".xml\"\r\nRepr-Digest: sha-256=:" + to_base64(envelope.payload_digest) + ":\r\n";
  return answer;
}

Result<RowPage> read_failures(const Question& question) {
  DISTRICT_TRY(const auto tenants, question.tenants());
  const auto after = question.after.is_number_unsigned()
                         ? std::optional(question.after.get<std::uint64_t>())
                         : std::nullopt;
  DISTRICT_TRY(const auto failures, store::SeriesReader(question.series).failures());
  RowPage page;
  std::uint64_t last = 0;
  for (const auto& failure : failures) {
    const auto leaf = failure.origin.leaf_index;
    if ((after && leaf <= *after) || !std::ranges::binary_search(tenants, failure.tenant)) continue;
    if (page.rows.size() == question.limit) {
      page.next = last;
      break;
    }
    page.rows.push_back({failure.origin.receipt_id, failure.tenant,
                         static_cast<unsigned>(failure.code), failure.reason,
                         question.spell(failure.failed_at)});
    last = leaf;
  }
  return page;
}

}  // namespace district::query
