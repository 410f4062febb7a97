"""The KPIs once more, from their definitions alone and from files, to hold the server's against.

Slow and simple on purpose: one pass over a window's own values for each window, no state, nothing
shared with the server but the definitions. Values are {(source, meter, KPI, window kind, start as
a datetime): Expected}.
"""
import bisect
import datetime
import math
import typing
import zoneinfo

HOUR = datetime.timedelta(hours=1)
TICK = datetime.timedelta(microseconds=1)
KINDS = ("hour", "day", "month", "year")
HOLD = datetime.timedelta(minutes=30)
GAP_MAX = datetime.timedelta(hours=6)
CATEGORIES = {"I": ((21, 25), (23.5, 25.5), (-3, 2)), "II": ((20, 25), (23, 26), (-4, 3)),
              "III": ((18, 25), (22, 27), (-5, 4)), "IV": ((17, 25), (21, 28), None)}
RUNNING_MEAN = (1, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2)


class Expected(typing.NamedTuple):
    value: float | None
    completeness: float
    status: str
    end: datetime.datetime
    attributes: dict


class Meter(typing.NamedTuple):
    """Hourly values of a meter of the second pilot, by the start of their hour."""
    source: str
    zone: str
    energy: dict
    price: dict
    indoor: dict
    outdoor: dict
    area: float | None = None
    co2_factor: float | None = None
    lighting: bool = False


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def hours_of(length):
    return length.total_seconds() / 3600


def percentile(values, share):
    """Hyndman-Fan type 7."""
    values = sorted(values)
    position = (len(values) - 1) * share
    below = math.floor(position)
    return values[below] + (position - below) * (values[min(below + 1, len(values) - 1)] - values[below])


def status_of(completeness):
    return "complete" if completeness >= 1 else "partial" if completeness >= 0.9 else "insufficient"


def divided(part, whole):
    return None if part is None or not whole else part / whole


class Calendar:
    def __init__(self, name):
        self.zone = zoneinfo.ZoneInfo(name)

    def local(self, at):
        return at.astimezone(self.zone)

    def at(self, day, hour=0):
        return datetime.datetime(day.year, day.month, day.day, hour, tzinfo=self.zone).astimezone(datetime.timezone.utc)

    def window(self, kind, at):
        if kind == "hour":
            start = at.replace(minute=0, second=0, microsecond=0)
            return start, start + HOUR
        day = self.local(at).date()
        if kind == "day":
            return self.at(day), self.at(day + datetime.timedelta(1))
        first = day.replace(day=1) if kind == "month" else day.replace(month=1, day=1)
        following = (first + datetime.timedelta(31 if kind == "month" else 366)).replace(day=1)
        return self.at(first), self.at(following)

    def windows(self, kind, first, last):
        start, end = self.window(kind, first)
        while start <= last:
            yield start, end
            start, end = self.window(kind, end)


def each_hour(start, end):
    while start < end:
        yield start
        start += HOUR


def daily_means(calendar, outdoor, start, end):
    """[(local day's start, mean or None)]: of days with half of their hours."""
    days = []
    for day, after in calendar.windows("day", start, end - TICK):
        values = [outdoor[hour] for hour in each_hour(day, after) if hour in outdoor]
        enough = values and 2 * len(values) >= hours_of(after - day)
        days.append((day, sum(values) / len(values) if enough else None))
    return days


class Sheet:
    """What one source and meter give, in a window after the other."""

    def __init__(self, results, source, meter=""):
        self.results, self.source, self.meter = results, source, meter

    def open(self, kind, start, end):
        self.kind, self.start, self.end = kind, start, end

    def put(self, kpi, value, completeness, status=None, **attributes):
        self.results[(self.source, self.meter, kpi, self.kind, self.start)] = Expected(
            value, completeness, status or status_of(completeness), self.end, attributes)

    def put_null(self, kpi, completeness=0.0):
        """Lacks master data or a quantity."""
        self.put(kpi, None, completeness, "insufficient")


# -- metered energy, weather, comfort ---------------------------------------------------------------

def metered_energy(results, meter):
    calendar, sheet = Calendar(meter.zone), Sheet(results, meter.source)
    for kind in KINDS:
        for start, end in calendar.windows(kind, min(meter.energy), max(meter.energy)):
            sheet.open(kind, start, end)
            energy_window(sheet, calendar, meter)
    if meter.outdoor:
        weather(sheet, calendar, meter.outdoor)
    if meter.indoor:
        comfort(sheet, calendar, meter.indoor, meter.outdoor)


