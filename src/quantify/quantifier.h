// Stage 6, running: takes work items of the archive and turns them into measurements and KPIs, each
// item exactly once. What it computes and the note that the item is done are one transaction of the
// series database. The archive is told afterwards, in a short transaction of its own; if a crash
// prevents that, it is told at the next start. No receipt waits for anything that is computed here.
// A large envelope takes several transactions. Its values and KPIs come bit by bit, and the note
// that it is done comes with the last of them. If that breaks off, the envelope is done again from
// its beginning. It is read twice, so that nothing is written before all of it is known to be good.
// An envelope that cannot be quantified is logged and recorded with its reason
// (SeriesReader::failures). It does not hold up others. When the database cannot be written, items
// wait and are tried again.
// When no item waits, meters that an import of master data has marked as stale are computed again,
// one at a time. One that cannot be computed is logged and tried again later; its mark stays.
#pragma once

#include <cstdint>
#include <memory>

#include "base/error.h"
#include "base/time.h"
#include "model/batch.h"
#include "model/standards.h"
#include "store/location.h"
#include "trust/trust.h"
#include "validate/validator.h"

namespace district::quantify {

struct QuantifierSettings {
  store::Location location = store::Location::scratch();
  // Bounds of one step. The more items share it, the less each costs: a window that several of them
  // touch is computed once. But KPIs come later, and commands of administrators wait for it. The
  // number of items adapts, so that a step takes about group_time.
  std::size_t group_max = 512;
  Duration group_time = std::chrono::seconds(1);
  Standards standards{};
};

class Quantifier {
 public:
  // Opens its own connections to the databases. If there is no series database it makes one, and
  // all that is archived becomes work again. Keeps references to the last three arguments.
  // Errors: archive_foreign (also: the series is not the archive's), archive_unavailable,
  // file_unreadable.
  static Result<std::unique_ptr<Quantifier>> open(QuantifierSettings settings,
                                                  const validate::Validator& validator,
                                                  trust::Trust& trust, const Clock& clock);
  ~Quantifier();  // stops

  void start();  // starts the thread; call it once
  void wake();   // there may be work. Threads: any.
  void stop();   // after the current transaction; a large envelope begins again at the next start

  // Works in the caller's thread, without start(), until no item waits and no stale meter can be
  // computed. Gives the number of items done. Errors: archive_unavailable (the items wait).
  Result<std::uint64_t> run_until_idle();

  // Work items not done yet. Threads: any.
  Result<std::uint64_t> waiting();

 private:
  struct Impl;
  explicit Quantifier(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace district::quantify
