// Sampled power and its quality against a slow second opinion (oracle.h).
#include <boost/test/unit_test.hpp>

#include "oracle.h"
#include "oracle_quality.h"

using namespace district;
using namespace district::quantify;
using namespace district::quantify::testing;

namespace {

Minute hold_of(const Memory& memory, Minute at) {
  const auto step = minutes_of(memory.text("nominal_step", at));
  return std::min(2 * kDay, 2 * step.value_or(15));
}

struct Sums {
  double kwh = 0, on_kwh = 0, lux_minutes = 0;
  Minute covered = 0, on = 0, on_by_day = 0, lit = 0;
  bool threshold_known = true;
  std::optional<double> peak;
  Minute peak_at = 0;
  int estimated = 0, disputed = 0;
};

// The value that holds at each minute from the first sample on; none: nothing holds.
class Held {
 public:
  Held(const Memory& memory, const char* quantity) : samples_(memory.counting(quantity)) {
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      const auto start = samples_[i].start;
      auto end = start + hold_of(memory, start);
      if (i + 1 < samples_.size()) end = std::min(end, samples_[i + 1].start);
      ends_.push_back(end);
    }
  }
  const Heard* at(Minute minute) const {
    for (std::size_t i = 0; i < samples_.size(); ++i)
      if (samples_[i].start <= minute && minute < ends_[i]) return &samples_[i];
    return nullptr;
  }
  template <typename Each>
  void each_minute(const Sheet& sheet, Each&& each) const {
    for (std::size_t i = 0; i < samples_.size(); ++i)
      for (Minute minute = std::max(samples_[i].start, sheet.start);
           minute < std::min(ends_[i], sheet.end); ++minute)
        each(minute, samples_[i]);
  }

 private:
  std::vector<Heard> samples_;
  std::vector<Minute> ends_;
};

Sums sums_of(const Sheet& sheet, const Memory& memory, const WallClock& clock, const Held& power,
             const Held& light) {
  Sums sums;
  const Heard* last = nullptr;
  power.each_minute(sheet, [&](Minute minute, const Heard& sample) {
    const double kwh = sample.value / 1000 / 60;
    sums.kwh += kwh;
    ++sums.covered;
    if (&sample != last && sample.estimated) ++sums.estimated;
    if (&sample != last && sample.disputed) ++sums.disputed;
    last = &sample;
    if (!sums.peak || sample.value > *sums.peak) {
      sums.peak = sample.value;
      sums.peak_at = minute;
    }
    const auto threshold = memory.number("on_threshold_w", sample.start);
    if (!threshold) sums.threshold_known = false;
    if (!threshold || sample.value <= *threshold) return;
    sums.on_kwh += kwh;
    ++sums.on;
    const int hour = clock.hour(minute);
    sums.on_by_day += hour >= 10 && hour < 16;
    if (const auto* lux = light.at(minute)) {
      ++sums.lit;
      sums.lux_minutes += lux->value;
    }
  });
  return sums;
}

void put_installation(Sheet& sheet, const Sums& sums, const Memory& memory, double c,
                      bool light_there) {
  const auto holds = [&](const char* attribute) { return memory.number(attribute, sheet.end - 1); };
  const auto installed = holds("installed_power_w"), lux_area = holds("illuminance_area_lx_m2"),
             area = holds("lit_area_m2");
  const bool some = sums.covered > 0;
  if (installed) {
    sheet.put("full_load_hours", only_if(some, sums.kwh * 1000 / installed.value_or(0)), c);
  } else {
    sheet.lacks("full_load_hours", "installed_power_w", c);
  }
  if (sheet.kind == WindowKind::day) return;
  if (installed && lux_area) {
    sheet.put("pdi_w_per_lx_m2", only_if(some, installed.value_or(0) / lux_area.value_or(0)), c);
  } else {
    sheet.lacks("pdi_w_per_lx_m2", installed ? "illuminance_area_lx_m2" : "installed_power_w", c);
  }
  if (light_there && area) {
    const double watts = sums.on_kwh * 1000 / in_hours(sums.on);
    const double lux = sums.lux_minutes / sums.lit;
    sheet.put("pdi_measured_w_per_lx_m2",
              only_if(sums.lux_minutes > 0, watts / (lux * area.value_or(0))), c);
  } else if (light_there) {
    sheet.lacks("pdi_measured_w_per_lx_m2", "lit_area_m2", c);
  }
  if (sheet.kind != WindowKind::year) return;
  if (area) {
    sheet.put("aeci_kwh_m2", only_if(c >= 0.9, sums.kwh / c / area.value_or(0)), c);
  } else {
    sheet.lacks("aeci_kwh_m2", "lit_area_m2", c);
  }
}