def energy_window(sheet, calendar, meter):
    kind, length = sheet.kind, hours_of(sheet.end - sheet.start)
    present = [(hour, meter.energy[hour]) for hour in each_hour(sheet.start, sheet.end) if hour in meter.energy]
    completeness = len(present) / length
    total = sum(energy for _, energy in present) if present else None
    peak = max(present, key=lambda value: value[1]) if present else None  # the first on ties
    of_day = kind != "hour"
    sheet.put("energy_kwh", total, completeness,
              **({"hours_present": len(present), "hours_expected": length} if of_day else {}))
    sheet.put("peak_kw", peak and peak[1], completeness, **({"peak_at_utc": peak[0]} if of_day and peak else {}))
    sheet.put("load_factor", divided(total / len(present), peak[1]) if present else None, completeness)
    if meter.co2_factor is not None:
        sheet.put("co2_kg", None if total is None else total * meter.co2_factor, completeness)
    elif of_day:
        sheet.put_null("co2_kg")
    costs(sheet, meter, present, length)
    if not of_day:
        return
    estimate = total / completeness if completeness >= 0.9 else None
    night = [energy for hour, energy in present if not 6 <= calendar.local(hour).hour < 22]
    sheet.put("energy_estimate_kwh", estimate, completeness)
    sheet.put("mean_kw", divided(total, len(present)), completeness)
    sheet.put("night_kwh", sum(night) if present else None, completeness)
    sheet.put("night_share", divided(sum(night), total), completeness)
    if kind != "year":
        sheet.put("availability", completeness, completeness)
    if kind != "day":
        months_only(sheet, calendar, meter, [energy for _, energy in present], completeness)
    if kind == "year":
        area_figure(sheet, "eui_kwh_m2a", estimate, meter.area, completeness)
        if meter.lighting:
            area_figure(sheet, "leni_kwh_m2a", estimate, meter.area, completeness)


def costs(sheet, meter, present, length):
    priced = [(energy, meter.price[hour]) for hour, energy in present if hour in meter.price]
    cost = sum(energy * price for energy, price in priced) if priced else None
    if meter.price or sheet.kind != "hour":
        sheet.put("cost_eur", cost, len(priced) / length)
        sheet.put("mean_price_eur_kwh", divided(cost, sum(energy for energy, _ in priced)), len(priced) / length)
    if sheet.kind != "hour":
        prices = [meter.price[hour] for hour in each_hour(sheet.start, sheet.end) if hour in meter.price]
        sheet.put("time_avg_price_eur_kwh", divided(sum(prices), len(prices)), len(prices) / length)


def months_only(sheet, calendar, meter, energies, completeness):
    sheet.put("base_load_kw", percentile(energies, 0.025) if energies else None, completeness)
    sheet.put("near_peak_kw", percentile(energies, 0.975) if energies else None, completeness)
    if meter.outdoor:
        days = daily_means(calendar, meter.outdoor, sheet.start, sheet.end)
        valid = [mean for _, mean in days if mean is not None]
        degree_days = sum(max(0, 18 - mean) for mean in valid)
        enough = completeness >= 0.9 and len(valid) >= 0.9 * len(days) and degree_days >= 20
        sheet.put("kwh_per_hdd", sum(energies) / degree_days if enough else None, completeness)
    else:
        sheet.put_null("kwh_per_hdd", completeness)
    if meter.lighting:
        intensity = sum(energies) / meter.area if energies else None
        sheet.put("lighting_energy_intensity_kwh_m2", intensity, completeness)
        sheet.put("leni_annualised_kwh_m2a", intensity * 8760 / len(energies) if energies else None, completeness)


def area_figure(sheet, kpi, estimate, area, completeness):
    if area is None:
        sheet.put_null(kpi, completeness)
    else:
        sheet.put(kpi, None if estimate is None else estimate / area, completeness)


