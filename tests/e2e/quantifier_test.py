"""What the quantifier does beside the reference: settings, and values without an envelope."""
import sqlite3
import unittest

import district
from district import BIN, PILOTS

SCHOOL = PILOTS / "barcelona_school_2018-03.csv.gz"
MARCH = "2018-02-28T23:00:00Z"


class QuantifierTest(unittest.TestCase):
    def setUp(self):
        self.district = self.enterContext(district.District())

    def test_settings_hold_from_the_next_start_and_for_what_is_recomputed(self):
        self.district.send("20", "--messages-per-envelope", "200", SCHOOL)
        self.district.wait_for_kpis()
        before = self.district.kpis("20", "month")
        settings = self.district.data / "standards.toml"
        settings.write_text("heating_base = 15.5\nnight_start_hour = 23\nnight_hour = 5\n")
        self.district.stop()
        refused = district.run(BIN / "districtd", "--demo", self.district.folder, "--port", "0", timeout=30)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("standards.toml line 3: unknown key 'night_hour'", refused.stderr + self.district.log.read_text())
        settings.write_text("heating_base = 15.5\nnight_start_hour = 23\n")
        self.district.start()
        self.assertEqual(self.district.kpis("20", "month"), before)
        self.district.ctl("kpi", "recompute", "--from", "2018-02-01", "--to", "2018-05-01")
        after = self.district.kpis("20", "month")
        self.assertLess(float(after[(MARCH, "hdd18_kd")]["value"]), float(before[(MARCH, "hdd18_kd")]["value"]))
        self.assertEqual(after[(MARCH, "hdd18_kd")]["base_c"], "15.5")
        self.assertLess(float(after[(MARCH, "night_kwh")]["value"]), float(before[(MARCH, "night_kwh")]["value"]))
        for kpi in ("energy_kwh", "hdd_eurostat_kd"):
            self.assertEqual(after[(MARCH, kpi)], before[(MARCH, kpi)] | {"base_c": ""}, kpi)

    def test_recomputation_removes_what_no_envelope_gives(self):
        self.district.send("20", "--messages-per-envelope", "200", SCHOOL)
        self.district.wait_for_kpis()
        before = self.values()
        self.district.ctl("kpi", "recompute", "--from", "2018-02-20", "--to", "2018-05-01")
        self.assertEqual(self.values(), before)
        # Another value for an hour of March, and hours of April, whose envelope is taken away.
        foreign = self.district.folder / "foreign.csv"
        foreign.write_text("meter_id,period_start_utc,energy_kwh\nBCN-SCHOOL,2018-03-07T10:00:00Z,1\n"
                           "BCN-SCHOOL,2018-04-07T10:00:00Z,2\nBCN-OTHER,2018-04-07T10:00:00Z,2\n")
        [receipt] = self.district.send("20", foreign)
        self.district.wait_for_kpis()
        self.assertNotEqual(self.values(), before)
        self.district.stop()
        with sqlite3.connect(self.district.data / "district.db") as database:
            database.execute("DELETE FROM envelope WHERE receipt_id = ?", (receipt["receiptId"],))
        database.close()
        self.district.start()
        said = self.district.ctl("kpi", "recompute", "--from", "2018-02-20", "--to", "2018-05-01")
        self.assertIn("0 values restored, 3 removed", said)
        self.assertEqual(self.values(), before)
        again = self.district.ctl("kpi", "recompute", "--from", "2018-02-20", "--to", "2018-05-01")
        self.assertIn("0 values restored, 0 removed", again)
        self.assertIn(" 0 values changed", again)

    def values(self):
        """{(source, window, start, KPI): (value, completeness, status)} of all windows."""
        result = {}
        known = {meter["source"] for meter in self.district.ctl_json("site", "list", "--tenant", "20")}
        for window in ("hour", "day", "month", "year"):
            for source in sorted(known):
                for (start, kpi), row in self.district.kpis("20", window, source=source).items():
                    result[(source, window, start, kpi)] = (row["value"], row["completeness"], row["status"])
        return result


if __name__ == "__main__":
    district.main()