void put_power(Sheet& sheet, const Sums& sums, const Memory& memory, bool light_there) {
  const double c = static_cast<double>(sums.covered) / sheet.length();
  const bool some = sums.covered > 0, of_hour = sheet.kind == WindowKind::hour;
  const auto burning = [&](const char* kpi, double value) {
    if (sums.threshold_known) {
      sheet.put(kpi, only_if(some, value), c);
    } else if (!of_hour) {
      sheet.lacks(kpi, "on_threshold_w", c);
    }
  };
  sheet.put("energy_kwh", only_if(some, sums.kwh), c);
  burning("operating_hours", in_hours(sums.on));
  if (of_hour) return;
  sheet.put("energy_estimate_kwh", only_if(c >= 0.9, sums.kwh / c), c);
  burning("burning_energy_kwh", sums.on_kwh);
  burning("standby_energy_kwh", sums.kwh - sums.on_kwh);
  burning("day_burning_hours", in_hours(sums.on_by_day));
  auto& peak = sheet.put("peak_w", sums.peak, c);
  if (sums.peak) peak.attributes["peak_at_utc"] = format_instant(instant_of(sums.peak_at), 0);
  put_installation(sheet, sums, memory, c, light_there);
}

Rows expected_of(const Memory& memory, const WallClock& clock, const std::string&) {
  Rows rows;
  const auto values = memory.all("active_power");
  const Held power(memory, "active_power"), light(memory, "illuminance");
  const auto reach = [&](const Heard& one) { return one.start + hold_of(memory, one.start); };
  for (const auto kind : kWindows) {
    for (const auto& [start, end] : windows_of(clock, kind, values, reach)) {
      Sheet sheet{rows, kind, start, end, {}};
      const auto sums = sums_of(sheet, memory, clock, power, light);
      sheet.note("estimated_values", sums.estimated);
      sheet.note("disputed", sums.disputed);
      sheet.note("implausible",
                 static_cast<int>(std::count_if(values.begin(), values.end(), [&](const auto& v) {
                   return v.fate == Fate::implausible && sheet.has(v.start);
                 })));
      put_power(sheet, sums, memory, !memory.all("illuminance").empty());
    }
  }
  put_quality(rows, memory, clock, values, reach, 15);
  return rows;
}

Story some_story(Dice& dice) {
  auto story = some_place(dice);
  const auto sample = [&](const char* quantity, const char* unit, Minute when, double value) {
    Observation one{"SITE",
                    "",
                    quantity,
                    unit,
                    ValueKind::instant,
                    instant_of(when),
                    instant_of(when),
                    value,
                    0,
                    dice.one_in(30) ? flag_estimated : 0U};
    story.observations.push_back(one);
    while (dice.one_in(8)) {
      if (dice.one_in(2)) one.value = value + 100;
      story.observations.push_back(one);
    }
  };
  const auto watts = [&] {
    return dice.one_in(60) ? -1.0 : dice.of({0.0, 100.0, 500.0, 500.5, 700.0, 1234.5});
  };
  const auto step = dice.of({5, 15, 15, 60, 180});
  const auto span = dice.of({600, kDay, 3 * kDay});
  const auto holes = dice.of({2, 4, 10, 1000});
  for (Minute when = 0; when < span; when += step)
    if (!dice.one_in(holes))
      sample("active_power", "W", story.begin + when + (dice.one_in(3) ? dice.below(step) : 0),
             watts());
  if (dice.one_in(8))
    sample("active_power", "W", story.begin + kDay * dice.of({29, 31, 32, 80, 365, 400}), watts());
  if (dice.one_in(15))
    for (Minute when = -400 * kDay; when < -kDay; when += 2 * kDay)
      if (!dice.one_in(15)) sample("active_power", "W", story.begin + when, watts());
  if (dice.one_in(3))
    for (Minute when = 0; when < span; when += 30)
      if (!dice.one_in(holes)) sample("illuminance", "lx", story.begin + when, dice.below(20));
  const auto some_time = [&] { return dice.one_in(3) ? 0 : story.begin + 15 * dice.below(3 * 96); };
  const auto state = [&](const char* attribute, std::initializer_list<const char*> values) {
    for (int i = dice.below(3); i > 0; --i)
      story.facts.push_back(stated(dice, "", attribute, dice.of(values), some_time()));
  };
  state("nominal_step", {"PT5M", "PT15M", "PT1H", "PT3H", "PT24H"});
  state("on_threshold_w", {"500", "500", "100"});
  state("installed_power_w", {"2000", "1500"});
  state("illuminance_area_lx_m2", {"1000"});
  state("lit_area_m2", {"400", "500"});
  return story;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(oracle)

BOOST_AUTO_TEST_CASE(sampled_power_is_what_a_slow_second_opinion_says) {
  for (unsigned seed = 1; seed <= cases(12); ++seed) {
    Dice dice(seed);
    hold_against(seed, dice, some_story(dice), expected_of);
  }
}

BOOST_AUTO_TEST_SUITE_END()
