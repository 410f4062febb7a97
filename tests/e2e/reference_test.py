"""KPIs of a month of each pilot, by way of signed requests, against independently computed values.

The values are those of ../shared/data/reference beside the project, or their copies in
tests/data/reference.
"""
import csv
import datetime
import gzip
import unittest

import district
from district import PILOTS, ROOT

SHARED = ROOT.parent / "shared" / "data" / "reference"
REFERENCE = SHARED if SHARED.is_dir() else ROOT / "tests" / "data" / "reference"
TOLERANCE = 1e-5

SCHOOL = PILOTS / "barcelona_school_2018-03.csv.gz"
FIRST_SENT = PILOTS / "barcelona_school_2018-03_first_sent.csv"
MARCH_MADRID = "2018-02-28T23:00:00Z"
DECEMBER_COPENHAGEN = "2018-11-30T23:00:00Z"
# All but co2_kg, for which this sample has no factor.
SCHOOL_KPIS = ("energy_kwh", "energy_estimate_kwh", "cost_eur", "mean_price_eur_kwh", "time_avg_price_eur_kwh",
               "peak_kw", "mean_kw", "load_factor", "base_load_kw", "near_peak_kw", "night_kwh", "night_share",
               "mean_temp_out_c", "hdd18_kd", "cdd21_kd", "hdd_eurostat_kd", "cdd_eurostat_kd", "kwh_per_hdd")
EIBAR_KPIS = ("energy_kwh", "energy_estimate_kwh", "operating_hours", "burning_energy_kwh", "standby_energy_kwh",
              "full_load_hours", "peak_w", "day_burning_hours")


def reference(name):
    with open(REFERENCE / name, newline="") as file:
        return list(csv.DictReader(file))


class ReferenceTest(unittest.TestCase):
    def setUp(self):
        if not REFERENCE.is_dir():
            self.skipTest(f"no reference values: neither {SHARED} nor {REFERENCE} is there")
        self.district = self.enterContext(district.District())

    def kpis(self, tenant, window, **options):
        self.district.wait_for_kpis()
        return self.district.kpis(tenant, window, **options)

    def compare(self, row, expected, what):
        if expected == "":
            self.assertEqual(row["value"], "", what)
            return
        self.assertNotEqual(row["value"], "", what)
        expected = float(expected)
        self.assertAlmostEqual(float(row["value"]), expected, msg=what,
                               delta=abs(expected) * TOLERANCE + 1e-6)

    def compare_school_month(self, name):
        [expected] = reference(name)
        rows = self.kpis("20", "month")
        for kpi in SCHOOL_KPIS:
            if kpi in expected:
                self.compare(rows[(MARCH_MADRID, kpi)], expected[kpi], kpi)
        peak = rows[(MARCH_MADRID, "peak_kw")]
        self.assertEqual(peak["peak_at_utc"], expected["peak_at_utc"])
        if "completeness" in expected:
            energy = rows[(MARCH_MADRID, "energy_kwh")]
            self.assertAlmostEqual(float(energy["completeness"]), float(expected["completeness"]),
                                   delta=1e-5)
            self.assertEqual(energy["status"], expected["status"])

    def first_sent_file(self):
        """The month as it was sent first: eight hours have another energy, at the same price."""
        with open(FIRST_SENT, newline="") as file:
            wrong = {row["period_start_utc"]: row["first_sent_energy_kwh"]
                     for row in csv.DictReader(file)}
        path = self.district.folder / "first_sent.csv"
        with gzip.open(SCHOOL, "rt", newline="") as source, open(path, "w", newline="") as target:
            reader = csv.DictReader(source)
            writer = csv.DictWriter(target, reader.fieldnames)
            writer.writeheader()
            for row in reader:
                row["energy_kwh"] = wrong.get(row["period_start_utc"], row["energy_kwh"])
                writer.writerow(row)
        return path

    def test_school_march_2018_before_and_after_the_resends(self):
        self.district.send("20", "--messages-per-envelope", "120", self.first_sent_file())
        self.compare_school_month("school_2018-03_month_before_resend.csv")
        before = self.district.kpis("20", "month")[(MARCH_MADRID, "energy_kwh")]
        self.district.send("20", "--messages-per-envelope", "120", SCHOOL)
        self.compare_school_month("school_2018-03_month.csv")
        after = self.district.kpis("20", "month")[(MARCH_MADRID, "energy_kwh")]
        self.assertGreater(int(after["revision"]), int(before["revision"]))
        rows = self.kpis("20", "day")
        for day in reference("school_2018-03_day.csv"):
            for kpi in SCHOOL_KPIS:
                if kpi in day:
                    self.compare(rows[(day["start_utc"], kpi)], day[kpi], f"{day['window']} {kpi}")
            energy = rows[(day["start_utc"], "energy_kwh")]
            self.assertEqual(energy["status"], day["status"], day["window"])
        self.check_audit()

    def test_eibar_l1_march_2018(self):
        self.district.send("30", PILOTS / "eibar_installations.json")
        self.district.send("30", "--messages-per-envelope", "500", PILOTS / "eibar_L1_2018-03.csv.gz")
        [month] = reference("eibar_L1_2018-03_month.csv")
        rows = self.kpis("30", "month")
        for kpi in EIBAR_KPIS:
            self.compare(rows[(MARCH_MADRID, kpi)], month[kpi], kpi)
        self.assertEqual(rows[(MARCH_MADRID, "energy_kwh")]["status"], month["status"])
        days = {(local_day(start), kpi): row
                for (start, kpi), row in self.kpis("30", "day").items()}
        for day in reference("eibar_L1_2018-03_day.csv"):
            for kpi in EIBAR_KPIS:
                self.compare(days[(day["window"], kpi)], day[kpi], f"{day['window']} {kpi}")
        # The whole day of the outage: a row, and no value.
        outage = days[("2018-03-10", "energy_kwh")]
        self.assertEqual((outage["value"], outage["status"]), ("", "insufficient"))
        self.check_audit()

    def test_kalundborg_w2_december_2018(self):
        self.district.send("10", "--source", "KAL-1", PILOTS / "kalundborg_meters.csv")
        self.district.send("10", "--source", "KAL-1", "--messages-per-envelope", "400",
                           PILOTS / "kalundborg_W2_2018-12.csv.gz")
        [month] = reference("kalundborg_W2_2018-12_month.csv")
        row = self.kpis("10", "month")[(DECEMBER_COPENHAGEN, "consumption")]
        self.compare(row, month["consumption"], "consumption")
        self.assertEqual((row["meter"], row["unit"], row["status"], row["readings"]),
                         ("KAL-W2", month["unit"], month["status"], month["readings"]))
        days = {local_day(start): row
                for (start, kpi), row in self.kpis("10", "day").items() if kpi == "consumption"}
        for day in reference("kalundborg_W2_2018-12_day.csv"):
            self.compare(days[day["window"]], day["consumption"], day["window"])
            self.assertEqual(days[day["window"]]["status"], day["status"], day["window"])
        self.check_audit()

    def check_audit(self):
        self.district.ctl("log", "verify", "--receipt", self.district.folder / "receipts.jsonl")
        self.district.ctl("audit", "replay")


def local_day(start):
    """The local day that starts at this UTC instant: 22:00 or 23:00 in Madrid and Copenhagen."""
    instant = datetime.datetime.fromisoformat(start.replace("Z", "+00:00"))
    return (instant + datetime.timedelta(hours=2)).date().isoformat()


if __name__ == "__main__":
    district.main()