def weather(sheet, calendar, outdoor):
    for kind in ("day", "month", "year"):
        for start, end in calendar.windows(kind, min(outdoor), max(outdoor)):
            sheet.open(kind, start, end)
            days = daily_means(calendar, outdoor, start, end)
            valid = [mean for _, mean in days if mean is not None]
            figures = {"mean_temp_out_c": divided(sum(valid), len(valid)) or 0.0,
                       "hdd18_kd": sum(max(0, 18 - mean) for mean in valid),
                       "cdd21_kd": sum(max(0, mean - 21) for mean in valid),
                       "hdd_eurostat_kd": sum(18 - mean for mean in valid if mean <= 15),
                       "cdd_eurostat_kd": sum(mean - 21 for mean in valid if mean >= 24)}
            for kpi, value in figures.items():
                sheet.put(kpi, value if valid else None, len(valid) / len(days),
                          valid_days=len(valid), expected_days=len(days))


def comfort(sheet, calendar, indoor, outdoor):
    days = dict(daily_means(calendar, outdoor, min(outdoor), max(outdoor) + TICK))
    for start, end in calendar.windows("month", min(indoor), max(indoor)):
        sheet.open("month", start, end)
        values = [(hour, indoor[hour]) for hour in each_hour(start, end) if hour in indoor]
        within = dict.fromkeys(CATEGORIES, 0)
        adaptive = dict.fromkeys(("I", "II", "III"), 0)
        below, above, applicable = [], [], 0
        for hour, value in values:
            day = calendar.local(hour).date()
            season = 1 if 5 <= day.month <= 9 else 0
            for name, limits in CATEGORIES.items():
                within[name] += limits[season][0] <= value <= limits[season][1]
            low, high = CATEGORIES["II"][season]
            below.append(max(0, low - value))
            above.append(max(0, value - high))
            before = [days.get(calendar.at(day - datetime.timedelta(back))) for back in range(1, 8)]
            if None in before:
                continue
            running = sum(weight * mean for weight, mean in zip(RUNNING_MEAN, before)) / 3.8
            if not 10 <= running <= 30:
                continue
            applicable += 1
            neutral = 0.33 * running + 18.8
            for name in adaptive:
                low, high = CATEGORIES[name][2]
                adaptive[name] += neutral + low <= value <= neutral + high
        outside = sum(degrees > 0 for degrees in below + above)
        figures = {"mean_temp_in_c": sum(value for _, value in values) / max(1, len(values)),
                   **{f"hours_within_{name}": count for name, count in within.items()},
                   "hours_below_II": sum(degrees > 0 for degrees in below),
                   "hours_above_II": sum(degrees > 0 for degrees in above),
                   "deg_hours_below_II": sum(below), "deg_hours_above_II": sum(above),
                   "percent_outside_II": 100 * outside / max(1, len(values)),
                   "adaptive_hours_applicable": applicable,
                   **{f"adaptive_hours_within_{name}": count for name, count in adaptive.items()}}
        length = hours_of(end - start)
        for kpi, value in figures.items():
            sheet.put(kpi, value if values else None, len(values) / length,
                      hours_present=len(values), hours_expected=length)


# -- street lighting --------------------------------------------------------------------------------

def street_lighting(results, source, samples, installation):
    calendar, sheet = Calendar("Europe/Madrid"), Sheet(results, source)
    starts = sorted(samples)
    parts = [(start, min(start + HOLD, after), samples[start])
             for start, after in zip(starts, starts[1:] + [starts[-1] + HOLD])]
    for kind in KINDS:
        for start, end in calendar.windows(kind, starts[0], parts[-1][1] - TICK):
            sheet.open(kind, start, end)
            first = max(0, bisect.bisect_right(starts, start) - 3)  # no sample reaches further
            inside = []
            for begin, until, power in parts[first:bisect.bisect_left(starts, end)]:
                if min(until, end) > max(begin, start):
                    inside.append((max(begin, start), min(until, end), power))
            received = bisect.bisect_left(starts, end) - bisect.bisect_left(starts, start)
            lighting_window(sheet, calendar, inside, received, installation)


