#include "kpi/weather_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace district::kpi {
namespace {

constexpr int kBalanceMax = 32;              // degrees Celsius, from 0, step 1
constexpr std::size_t kDegreeDaysMin = 10;   // days that have some
constexpr double kDegreeSumMin = 100.0 / 9;  // 20 F d, in K d

using Column = std::vector<double>;

// The degree days of one balance point, if it qualifies.
std::optional<Column> column_of(std::span<const DailyPoint> points, int balance, bool heating) {
  Column column;
  column.reserve(points.size());
  std::size_t days = 0;
  double sum = 0;
  for (const auto& point : points) {
    const double above = point.temperature - balance;
    const double degrees = std::max(0.0, heating ? -above : above);
    if (degrees > 0) ++days;
    sum += degrees;
    column.push_back(degrees);
  }
  if (days < kDegreeDaysMin || sum < kDegreeSumMin) return std::nullopt;
  return column;
}

double mean_of(const Column& column) {
  double sum = 0;
  for (const double value : column) sum += value;
  return sum / static_cast<double>(column.size());
}

struct Columns {
  std::array<std::optional<Column>, kBalanceMax + 1> heating, cooling;
};

class Fit {
 public:
  explicit Fit(std::span<const DailyPoint> points) {
    energy_.reserve(points.size());
    for (const auto& point : points) energy_.push_back(point.energy);
    mean_ = mean_of(energy_);
    for (const double energy : energy_) total_ += (energy - mean_) * (energy - mean_);
  }

  WeatherModel intercept_only() const {
    WeatherModel model;
    model.intercept = mean_;
    finish(model, nullptr, nullptr);
    model.r2 = model.r2_adjusted = 0;
    return model;
  }

  // Ordinary least squares with one or two terms; nullopt: the terms cannot be told apart, or a
  // coefficient is negative.
  std::optional<WeatherModel> with(const Column* heating, const Column* cooling) const {
    const auto sums = sums_of(heating, cooling);
    WeatherModel model;
    const double determinant = sums.hh * sums.cc - sums.hc * sums.hc;
    if (heating != nullptr && cooling != nullptr) {
      if (determinant <= 1e-12 * sums.hh * sums.cc) return std::nullopt;
      model.heating_slope = (sums.hy * sums.cc - sums.cy * sums.hc) / determinant;
      model.cooling_slope = (sums.cy * sums.hh - sums.hy * sums.hc) / determinant;
    } else if (heating != nullptr) {
      if (sums.hh <= 0) return std::nullopt;
      model.heating_slope = sums.hy / sums.hh;
    } else {
      if (sums.cc <= 0) return std::nullopt;
      model.cooling_slope = sums.cy / sums.cc;
    }
    model.intercept = mean_ - model.heating_slope * sums.mean_h - model.cooling_slope * sums.mean_c;
    if (model.intercept < 0 || model.heating_slope < 0 || model.cooling_slope < 0)
      return std::nullopt;
    model.coefficients = 1 + (heating != nullptr) + (cooling != nullptr);
    finish(model, heating, cooling);
    return model;
  }

 private:
  struct Sums {
    double mean_h = 0, mean_c = 0, hh = 0, cc = 0, hc = 0, hy = 0, cy = 0;
  };
  Sums sums_of(const Column* heating, const Column* cooling) const {
    Sums sums;
    if (heating != nullptr) sums.mean_h = mean_of(*heating);
    if (cooling != nullptr) sums.mean_c = mean_of(*cooling);
    for (std::size_t i = 0; i < energy_.size(); ++i) {
      const double h = heating == nullptr ? 0 : (*heating)[i] - sums.mean_h;
      const double c = cooling == nullptr ? 0 : (*cooling)[i] - sums.mean_c;
      const double y = energy_[i] - mean_;
      sums.hh += h * h;
      sums.cc += c * c;
      sums.hc += h * c;
      sums.hy += h * y;
      sums.cy += c * y;
    }
    return sums;
  }
  void finish(WeatherModel& model, const Column* heating, const Column* cooling) const {
    double squares = 0, bias = 0;
    for (std::size_t i = 0; i < energy_.size(); ++i) {
      double error = energy_[i] - model.intercept;
      if (heating != nullptr) error -= model.heating_slope * (*heating)[i];
      if (cooling != nullptr) error -= model.cooling_slope * (*cooling)[i];
      squares += error * error;
      bias += error;
    }
    const auto n = static_cast<double>(energy_.size());
    const auto p = static_cast<double>(model.coefficients);
    model.days = energy_.size();
    model.r2 = total_ > 0 ? 1 - squares / total_ : 0;
    model.r2_adjusted = 1 - (1 - model.r2) * (n - 1) / (n - p);
    model.cvrmse = std::sqrt(squares / (n - p)) / mean_;
    model.nmbe = bias / ((n - p) * mean_);
  }

  Column energy_;
  double mean_ = 0, total_ = 0;
};

}  // namespace

const char* WeatherModel::name() const {
  if (heating_balance && cooling_balance) return "hdd_cdd";
  if (heating_balance) return "hdd_only";
  return cooling_balance ? "cdd_only" : "intercept_only";
}

double WeatherModel::predict(double temperature) const {
  double energy = intercept;
  if (heating_balance) energy += heating_slope * std::max(0.0, *heating_balance - temperature);
  if (cooling_balance) energy += cooling_slope * std::max(0.0, temperature - *cooling_balance);
  return energy;
}

WeatherModel fit_weather_model(std::span<const DailyPoint> points, bool with_cooling) {
  const Fit fit(points);
  Columns columns;
  for (int balance = 0; balance <= kBalanceMax; ++balance) {
    const auto index = static_cast<std::size_t>(balance);
    columns.heating[index] = column_of(points, balance, true);
    if (with_cooling) columns.cooling[index] = column_of(points, balance, false);
  }
  auto best = fit.intercept_only();
  std::size_t qualified = 1;
  const auto consider = [&](std::optional<int> heating, std::optional<int> cooling) {
    const auto column = [](const auto& of_kind, std::optional<int> balance) -> const Column* {
      if (!balance) return nullptr;
      const auto& found = of_kind[static_cast<std::size_t>(*balance)];
      return found ? &*found : nullptr;
    };
    const auto* h = column(columns.heating, heating);
    const auto* c = column(columns.cooling, cooling);
    if ((heating && h == nullptr) || (cooling && c == nullptr)) return;
    auto model = fit.with(h, c);
    if (!model) return;
    ++qualified;
    if (model->r2_adjusted <= best.r2_adjusted) return;
    model->heating_balance = heating;
    model->cooling_balance = cooling;
    best = *model;
  };
  for (int h = 0; h <= kBalanceMax; ++h) consider(h, std::nullopt);
  if (with_cooling) {
    for (int c = 0; c <= kBalanceMax; ++c) consider(std::nullopt, c);
    for (int h = 0; h <= kBalanceMax; ++h)
      for (int c = h; c <= kBalanceMax; ++c) consider(h, c);
  }
  best.qualified = qualified;
  return best;
}

}  // namespace district::kpi
