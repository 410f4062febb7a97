#include "trust/trust.h"

#include "store/trust_store.h"

namespace district::trust {

Result<std::unique_ptr<Trust>> Trust::open(const store::Location& location, store::OpenMode mode) {
  DISTRICT_TRY(auto database, store::ArchiveDatabase::open(location, mode));
  std::unique_ptr<Trust> trust(new Trust(std::move(database)));
  DISTRICT_TRY([[maybe_unused]] const auto first, trust->refresh());
  return trust;
}

std::unique_ptr<Trust> Trust::fixed(std::shared_ptr<const TrustSnapshot> snapshot) {
  std::unique_ptr<Trust> trust(new Trust(nullptr));
  trust->current_ = std::move(snapshot);
  return trust;
}

std::shared_ptr<const TrustSnapshot> Trust::snapshot() const {
  const std::lock_guard lock(current_mutex_);
  return current_;
}

Result<std::shared_ptr<const TrustSnapshot>> Trust::refresh() {
  const auto begun_before = looks_begun_.load();
  const std::lock_guard lock(database_mutex_);
  // While this one waited, somebody else has begun to look, and found it good.
  if (database_ == nullptr || last_good_look_ > begun_before) return snapshot();
  const auto look = ++looks_begun_;
  store::TrustStore store(*database_);
  DISTRICT_TRY(const auto epoch, store.epoch());
  auto current = snapshot();
  if (!current || current->epoch() != epoch) {
    DISTRICT_TRY(auto records, store.load());
    current = std::make_shared<const TrustSnapshot>(std::move(records));
    const std::lock_guard current_lock(current_mutex_);
    current_ = current;
  }
  last_good_look_ = look;
  return current;
}

}  // namespace district::trust
