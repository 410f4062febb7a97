// A page of rows that is filled from one meter after the other. Private to query/.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "query/meter_walk.h"
#include "query/resource.h"

namespace district::query {

// It begins where the page before ended. It ends when it is full, or when as many parts of the
// database were read as a page may read. `Place`: where a row stands among those of its meter;
// Place{} is before all of them. `after` of a page is read by Place::from(after), and `next` is
// made by place.next(meter).
template <typename Place>
class MeterPage {
 public:
  explicit MeterPage(const Question& question) : question_(question) {}

  // Calls `read_meter(meter)` for each, which adds its rows, until the page has ended.
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

  // Of this meter, what the page before ended with; nullopt: it had none of this meter.
  const std::optional<Place>& after() const { return after_; }
  bool ended() const { return ended_; }

  // To be asked before a part of the database is read. false: the page ends here, and the next one
  // begins behind `last`.
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
  // What stands there is dealt with, without a row.
  void pass(const Place& place) { last_ = place; }

 private:
  void end(const Place& last) {
    rows_.next = last.next(meter_);
    ended_ = true;
  }

  const Question& question_;
  MeterKey meter_;
  std::optional<Place> after_;
  Place last_{};  // dealt with
  RowPage rows_;
  std::size_t parts_ = 0;
  bool ended_ = false;
};

}  // namespace district::query
