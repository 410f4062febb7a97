// Stage 6, running: takes the archive's work items and turns them into measurements and KPIs, each
// item exactly once: what it computes and the note that it is done are one transaction of the
// series. Then the archive is told, in a short one of its own; what it was not told of, because of
// a crash, it is told at the next start. No receipt waits for anything that is computed here.
// A large envelope takes several: its values and KPIs come bit by bit, the note that it is done
// with the last of them, and what broke off is done again from its beginning. It is read twice, so
// that nothing is written before all of it is known to be good.
// An envelope that cannot be quantified is recorded with its reason (SeriesReader::failures),
// logged, and holds up no other. When the database cannot be written, items wait and are tried
// again.
// Meters that an import of master data has marked as stale are computed anew, one at a time, when
// no item waits. One that cannot be computed is logged and tried again later; its mark stays.
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
  // Bounds of one transaction, so that commands of administrators never wait long. The number of
  // items adapts, so that a transaction takes about this time.
  std::size_t group_max = 64;
  Duration group_time = std::chrono::milliseconds(50);
  Standards standards{};
};

class Quantifier {
 public:
  // Opens its own connections to the databases, and makes the series where there is none: then all
  // that is archived is work again. Keeps references to the other three.
  // Errors: archive_foreign (also: the series is not the archive's), archive_unavailable,
  // file_unreadable.
  static Result<std::unique_ptr<Quantifier>> open(QuantifierSettings settings,
                                                  const validate::Validator& validator,
                                                  trust::Trust& trust, const Clock& clock);
  ~Quantifier();  // stops

  void start();  // the thread; once
  void wake();   // there may be work. Threads: any.
  void stop();   // after the transaction at hand; a large envelope begins again next time

  // Works until nothing is waiting, or stale and computable, in the caller's thread, without
  // start(). Gives the number of items done. Errors: archive_unavailable (the items wait).
  Result<std::uint64_t> run_until_idle();

  // Work items not done yet. Threads: any.
  Result<std::uint64_t> waiting();

 private:
  struct Impl;
  explicit Quantifier(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace district::quantify