def lighting_window(sheet, calendar, inside, received, installation):
    length, kind = hours_of(sheet.end - sheet.start), sheet.kind
    covered = sum(hours_of(until - begin) for begin, until, _ in inside)
    completeness = round(covered / length, 12)
    energy = sum(power * hours_of(until - begin) / 1000 for begin, until, power in inside)
    lit = [part for part in inside if part[2] > installation["on_threshold_w"]]
    burning = sum(power * hours_of(until - begin) / 1000 for begin, until, power in lit)
    installed = (installation["luminaires"] * installation["system_power_w_per_luminaire"]
                 + installation["additional_power_w"])
    area = sum(part["area_m2"] for part in installation["areas"])

    def put(kpi, value):
        sheet.put(kpi, value if inside else None, completeness)

    put("energy_kwh", energy)
    put("operating_hours", sum(hours_of(until - begin) for begin, until, _ in lit))
    if kind == "hour":
        return
    sheet.put("energy_estimate_kwh", energy / completeness if completeness >= 0.9 else None, completeness)
    put("burning_energy_kwh", burning)
    put("standby_energy_kwh", energy - burning)
    put("full_load_hours", energy * 1000 / installed)
    put("peak_w", max((power for _, _, power in inside), default=0))
    put("day_burning_hours", sum(daylight(calendar, begin, until) for begin, until, _ in lit))
    if kind != "day":
        lux_area = sum(part["area_m2"] * part["maintained_illuminance_lx"] for part in installation["areas"])
        put("pdi_w_per_lx_m2", installed / lux_area)
    if kind == "year":
        sheet.put("aeci_kwh_m2", energy / (completeness * area) if completeness >= 0.9 else None, completeness)
    else:
        sheet.put("availability", received / (4 * length), received / (4 * length))


def daylight(calendar, begin, until):
    """Hours of [begin, until) from 10 to 16 of the local day."""
    day = calendar.local(begin).date()
    return max(0.0, hours_of(min(until, calendar.at(day, 16)) - max(begin, calendar.at(day, 10))))


# -- registers --------------------------------------------------------------------------------------

def register(results, source, meter, chains, modulus=None, rows_of=None):
    """`chains`: readings [(instant, register)] of one meter after the other; the next begins where
    the last ends. `rows_of(end of the window)`: the meter whose row has it."""
    calendar = Calendar("Europe/Copenhagen")
    times, sums, readings = [chains[0][0][0]], [0.0], sorted({at for chain in chains for at, _ in chain})
    for chain in chains:
        for (_, before), (at, after) in zip(chain, chain[1:]):
            growth = after - before
            if growth < 0:
                growth = growth + modulus if modulus and growth + modulus <= modulus / 2 else 0
            times.append(at)
            sums.append(sums[-1] + growth)

    def accumulated(at):
        """(sum, gap around the instant), linear between two readings."""
        after = bisect.bisect_left(times, at)
        if after < len(times) and times[after] == at:
            return sums[after], datetime.timedelta(0)
        if after in (0, len(times)):
            return None, None
        gap = times[after] - times[after - 1]
        return sums[after - 1] + (at - times[after - 1]) / gap * (sums[after] - sums[after - 1]), gap

    for kind in KINDS:
        for start, end in calendar.windows(kind, times[0], times[-1]):
            sheet = Sheet(results, source, rows_of(end) if rows_of else meter)
            sheet.open(kind, start, end)
            (begin, gap_at_begin), (finish, gap_at_end) = accumulated(start), accumulated(end)
            covered, pair = datetime.timedelta(0), max(0, bisect.bisect_right(times, start) - 1)
            while pair + 1 < len(times) and times[pair] < end:
                if times[pair + 1] - times[pair] <= GAP_MAX:
                    covered += max(datetime.timedelta(0), min(times[pair + 1], end) - max(times[pair], start))
                pair += 1
            count = bisect.bisect_left(readings, end) - bisect.bisect_left(readings, start)
            if begin is None or finish is None:
                value, status = None, "insufficient"
            else:
                value = finish - begin
                status = "estimated" if max(gap_at_begin, gap_at_end) > GAP_MAX else "complete"
            sheet.put("consumption", value, covered / (end - start), status, readings=count)


# -- the weather model ------------------------------------------------------------------------------

