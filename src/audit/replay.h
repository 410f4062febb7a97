// The auditor's replay. Stored raw envelopes go once more through verify (as of their time of
// receipt), validate and quantify, into a series of its own. The result is compared with what was
// recorded. Source: docs/adr/0009-one-pass-for-the-server.md, on the auditor's verifier.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "audit/replay_report.h"
#include "base/error.h"
#include "model/standards.h"
#include "model/stored_envelope.h"
#include "store/database.h"
#include "trust/snapshot.h"
#include "validate/validator.h"
#include "verify/security_policy.h"

namespace district::audit {

struct Selection {
  std::optional<std::string> receipt_id;
  std::optional<Instant> from, to;  // of the time of receipt, half-open
  bool everything() const { return !receipt_id && !from && !to; }
};

class Replay {
 public:
  // Keeps references to all of them. `recorded` may be null. Then run() only verifies and
  // validates, since there is nothing to compare with. `archive` and `recorded` are only read; a
  // function sees them as they are when it begins.
  Replay(store::ArchiveDatabase& archive, store::SeriesDatabase* recorded,
         const trust::TrustSnapshot& trust, verify::Window window,
         const validate::Validator& validator, ReplayProgress progress)
      : archive_(archive),
        recorded_(recorded),
        trust_(trust),
        window_(window),
        validator_(validator),
        progress_(std::move(progress)) {}

  // Checks only the octets, leaf and signature of each envelope.
  // Errors: not_found (the receipt), archive_unavailable.
  Result<ReplayReport> verify(const Selection& selection);

  // Checks everything. With a selection, only the measurements and master data of the selected
  // envelopes are compared, and the KPIs to which they contribute. These are computed from them and
  // from what is recorded of the other envelopes. A selected envelope that fails to verify counts
  // as one of the others, so that its damage is named once. The replayed series is in memory, and
  // grows with the measurements of the meters concerned.
  // Errors: those of verify(); archive_unavailable also while the quantifier is in the middle of a
  // long recomputation.
  Result<ReplayReport> run(const Selection& selection);

  // Settings of KPIs that are not the defaults.
  void set_standards(Standards standards) { standards_ = std::move(standards); }

 private:
  Standards standards_;
  using Act = std::function<Result<Ok>(const StoredEnvelope&)>;
  Result<ReplayReport> run_alone(const Selection& selection);
  Result<Ok> for_each_envelope(const Selection& selection, ReplayReport& report, const Act& act);
  store::ArchiveDatabase& archive_;
  store::SeriesDatabase* recorded_;  // null: there is none
  const trust::TrustSnapshot& trust_;
  const verify::Window window_;
  const validate::Validator& validator_;
  ReplayProgress progress_;
};

}  // namespace district::audit
