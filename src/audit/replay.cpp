#include "audit/replay.h"

#include "audit/examination.h"
#include "audit/replayed_series.h"
#include "audit/series_comparison.h"
#include "store/archive_reader.h"
#include "store/inventory.h"
#include "store/matched_snapshots.h"
#include "store/read_snapshot.h"
#include "store/series_reader.h"

namespace district::audit {
namespace {

constexpr std::size_t kEnvelopesAtOnce = 256;

}  // namespace

Result<Ok> Replay::for_each_envelope(const Selection& selection, ReplayReport& report,
                                     const Act& act) {
  store::ArchiveReader archive(archive_);
  if (selection.receipt_id) {
    DISTRICT_TRY(const auto envelope, archive.find(*selection.receipt_id));
    ++report.envelopes;
    return act(envelope);
  }
  std::uint64_t total = 0;
  if (selection.everything()) {
    DISTRICT_TRY(const auto inventory, store::take_inventory(archive_));
    total = inventory.envelopes;
  }
  store::EnvelopeFilter filter;
  filter.from = selection.from;
  filter.to = selection.to;
  filter.limit = kEnvelopesAtOnce;
  while (true) {
    DISTRICT_TRY(const auto envelopes, archive.list(filter));
    for (const auto& envelope : envelopes) {
      DISTRICT_CHECK(act(envelope));
      progress_("verifying envelopes", ++report.envelopes, total);
    }
    if (envelopes.size() < kEnvelopesAtOnce) return Ok{};
    filter.after_leaf = envelopes.back().leaf_index;
  }
}

Result<ReplayReport> Replay::verify(const Selection& selection) {
  DISTRICT_TRY(const auto moment, store::ReadSnapshot::take(archive_));
  Examination examination(archive_, trust_, window_, validator_);
  ReplayReport report;
  const Act act = [&](const StoredEnvelope& envelope) -> Result<Ok> {
    verify::NoReader nobody;
    DISTRICT_CHECK(examination.verify(envelope, nobody, report.differences));
    return Ok{};
  };
  DISTRICT_CHECK(for_each_envelope(selection, report, act));
  return report;
}

Result<ReplayReport> Replay::run(const Selection& selection) {
  if (recorded_ == nullptr) return run_alone(selection);
  DISTRICT_TRY(const auto moment, store::MatchedSnapshots::take(archive_, *recorded_));
  DISTRICT_TRY(const auto stale, store::SeriesReader(*recorded_).stale());
  if (!stale.empty()) {
    return fail(ErrorCode::archive_unavailable,
                "KPI values are being computed after a change of master data",
                "run this again when districtctl status --wait has ended");
  }
  DISTRICT_TRY(const auto under_way, store::SeriesReader(*recorded_).under_way());
  if (under_way) {
    return fail(ErrorCode::archive_unavailable,
                "KPI values are being computed for envelope " + *under_way,
                "run this again when districtctl status --wait has ended");
  }
  Examination examination(archive_, trust_, window_, validator_);
  DISTRICT_TRY(const auto replayed, ReplayedSeries::create(archive_, *recorded_, trust_, standards_,
                                                           selection.everything()));
  ReplayReport report;
  const Act act = [&](const StoredEnvelope& envelope) -> Result<Ok> {
    DISTRICT_TRY(const auto batch, examination.validate(envelope, report.differences));
    if (!envelope.quantified) {
      ++report.not_quantified;
      return Ok{};
    }
    if (!batch) {
      replayed->add_damaged(envelope);
      return Ok{};
    }
    return replayed->add(envelope, *batch, report);
  };
  DISTRICT_CHECK(for_each_envelope(selection, report, act));
  DISTRICT_CHECK(replayed->add_others(report));
  progress_("computing KPIs", 0, 0);
  DISTRICT_CHECK(replayed->compute());
  DISTRICT_CHECK(SeriesComparison(*recorded_, *replayed, progress_, report).run());
  return report;
}

Result<ReplayReport> Replay::run_alone(const Selection& selection) {
  DISTRICT_TRY(const auto moment, store::ReadSnapshot::take(archive_));
  Examination examination(archive_, trust_, window_, validator_);
  ReplayReport report;
  const Act act = [&](const StoredEnvelope& envelope) -> Result<Ok> {
    DISTRICT_CHECK(examination.validate(envelope, report.differences));
    return Ok{};
  };
  DISTRICT_CHECK(for_each_envelope(selection, report, act));
  return report;
}

}  // namespace district::audit
