// What the quantifier does in its thread, step by step. A step takes the work items that are
// waiting. Small envelopes share transactions; a large one is read and written in parts. When no
// item waits, a step computes one of the meters that an import of master data has marked as stale.
// Private to quantify/. Threads: one at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "model/batch.h"
#include "model/stored_envelope.h"
#include "quantify/engine.h"
#include "quantify/quantifier.h"
#include "quantify/stale_meters.h"
#include "quantify/work_in_hand.h"
#include "store/database.h"
#include "trust/trust.h"
#include "validate/validator.h"

namespace district::quantify {

class Processor {
 public:
  struct Step {
    std::size_t items = 0;  // that are done
    bool idle = true;       // there was nothing to do
  };

  // Keeps references to all of these. Once `stopping` is set, a step breaks off with
  // archive_unavailable.
  Processor(store::ArchiveDatabase& archive, store::SeriesDatabase& series,
            const QuantifierSettings& settings, const validate::Validator& validator,
            trust::Trust& trust, const Clock& clock, const std::atomic<bool>& stopping);

  // Before the first step. Errors: archive_unavailable, archive_corrupt.
  Result<Ok> remember_told() { return work_.remember_told(); }

  // Throws nothing. Errors: archive_unavailable (the items wait), archive_corrupt.
  Result<Step> step();

 private:
  struct Item;
  struct Prepared;

  Result<Ok> check_stop() const;
  Result<Step> take_step();
  Prepared prepare(const Item& item);
  Result<Ok> commit(const std::vector<Prepared>& group);
  Result<Ok> commit_one_by_one(const std::vector<Prepared>& group);
  Result<Ok> commit_group(std::vector<Prepared>& group);
  Result<Ok> commit_large(const Item& item);
  Result<Ok> quantify_large(const Item& item);
  Result<Ok> commit_import(const SiteImport& import);
  Result<bool> recompute_stale();
  Result<Ok> recompute_stale(std::int64_t meter_id);
  Engine engine(std::shared_ptr<const trust::TrustSnapshot> snapshot, Engine::Pause pause);
  void forget_ids() { known_ = std::make_shared<series::KnownIds>(); }

  store::ArchiveDatabase& archive_;
  store::SeriesDatabase& series_;
  const QuantifierSettings& settings_;
  const validate::Validator& validator_;
  trust::Trust& trust_;
  const Clock& clock_;
  const std::atomic<bool>& stopping_;
  WorkInHand work_;
  StaleMeters stale_;
  std::size_t group_size_;  // of the next transaction
  std::shared_ptr<series::KnownIds> known_ = std::make_shared<series::KnownIds>();
};

}  // namespace district::quantify
