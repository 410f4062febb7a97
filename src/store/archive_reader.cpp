#include "store/archive_reader.h"

#include "store/rows.h"

namespace district::store {
namespace {

// Columns of StoredEnvelope, in the order in which read_envelope takes them.
constexpr std::string_view kSelectEnvelope =
    "SELECT leaf_index, receipt_id, received_at, tenant, certificate_sha256, signature_method, "
    "message_count, source, content_type, content_encoding, soap_action, raw_size, stored_size, "
    "payload_digest, tree_size, "
    "NOT EXISTS (SELECT 1 FROM work_item WHERE work_item.leaf_index = envelope.leaf_index), "
    "raw_id "
    "FROM envelope WHERE ";

Result<StoredEnvelope> read_envelope(const Statement& row) {
  StoredEnvelope envelope;
  envelope.leaf_index = row.count(0);
  envelope.receipt_id = row.text(1);
  envelope.received_at = row.instant(2);
  envelope.tenant = row.text(3);
  DISTRICT_TRY(envelope.certificate_sha256, row.digest(4));
  envelope.signature_method = row.text(5);
  envelope.message_count = row.count(6);
  envelope.source = row.text(7);
  envelope.content_type = row.text(8);
  envelope.content_encoding = row.text(9);
  envelope.soap_action = row.text(10);
  envelope.raw_size = row.count(11);
  envelope.stored_size = row.count(12);
  DISTRICT_TRY(envelope.payload_digest, row.digest(13));
  envelope.tree_size = row.count(14);
  envelope.quantified = row.integer(15) != 0;
  if (!row.is_null(16)) envelope.raw_id = row.count(16);
  return envelope;
}

// The chunk of that key, empty when there is none.
Result<Bytes> read_chunk(ArchiveDatabase& database, std::string_view select, std::uint64_t of,
                         std::uint64_t chunk_index) {
  DISTRICT_TRY(auto row, database.prepare(select));
  DISTRICT_TRY(const bool there, row.bind(1, of).bind(2, chunk_index).step());
  return there ? to_bytes(row.blob(0)) : Bytes{};
}

}  // namespace

Result<std::vector<StoredEnvelope>> ArchiveReader::list(const EnvelopeFilter& filter) {
  // By time or tenant the wanted leaves come from an index alone; only their rows are then read.
  const bool by_time = filter.from || filter.to;
  const std::string order =
      filter.newest_first ? " ORDER BY leaf_index DESC" : " ORDER BY leaf_index";
  const std::string wanted = std::string("leaf_index >= ?1") +
                             (filter.signer ? " AND certificate_sha256 = ?6" : "") + order +
                             " LIMIT ?2";
  std::string which = wanted;
  if (filter.tenant) {
    which =
        "leaf_index IN (SELECT leaf_index FROM envelope INDEXED BY envelope_by_tenant "
        "WHERE tenant = ?5 AND received_at >= ?3 AND received_at < ?4 AND " +
        wanted + ")" + order;
  } else if (by_time) {
    which =
        "leaf_index IN (SELECT leaf_index FROM envelope INDEXED BY envelope_by_time "
        "WHERE received_at >= ?3 AND received_at < ?4 AND " +
        wanted + ")" + order;
  }
  DISTRICT_TRY(auto statement, db_.prepare(std::string(kSelectEnvelope).append(which)));
  statement.bind(1, filter.after_leaf ? *filter.after_leaf + 1 : 0).bind(2, filter.limit);
  if (filter.tenant || by_time) {
    statement.bind(3, filter.from.value_or(Instant::min()))
        .bind(4, filter.to.value_or(Instant::max()));
  }
  if (filter.tenant) statement.bind(5, *filter.tenant);
  if (filter.signer) statement.bind(6, ByteView(*filter.signer));
  return all_rows(statement, read_envelope);
}

Result<StoredEnvelope> ArchiveReader::find(std::string_view receipt_id) {
  DISTRICT_TRY(auto statement, db_.prepare(std::string(kSelectEnvelope) + "receipt_id = ?1"));
  DISTRICT_TRY(const bool row, statement.bind(1, receipt_id).step());
  if (!row) {
    return fail(ErrorCode::not_found, "no envelope " + std::string(receipt_id),
                "districtctl envelope list shows what there is");
  }
  return read_envelope(statement);
}

Result<std::optional<StoredEnvelope>> ArchiveReader::of_leaf(std::uint64_t leaf_index) {
  DISTRICT_TRY(auto statement, db_.prepare(std::string(kSelectEnvelope) + "leaf_index = ?1"));
  DISTRICT_TRY(const bool row, statement.bind(1, leaf_index).step());
  if (!row) return std::nullopt;
  DISTRICT_TRY(auto envelope, read_envelope(statement));
  return std::optional(std::move(envelope));
}

Result<std::vector<SiteImport>> ArchiveReader::site_imports() {
  DISTRICT_TRY(auto row, db_.prepare("SELECT leaf_index, tenant, statements FROM site_import "
                                     "ORDER BY leaf_index"));
  return all_rows(row, [](const Statement& found) {
    return SiteImport{found.count(0), found.text(1), found.text(2)};
  });
}

Result<std::optional<SiteImport>> ArchiveReader::site_import(std::uint64_t leaf_index) {
  DISTRICT_TRY(auto row, db_.prepare("SELECT leaf_index, tenant, statements FROM site_import "
                                     "WHERE leaf_index = ?1"));
  DISTRICT_TRY(const bool there, row.bind(1, leaf_index).step());
  if (!there) return std::nullopt;
  return SiteImport{row.count(0), row.text(1), row.text(2)};
}

Result<Bytes> ArchiveReader::raw_chunk(const StoredEnvelope& envelope, std::uint64_t chunk_index) {
  if (envelope.raw_id) return staged_chunk(*envelope.raw_id, chunk_index);
  return read_chunk(db_, "SELECT octets FROM raw_chunk WHERE leaf_index = ?1 AND chunk_index = ?2",
                    envelope.leaf_index, chunk_index);
}

Result<Bytes> ArchiveReader::staged_chunk(std::uint64_t raw_id, std::uint64_t chunk_index) {
  return read_chunk(db_, "SELECT octets FROM large_chunk WHERE raw_id = ?1 AND chunk_index = ?2",
                    raw_id, chunk_index);
}

Result<ArchiveReader::StoredChunks> ArchiveReader::stored_chunks(const StoredEnvelope& envelope) {
  const auto count = [this](std::string_view select, std::uint64_t of,
                            StoredChunks& chunks) -> Result<Ok> {
    DISTRICT_TRY(auto row, db_.prepare(select));
    DISTRICT_TRY(const bool there, row.bind(1, of).step());
    if (there) chunks = {row.count(0), row.count(1), false};
    return Ok{};
  };
  StoredChunks small, large;
  DISTRICT_CHECK(
      count("SELECT count(*), coalesce(sum(length(octets)), 0) FROM raw_chunk "
            "WHERE leaf_index = ?1",
            envelope.leaf_index, small));
  if (!envelope.raw_id) return small;
  DISTRICT_CHECK(
      count("SELECT count(*), coalesce(sum(length(octets)), 0) FROM large_chunk "
            "WHERE raw_id = ?1",
            *envelope.raw_id, large));
  large.elsewhere = small.count > 0;
  return large;
}

Result<std::vector<std::string>> ArchiveReader::stray_octets() {
  DISTRICT_TRY(
      auto row,
      db_.prepare(
          "SELECT 'large envelope ' || e.receipt_id || ' is noted as a left-over, to be removed' "
          "FROM staging s JOIN envelope e ON e.raw_id = s.raw_id "
          "UNION ALL SELECT 'envelopes ' || group_concat(receipt_id, ' and ') || "
          "' claim the same octets' FROM envelope WHERE raw_id IS NOT NULL "
          "GROUP BY raw_id HAVING count(*) > 1 "
          "UNION ALL SELECT 'the counter of large envelopes is behind number ' || max(raw_id) "
          "FROM envelope HAVING max(raw_id) >= coalesce((SELECT next_id FROM raw_counter), 0) "
          "LIMIT 100"));
  return all_rows(row, [](const Statement& found) { return found.text(0); });
}

}  // namespace district::store
