"""What the field's mess has to come to, end to end: the small inputs of ../shared/cases beside the
project, where they are, and others of the same kinds that are made here. What each input is about is
in the README of its folder."""
import datetime
import os
import signal
import ssl
import socket
import tempfile
import pathlib
import time
import unittest

import district
from district import BIN, ROOT, District

CASES = ROOT.parent / "shared" / "cases"
AT = "2026-11-30T02:32:57Z"  # when the signed messages of the cases were made
HOUR = datetime.timedelta(hours=1)
FIRST = datetime.datetime(2024, 8, 31, 22)  # 1 September in Copenhagen and Madrid


def instant(hours):
    return (FIRST + hours * HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")


def case(*names):
    file = CASES.joinpath(*names)
    if not file.exists():
        raise unittest.SkipTest(f"{file} is not there: the case's own input was not tried")
    return file


def registers(values):
    """One reading an hour, from the start of the day; None: none."""
    return "meter_id,read_at_utc,register\n" + "".join(
        f"M1,{instant(hour)},{value}\n" for hour, value in enumerate(values) if value is not None)


def amounts(values, meter="M"):
    return "meter_id,period_start_utc,period_end_utc,energy_kwh\n" + "".join(
        f"{meter},{instant(hour)},{instant(hour + 1)},{value}\n" for hour, value in enumerate(values))


def counting(**wrong):
    """25 readings, 24 kWh, but for those at the places named h3=..."""
    values = [5000 + hour for hour in range(25)]
    for place, value in wrong.items():
        values[int(place[1:])] = value
    return values


class FieldCasesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.district = cls.enterClassContext(District())
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        meters = cls.folder / "meters.csv"
        meters.write_text("meter_id,medium,unit,register_modulus\nM1,power,kWh,100000\n")
        cls.meters = meters

    def send(self, tenant, content, *options):
        """The result of district-gateway, for a file or the content of one."""
        file = content
        if not isinstance(content, pathlib.Path):
            file = self.folder / "content.csv"
            file.write_text(content)
        return self.district.gateway(tenant, "--retry-for", "0", *options, file)

    def day_of(self, tenant, source, kpi):
        self.district.wait_for_kpis()
        rows = self.district.kpis(tenant, "day", source=source, kpi=kpi)
        return rows[(instant(0), kpi)]

    # -- registers ----------------------------------------------------------------------------

    def consumption(self, source, content):
        self.assertEqual(self.send("10", self.meters, "--source", source).returncode, 0)
        done = self.send("10", content, "--source", source, "--messages-per-envelope", "100")
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.day_of("10", source, "consumption")

    def test_outliers_of_the_cases_take_no_part(self):
        for name in ("too-high", "jitter"):
            row = self.consumption(name, case("register-outlier", f"{name}.csv"))
            self.assertEqual(float(row["value"]), 24, (name, row))

    def test_other_outliers_take_no_part_whatever_comes_with_them(self):
        for name, values in {
                "low": counting(h7=50.07), "zeros": counting(h3=0, h4=0, h5=0),
                "two-high": counting(h6=99999, h7=99998), "high-and-low": counting(h6=90000, h9=1),
                "many": counting(**{f"h{hour}": 77000 for hour in range(8, 20)}),
                "trembles": counting(h4=5003.9, h5=5004.9, h12=5011.9),
                "first-low-then-high": counting(h10=0, h11=64000, h12=0)}.items():
            with self.subTest(name):
                row = self.consumption("OUT-" + name, registers(values))
                self.assertAlmostEqual(float(row["value"]), 24, msg=row)

    def test_a_step_that_nothing_explains_is_never_complete(self):
        reset = counting(**{f"h{hour}": hour - 10 for hour in range(10, 25)})
        row = self.consumption("RESET", registers(reset))
        self.assertEqual(float(row["value"]), 23)  # the step counts nothing
        self.assertNotEqual(row["status"], "complete", row)
        jump = counting(**{f"h{hour}": 55000 + hour for hour in range(12, 25)})
        row = self.consumption("JUMP", registers(jump))
        self.assertNotEqual(row["status"], "complete", row)

    def test_a_bad_reading_at_the_edge_of_a_month_spoils_nothing(self):
        def series(name, first, hours, value):
            start = datetime.datetime.fromisoformat(first)
            rows = [(start + hour * HOUR).strftime("%Y-%m-%dT%H:%M:%SZ") for hour in range(hours)]
            self.consumption(name, "meter_id,read_at_utc,register\n" + "".join(
                f"M1,{at},{value(hour, at)}\n" for hour, at in enumerate(rows)))
            return {(window, start): row for window in ("day", "month") for (start, kpi), row in
                    self.district.kpis("10", window, source=name, kpi="consumption").items()}
        edges = ("2024-08-01T00:00:00Z", "2024-09-30T22:00:00Z", "2024-09-30T23:00:00Z")
        for name, first, hours, value in (
                ("EDGE-1", "2024-07-25T22:00", 1729, lambda i, at: 0 if at in edges else 32000 + i),
                ("EDGE-2", "2024-07-31T22:00", 865,
                 lambda i, _: 0 if i == 0 else 3274 if 744 <= i < 746 else 32000 + i),
                ("EDGE-3", "2024-07-31T22:00", 1488, lambda i, _: 0 if i in (0, 744) else 32000 + i),
                ("EDGE-4", "2024-08-31T22:00", 73, lambda i, _: 0 if i in (0, 24) else 32000 + i)):
            rows = series(name, first, hours, value)
            self.assertTrue(rows)
            right = {"day": 24, "month": 24 * 31}
            for (window, start), row in rows.items():
                if row["status"] == "complete":
                    most = right[window] + 1  # a month may begin or end with a change of the clock
                    self.assertLessEqual(float(row["value"]), most, (name, window, start, row))
                    self.assertGreaterEqual(float(row["value"]), 23 if window == "day" else 24 * 28, row)
            good = [row for (window, _), row in rows.items() if window == "day"
                    and row["status"] == "complete"]
            self.assertGreaterEqual(len(good), hours // 24 - 4, name)

    # -- units --------------------------------------------------------------------------------

    def test_an_hour_in_watt_hours_is_used_for_nothing(self):
        done = self.send("20", case("spike-1000", "day.csv"), "--source", "SPIKE")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.district.wait_for_kpis()
        rows = self.district.kpis("20", "day", kpi="energy_kwh")
        found = [row for row in rows.values() if float(row["value"] or 0) == 34.5]
        self.assertEqual(len(found), 1, rows)
        self.assertEqual(found[0]["implausible"], "1")
        self.assertNotEqual(found[0]["status"], "complete")

    def test_other_mistakes_of_the_unit_are_used_for_nothing(self):
        usual = [0.25 + (hour * 7 % 24) / 10 for hour in range(24)] * 9
        for name, places, factor in (("hour", [200], 1000), ("day", range(192, 216), 1000),
                                     ("low-hour", [195], 1000), ("mwh", [201], 0.001),
                                     ("local-day", range(46, 70), 0.001), ("days", range(72, 144), 1000),
                                     ("two-low", [75, 173], 0.001),
                                     ("three", [40, 101, 203], 1000)):
            with self.subTest(name):
                wrong = list(usual)
                for place in places:
                    wrong[place] = round(usual[place] * factor, 6)
                source = "UNIT-" + name
                self.assertEqual(self.send("20", amounts(wrong, source)).returncode, 0)
                self.district.wait_for_kpis()
                rows = self.district.kpis("20", "day", source=source, kpi="energy_kwh")
                total = sum(float(row["value"] or 0) for row in rows.values())
                right = sum(value for place, value in enumerate(usual) if place not in places)
                self.assertAlmostEqual(total, right, places=6)
                flagged = sum(int(row["implausible"] or 0) for row in rows.values())
                self.assertEqual(flagged, len(places))
                for row in rows.values():
                    if row["implausible"]:
                        self.assertNotEqual(row["status"], "complete", row)

    # -- files --------------------------------------------------------------------------------

    def test_quotes(self):
        for name, word in (("decimal-comma", "1.5"), ("semicolon", ";"), ("utf16", "UTF-16")):
            done = self.send("20", case("csv-quotes", f"{name}.csv"), "--dry-run")
            self.assertEqual(done.returncode, 2, done.stdout)
            self.assertIn(word, done.stderr)
        for name, source in (("doubled", 'Shop "Centre"'), ("comma", "Shop, Centre")):
            done = self.send("20", case("csv-quotes", f"{name}.csv"), "--dry-run")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(f">{source}<", done.stdout)

    def test_columns_that_are_not_sent(self):
        done = self.send("20", case("csv-unknown-column", "misspelt.csv"), "--dry-run")
        for word in ("price_eur_kwh", "quality", "price_eur_per_kwh"):
            self.assertIn(word, done.stderr)

    def test_two_values_for_one_period(self):
        done = self.send("20", case("duplicate-conflict", "conflict.csv"))
        self.assertEqual(done.returncode, 2, done.stderr)
        for word in ("2", "4", "3.5", "0"):  # both lines, both values
            self.assertIn(word, done.stderr)

    # -- messages -----------------------------------------------------------------------------

    def check(self, *arguments):
        return district.run(BIN / "districtctl", "check", *arguments, "--at", AT)

    def test_a_double_with_an_exponent(self):
        done = self.check(case("double-exponent", "request.xml"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_line_end_before_the_declaration(self):
        done = self.check(case("space-before-declaration", "request.xml"))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("white space before the XML declaration", done.stdout + done.stderr)

    def test_references_that_nearly_fit(self):
        certificate = case("key-reference-near-miss", "gateway.pem")
        for name, words in {
                "subject-for-issuer": ("subject", "CN=Field Root,O=Field CA,C=ES"),
                "serial-in-hex": ("hex",), "slashes": ("slash", "CN=Field Root")}.items():
            done = self.check(case("key-reference-near-miss", f"{name}.xml"),
                              "--certificate", certificate)
            self.assertNotEqual(done.returncode, 0, done.stdout)
            for word in words:
                self.assertIn(word, done.stdout + done.stderr, name)

    # -- files of certificates ----------------------------------------------------------------

    def test_files_of_certificates(self):
        def enrol(name):
            return district.run(BIN / "districtctl", "--data", self.district.data, "enrol",
                                "--tenant", "30", case("enrol-chain-order", name))
        for name, word in (("gateway.p7b", "pkcs7"), ("gateway.utf16.pem", "UTF-")):
            done = enrol(name)
            self.assertNotEqual(done.returncode, 0, done.stdout)
            self.assertIn(word, done.stderr)
        for name in ("root-first.pem", "leaf-first.pem"):
            done = enrol(name)
            self.assertNotIn("Some Root", done.stdout)
            if done.returncode != 0:
                self.assertIn("CA:TRUE", done.stderr)

    # -- the wire -----------------------------------------------------------------------------

    def ask(self, request):
        with socket.create_connection(("localhost", self.district.port), timeout=30) as plain:
            with self.district.tls().wrap_socket(plain, server_hostname="localhost") as tls:
                tls.sendall(request)
                answer = b""
                while octets := tls.recv(65536):
                    answer += octets
                return answer.decode()

    def wait_for_log(self, *words):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            lines = self.district.log.read_text().splitlines()
            if any(all(word in line for word in words) for line in lines):
                return
            time.sleep(0.05)
        self.fail(f"no line of the log has {words}")

    def test_what_http_and_tls_refuse_leaves_a_trace(self):
        post = b"POST /services/aggregation HTTP/1.1\r\n"
        for request, rule in (
                (post + b"Host: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "Content-Length"),
                (post + b"Host: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding"),
                (post + b"Content-Length: 0\r\n\r\n", "Host"),
                (post + b"Host: x\r\nContent-Length: five\r\n\r\n", "Content-Length")):
            answer = self.ask(request)
            self.assertRegex(answer.split("\r\n")[0], " (400|501) ")
            self.assertIn(rule, answer.split("\r\n\r\n", 1)[1])
        with socket.create_connection(("localhost", self.district.port), timeout=30) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            while plain.recv(4096):
                pass
        self.wait_for_log("level=info", "HTTP")
        with self.assertRaises(ssl.SSLError):
            with socket.create_connection(("localhost", self.district.port), timeout=30) as plain:
                ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")
        self.wait_for_log("level=info", "unknown ca")


class LogRotationTest(unittest.TestCase):
    def test_sighup_opens_the_log_anew(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            district.checked(ROOT / "certs" / "make-demo-pki", folder / "pki")
            config = folder / "d.toml"
            config.write_text('[data]\nfolder = "data"\n[listen]\nport = 0\n[log]\nfile = "server.log"\n')
            (folder / "data").mkdir()
            log, rotated = folder / "server.log", folder / "server.log.1"
            server = district.subprocess.Popen([BIN / "districtd", "--config", config],
                                               stdin=district.subprocess.DEVNULL,
                                               stdout=district.subprocess.DEVNULL,
                                               stderr=district.subprocess.DEVNULL,
                                               preexec_fn=district._die_with_parent)
            try:
                self.wait(lambda: log.exists() and "https://" in log.read_text())
                os.rename(log, rotated)
                server.send_signal(signal.SIGHUP)
                self.wait(lambda: log.exists() and log.stat().st_size > 0)
            finally:
                server.terminate()
                self.assertEqual(server.wait(timeout=30), 0)

    def wait(self, condition):
        deadline = time.monotonic() + 30
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)


if __name__ == "__main__":
    district.main()
