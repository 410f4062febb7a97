// The auditor's replay: stored raw envelopes go again through verify (as of their time of receipt),
// validate and quantify into a scratch store, and what comes out is compared with what was
// recorded. Source: docs/adr/0009-one-pass-for-the-server.md, on the auditor's verifier.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/comparison.h"
#include "base/error.h"
#include "model/standards.h"
#include "model/stored_envelope.h"
#include "store/database.h"
#include "trust/trust.h"
#include "validate/validator.h"
#include "verify/verifier.h"

namespace district::audit {

struct Selection {
  std::optional<std::string> receipt_id;
  std::optional<Instant> from, to;  // of the time of receipt, half-open
  bool everything() const { return !receipt_id && !from && !to; }
};

struct ReplayReport {
  std::uint64_t envelopes = 0;
  std::uint64_t not_quantified = 0;  // of them: still waiting, so their values are not compared
  std::uint64_t measurements = 0, master_facts = 0, kpis = 0;  // compared
  std::vector<Difference> differences;                         // empty: all is as recorded
};

// `total` 0: not known.
using ReplayProgress =
    std::function<void(std::string_view phase, std::uint64_t done, std::uint64_t total)>;

class Replay {
 public:
  // Keeps references to all of them. `recorded` may be null: then run() only verifies and
  // validates, since there is nothing to compare with. `archive` and `recorded` are only read, as
  // they are when a function begins.
  Replay(store::ArchiveDatabase& archive, store::SeriesDatabase* recorded,
         const verify::Verifier& verifier, const validate::Validator& validator,
         const trust::TrustSnapshot& trust, ReplayProgress progress)
      : archive_(archive),
        recorded_(recorded),
        verifier_(verifier),
        validator_(validator),
        trust_(trust),
        progress_(std::move(progress)) {}

  // Octets, leaf and signature of each envelope only.
  // Errors: not_found (the receipt), archive_unavailable.
  Result<ReplayReport> verify(const Selection& selection);

  // All of it. With a selection, only its measurements and master data are compared, and the KPIs
  // that they are part of; those are computed from them and from what is recorded of the others.
  // An envelope that fails to verify counts as one of the others, so that its damage is named once.
  // The scratch store is in memory and grows with the measurements of the meters concerned.
  // Errors: as of verify(); archive_unavailable also while the quantifier is in the middle of a
  // long recomputation.
  Result<ReplayReport> run(const Selection& selection);

  // Settings of KPIs, where they are not the defaults.
  void set_standards(Standards standards) { standards_ = std::move(standards); }

 private:
  Standards standards_;
  using Act = std::function<Result<Ok>(const StoredEnvelope&)>;
  Result<ReplayReport> run_alone(const Selection& selection);
  Result<Ok> for_each_envelope(const Selection& selection, ReplayReport& report, const Act& act);
  store::ArchiveDatabase& archive_;
  store::SeriesDatabase* recorded_;  // null: not at hand
  const verify::Verifier& verifier_;
  const validate::Validator& validator_;
  const trust::TrustSnapshot& trust_;
  ReplayProgress progress_;
};

}  // namespace district::audit
