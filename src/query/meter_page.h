// A page of rows that is filled meter by meter. Private to query/.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "query/meter_walk.h"
#include "query/resource.h"

namespace district::query {

// It begins where the previous page ended. It ends when it is full, or when it has read as many
// parts of the database as a page may read. `Place` says where a row stands among those of its
// meter; Place{} is before all of them. Place::from(after) reads the `after` of a page, and
// place.next(meter) makes its `next`.
template <typename Place>
class MeterPage {
 public:
  explicit MeterPage(const Question& question) : question_(question) {}

  // Calls `read_meter(meter)` for one meter after the other until the page has ended. It adds the
  // rows of that meter.
  template <typename ReadMeter>
  Result<RowPage> fill(ReadMeter read_meter) {
    MeterKey begin;
    if (const auto& after = question_.after; !after.is_null()) {
      begin = meter_from(after.at(0)).value_or(begin);
      after_ = Place::from(after);
    }
    DISTRICT_TRY(auto walk, MeterWalk::from(question_, begin));
    while (!ended_) {
      DISTRICT_TRY(const auto meter, walk.next());
      if (!meter) break;
      if (meter->key != begin) after_.reset();
      meter_ = meter->key;
      last_ = after_.value_or(Place{});
      if (may_read()) DISTRICT_CHECK(read_meter(*meter));
    }
    return std::move(rows_);
  }

  // The place of this meter at which the previous page ended; nullopt: it had not come to this
  // meter.
  const std::optional<Place>& after() const { return after_; }
  bool ended() const { return ended_; }

  // To be asked before a part of the database is read. false: the page ends here, and the next one
  // begins after `last`.
  bool may_read(const Place& last) {
    if (parts_++ < kPartsMax) return true;
    end(last);
    return false;
  }
  bool may_read() { return may_read(last_); }

  // To be asked before a row is added. false: the page is full, and ends here.
  bool has_room() {
    if (rows_.rows.size() < question_.limit) return true;
    end(last_);
    return false;
  }
  void add(Row row, const Place& place) {
    rows_.rows.push_back(std::move(row));
    pass(place);
  }
  // Notes that the place is done without a row.
  void pass(const Place& place) { last_ = place; }

 private:
  void end(const Place& last) {
    rows_.next = last.next(meter_);
    ended_ = true;
  }

  const Question& question_;
  MeterKey meter_;
  std::optional<Place> after_;
  Place last_{};  // the last one that is done
  RowPage rows_;
  std::size_t parts_ = 0;
  bool ended_ = false;
};

}  // namespace district::query