def weather_model(energy, outdoor, baseline, reporting, cooling):
    """CalTRACK daily of UTC days: {KPI: value}, with `model`. Periods are (first day, last day)."""
    points = daily_points(energy, outdoor, baseline)
    model = best_model(points, cooling)
    heating, cooling_at = model["balance"]
    count, mean = len(points), sum(value for value, _ in points) / len(points)
    free = count - len(model["coefficients"])
    figures = {"model": {(True, False): "hdd_only", (False, True): "cdd_only", (True, True): "hdd_cdd",
                         (False, False): "intercept_only"}[(heating is not None, cooling_at is not None)],
               "heating_bp_c": heating, "cooling_bp_c": cooling_at, "intercept": model["coefficients"][0],
               "beta_hdd": None if heating is None else model["coefficients"][1],
               "beta_cdd": None if cooling_at is None else model["coefficients"][-1],
               "r2": model["r2"], "r2_adj": model["adjusted"], "n_days": count,
               "n_coef": len(model["coefficients"]), "candidates_qualified": model["qualified"],
               "cvrmse": math.sqrt(model["squares"] / free) / mean,
               "normalised_baseline_kwh": sum(predicted(model, mean_of_day) for _, mean_of_day in points)}
    report = daily_points(energy, outdoor, reporting)
    actual = sum(value for value, _ in report)
    forecast = sum(predicted(model, temperature) for _, temperature in report)
    squares = sum((value - predicted(model, temperature)) ** 2 for value, temperature in report)
    free, mean = len(report) - len(model["coefficients"]), actual / len(report)
    return figures | {"reporting_days": len(report), "reporting_actual": actual, "reporting_predicted": forecast,
                      "avoided_energy": forecast - actual, "reporting_nmbe_pct": 100 * (actual - forecast) / free / mean,
                      "reporting_cvrmse_pct": 100 * math.sqrt(squares / free) / mean}


def daily_points(energy, outdoor, period):
    calendar, points = Calendar("UTC"), []
    start, end = (calendar.at(datetime.date.fromisoformat(day)) for day in period)
    means = dict(daily_means(calendar, outdoor, start, end + 24 * HOUR))
    for day, mean in means.items():
        values = [energy[hour] for hour in each_hour(day, day + 24 * HOUR) if hour in energy]
        if len(values) >= 12 and mean is not None:
            points.append((sum(values) / len(values) * 24, mean))
    return points


def best_model(points, cooling):
    energies, temperatures = [value for value, _ in points], [mean for _, mean in points]

    def column(balance, sign):
        degrees = [max(0, sign * (balance - mean)) for mean in temperatures]
        enough = sum(value > 0 for value in degrees) >= 10 and sum(degrees) >= 100 / 9
        return degrees if enough else None

    heats = {balance: column(balance, 1) for balance in range(33)}
    colds = {balance: column(balance, -1) for balance in range(33)} if cooling else {}
    candidates = [((heat, None), [heats[heat]]) for heat in heats]
    candidates += [((None, cold), [colds[cold]]) for cold in colds]
    candidates += [((heat, cold), [heats[heat], colds[cold]]) for heat in heats for cold in colds if cold >= heat]
    mean, count = sum(energies) / len(energies), len(energies)
    total = sum((energy - mean) ** 2 for energy in energies)
    best = {"balance": (None, None), "coefficients": [mean], "r2": 0, "adjusted": 0, "squares": total}
    qualified = 1
    for balance, columns in candidates:
        coefficients = None if None in columns else least_squares(columns, energies)
        if coefficients is None or min(coefficients) < 0:
            continue
        qualified += 1
        squares = sum((energy - sum(c * x for c, x in zip(coefficients, (1, *row)))) ** 2
                      for energy, row in zip(energies, zip(*columns)))
        r2 = 1 - squares / total
        adjusted = 1 - (1 - r2) * (count - 1) / (count - len(coefficients))
        if adjusted > best["adjusted"]:
            best = {"balance": balance, "coefficients": coefficients, "r2": r2, "adjusted": adjusted,
                    "squares": squares}
    return best | {"qualified": qualified}


def least_squares(columns, energies):
    """Normal equations by elimination with pivots; None: singular."""
    rows = [(1.0, *row) for row in zip(*columns)]
    size = len(columns) + 1
    system = [[sum(row[i] * row[j] for row in rows) for j in range(size)]
              + [sum(row[i] * energy for row, energy in zip(rows, energies))] for i in range(size)]
    for i in range(size):
        pivot = max(range(i, size), key=lambda j: abs(system[j][i]))
        system[i], system[pivot] = system[pivot], system[i]
        if abs(system[i][i]) < 1e-9:
            return None
        for j in range(size):
            if j != i:
                factor = system[j][i] / system[i][i]
                system[j] = [a - factor * b for a, b in zip(system[j], system[i])]
    return [system[i][size] / system[i][i] for i in range(size)]


def predicted(model, temperature):
    heating, cooling = model["balance"]
    value = model["coefficients"][0]
    if heating is not None:
        value += model["coefficients"][1] * max(0, heating - temperature)
    if cooling is not None:
        value += model["coefficients"][-1] * max(0, temperature - cooling)
    return value
