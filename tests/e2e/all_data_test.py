"""All sets of ../shared/data through signed requests: a building-year, a house with its lighting,
156,824 register readings with an exchange, two lighting circuits; then every reference value."""
import csv
import datetime
import gzip
import unittest
import zoneinfo

import district
from district import ROOT

DATA = ROOT.parent / "shared" / "data"
REFERENCE = DATA / "reference"
TOLERANCE = 1e-5
NOT_KPIS = {"meter_id", "window", "start_utc", "end_utc", "hours_expected", "hours_present", "completeness", "status",
            "peak_at_utc", "degree_days_valid", "degree_days_expected", "hours", "installation_id", "coverage",
            "stream", "unit", "readings"}

SITES = """
tenant = "20"
valid_from = 2010-01-01
[[site]]
source = "BCN-SCHOOL"
site_id = "SCHOOL"
site_zone = "Europe/Madrid"
co2_factor_kg_per_kwh = 0.25
[[meter]]
source = "BCN-SCHOOL"
at_site = "SCHOOL"
floor_area_m2 = 4200
[[meter]]
source = "BCN-HOUSE-LIGHTS"
medium = "lighting"
floor_area_m2 = 280
"""


def reference(name):
    with open(REFERENCE / name, newline="") as file:
        return list(csv.DictReader(file))


def rows_of(name):
    with gzip.open(DATA / name, "rt", newline="") as file:
        return list(csv.DictReader(file))


def local_start(zone, window):
    day = datetime.date.fromisoformat(window if len(window) == 10 else window + "-01")
    start = datetime.datetime(day.year, day.month, day.day, tzinfo=zoneinfo.ZoneInfo(zone))
    return start.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class AllDataTest(unittest.TestCase):
    def setUp(self):
        if not REFERENCE.is_dir():
            self.skipTest(f"the pilots' data is not there: no folder {DATA}")
        self.district = self.enterContext(district.District())

    def send(self, tenant, *arguments):
        self.district.gateway(tenant, "--messages-per-envelope", "500", *arguments, timeout=1500)

    def compare(self, row, expected, what):
        if expected == "":
            self.assertEqual(row["value"], "", what)
            return
        self.assertNotEqual(row["value"], "", what)
        expected = float(expected)
        self.assertAlmostEqual(float(row["value"]), expected, msg=what, delta=abs(expected) * TOLERANCE + 1e-6)

    def compare_rows(self, tenant, window, zone, rows, **options):
        kpis = self.district.kpis(tenant, window, **options)
        for row in rows:
            start = row.get("start_utc") or local_start(zone, row["window"])
            for column in row.keys() - NOT_KPIS:
                self.compare(kpis[(start, column)], row[column], f"{row['window']} {column}")

    def test_everything(self):
        sites = self.district.folder / "sites.toml"
        sites.write_text(SITES)
        self.district.ctl("site", "import", sites)
        self.send("20", DATA / "barcelona" / "school_2018.csv.gz")
        self.send("20", DATA / "barcelona" / "house_2016.csv.gz")
        self.send("20", DATA / "barcelona" / "house_2016_lighting.csv.gz")
        self.send("30", DATA / "eibar" / "installations.json")
        self.send("30", DATA / "eibar" / "lighting_power_2018.csv.gz")
        self.send("10", "--source", "KAL-1", DATA / "kalundborg" / "meters.csv")
        self.send("10", "--source", "KAL-1", DATA / "kalundborg" / "exchanges.csv")
        self.send("10", "--source", "KAL-1", DATA / "kalundborg" / "registers.csv.gz")
        self.district.ctl("status", "--wait", "1500", timeout=1600)

        for kind in ("day", "month"):
            self.compare_rows("20", kind, "Europe/Madrid", reference(f"school_2018-03_{kind}.csv"), source="BCN-SCHOOL")
            self.compare_rows("30", kind, "Europe/Madrid", reference(f"eibar_L1_2018-03_{kind}.csv"), source="EIB-L1")
            self.compare_rows("10", kind, "Europe/Copenhagen", reference(f"kalundborg_W2_2018-12_{kind}.csv"),
                              source="KAL-1", meter="KAL-W2")
        self.compare_rows("20", "month", "Europe/Madrid", reference("house_2016-05_comfort.csv"), source="BCN-HOUSE")

        # Totals over all of the data, computed from the files alone.
        school = sum(float(row["energy_kwh"]) for row in rows_of("barcelona/school_2018.csv.gz"))
        year = self.district.kpis("20", "year", source="BCN-SCHOOL")
        start = local_start("Europe/Madrid", "2018-01-01")
        self.assertAlmostEqual(float(year[(start, "energy_kwh")]["value"]), school, delta=1e-6 * school)
        hours = len(rows_of("barcelona/school_2018.csv.gz"))
        self.assertAlmostEqual(float(year[(start, "eui_kwh_m2a")]["value"]), school * 8760 / hours / 4200, delta=1e-6)
        lights = rows_of("barcelona/house_2016_lighting.csv.gz")
        total = sum(float(row["energy_kwh"]) for row in lights)
        leni = self.district.kpis("20", "year", source="BCN-HOUSE-LIGHTS")
        start = local_start("Europe/Madrid", "2016-01-01")
        self.assertAlmostEqual(float(leni[(start, "leni_annualised_kwh_m2a")]["value"]),
                               total / 280 * 8760 / len(lights), delta=1e-6)
        # The heat meter was exchanged in June 2019: the month is the new one's, and whole.
        june = self.district.kpis("10", "month", source="KAL-1", meter="KAL-H9001")
        exchanged = june[(local_start("Europe/Copenhagen", "2019-06-01"), "consumption")]
        self.assertEqual((exchanged["meter_exchanged"], exchanged["value"] != ""), ("true", True))
        self.district.ctl("kpi", "recompute", "--from", "2018-03-01", "--to", "2018-04-01", timeout=1500)
        self.district.ctl("audit", "replay", timeout=1500)


if __name__ == "__main__":
    district.main()
