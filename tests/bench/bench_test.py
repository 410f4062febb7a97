#!/usr/bin/python3
"""tools/bench and tools/simulate-pilots at their smallest: every scenario runs, and its counts are
right. Times are not looked at: they are what the tools measure."""
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("DISTRICT_BIN", ROOT / "build" / "bin"))
sys.path.insert(0, str(ROOT / "tests" / "bench"))
from bench_server import BenchServer  # noqa: E402

SMALL = ("--seconds", "0.3", "--key", "p256", "--bin", BIN)


def tool(name, *arguments):
    return subprocess.run([str(part) for part in (ROOT / "tools" / name, *arguments)],
                          capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)


class BenchTest(unittest.TestCase):
    def bench(self, scenario, *options):
        """The results of a run that must succeed, and leave nothing behind."""
        with tempfile.TemporaryDirectory() as folder:
            done = tool("bench", scenario, *SMALL, "--folder", folder, "--json", "-", *options)
            self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
            self.assertEqual(os.listdir(folder), [])
        report = json.loads(done.stdout)
        self.assertEqual(report["problems"], [])
        self.assertTrue(report["machine"]["cpu"])
        self.assertGreater(report["primitives"]["rsa2048_sign_ms"], 0)
        return report["results"]

    def check_accepted(self, result, messages):
        self.assertEqual(set(result["statuses"]), {"200"})
        self.assertEqual(result["statuses"]["200"], result["accepted"])
        self.assertGreater(result["accepted"], 0)
        self.assertEqual(result["messages_per_envelope"], messages)
        self.assertGreater(result["receipts_verified"], 0)
        self.assertIn("p99_ms", result["latency"])
        if (BIN / "sync-counter.so").exists():
            self.assertGreater(result["server"]["syncs"], 0)

    def test_closed_measures_each_case(self):
        results = self.bench("closed", "--messages", 1, "--messages", 24, "--key", "rsa")
        self.assertEqual([(r["key"], r["messages_per_envelope"]) for r in results],
                         [("p256", 1), ("p256", 24), ("rsa", 1), ("rsa", 24)])
        for result in results:
            self.check_accepted(result, result["messages_per_envelope"])
            self.assertGreater(result["envelope_octets"], 3000)

    def test_connect_makes_a_connection_for_each_envelope(self):
        [result] = self.bench("connect", "--messages", 1)
        self.check_accepted(result, 1)
        # Those under way when the measurement began had theirs before.
        self.assertGreaterEqual(result["handshakes"] + result["connections"], result["accepted"])

    def test_open_sends_all_that_falls_due(self):
        [result] = self.bench("open", "--rate", 40, "--seconds", 1)
        self.assertEqual(result["offered"], 40)
        self.assertEqual(sum(use["accepted"] for use in result["tenants"].values()), 40)
        self.assertEqual(result["ran_out"], 0)

    def test_overload_counts_each_tenant(self):
        even, heavy = self.bench("overload", "--overload-seconds", 1, "--overload-connections", 64)
        for result in (even, heavy):
            self.assertLessEqual(set(result["statuses"]), {"200", "503"})
            self.assertEqual(result["refused_without_retry_after"], 0)
            offered = {tenant: use["offered"] for tenant, use in result["tenants"].items()}
            self.assertEqual(len(offered), 8)
            self.assertEqual(sum(offered.values()), result["offered"])
        self.assertGreater(heavy["tenants"]["B1"]["offered"], heavy["offered"] / 2)
        self.assertLess(even["tenants"]["B1"]["offered"], even["offered"] / 2)

    def test_idle_connections_stay_open(self):
        [result] = self.bench("idle", "--idle", 60)
        self.assertEqual(result["idle_connections"], 60)
        self.assertEqual(result["idle_connections_after"], 60)
        self.check_accepted(result["beside"], 1)

    def test_herd_gets_all_its_receipts(self):
        [result] = self.bench("herd", "--gateways", 40, "--herd-seconds", 1)
        self.check_accepted(result, 1)
        self.assertEqual(result["accepted"], 40)
        self.assertEqual(result["without_receipt"], 0)
        self.assertGreaterEqual(result["handshakes"], 40)

    def test_large_is_accepted_exported_and_quantified(self):
        [result] = self.bench("large", "--megabytes", 2)
        self.check_accepted(result, result["messages_per_envelope"])
        self.assertGreater(result["envelope_octets"], 2_000_000)
        self.assertEqual(result["quantified"]["failed"], 0)
        self.assertEqual(result["exported"]["octets"], result["envelope_octets"])

    def test_quantify_waits_for_the_quantifier(self):
        [result] = self.bench("quantify", "--messages", 1)
        self.check_accepted(result, 1)
        self.assertIn("quantified_after_s", result)

    def test_growth_runs_a_server_on_the_filled_archive(self):
        [result] = self.bench("growth", "--envelopes", 2500, "--turns", 1)
        self.assertEqual(result["filled"]["envelopes"], 2500)
        self.assertGreater(result["filled"]["database_octets_per_envelope"], 500)
        for run in result["runs"]["empty"] + result["runs"]["full"]:
            self.check_accepted(run, 1)

    def test_a_filled_archive_is_intact(self):
        with BenchServer(BIN, preload=False) as server:
            gateways = server.make_gateways("gateways", 2, "p256", {"B1": "barcelona", "B2": "eibar"})
            server.stop()
            subprocess.run([str(part) for part in (
                BIN / "district-bench", "fill", "--url", server.url, "--ca", server.pki / "ca.pem",
                "--gateways", gateways, "--database", server.data / "district.db", "--envelopes",
                1500, "--messages", 2)], check=True, stdout=subprocess.DEVNULL)
            server.ctl("log", "verify")
            self.assertEqual(json.loads(server.ctl("--json", "status"))["envelopes"], 1500)
            self.assertEqual(json.loads(server.ctl("--json", "status"))["workWaiting"], 0)

    def test_wrong_usage_ends_with_2(self):
        for arguments in (["nothing"], ["closed", "--key", "dsa"], ["closed", "--seconds", "0"],
                          ["herd", "--data", "/tmp"]):
            self.assertEqual(tool("bench", *arguments).returncode, 2, arguments)
        self.assertEqual(tool("bench", "--help").returncode, 0)

    def test_an_interrupt_leaves_nothing_behind(self):
        with tempfile.TemporaryDirectory() as folder:
            process = subprocess.Popen(
                [ROOT / "tools" / "bench", "closed", "--seconds", "60", "--key", "p256", "--bin", BIN, "--folder",
                 folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and not list(pathlib.Path(folder).glob("*/gateways*")):
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(timeout=60), 130)
            self.assertEqual(os.listdir(folder), [])
            for command in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.assertNotIn(folder.encode(), command.read_bytes())
                except OSError:
                    pass  # it has ended meanwhile


class SimulationTest(unittest.TestCase):
    def test_the_simulated_pilots_get_the_answers_that_they_expect(self):
        done = tool("simulate-pilots", "--demo", "--bin", BIN, "--gateways", 24, "--seconds", 2,
                    "--speed", 7200, "--faults", 0.7, "--wrong-clocks", 0.1, "--json")
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        result = json.loads(done.stdout)
        self.assertEqual(result["unexpected"], {})
        self.assertEqual(result["gateways"], 24)
        answers = {}
        for outcomes in result["outcomes"].values():
            for outcome, count in outcomes.items():
                answers[outcome] = answers.get(outcome, 0) + count
        self.assertEqual(answers["receipt"], result["acknowledged"])
        for expected in ("FailedCheck", "MessageReplayed", "MessageExpired"):
            self.assertGreater(answers[expected], 0)

    def test_an_acknowledged_envelope_that_is_not_in_the_archive_is_found_out(self):
        loader = importlib.machinery.SourceFileLoader("simulation",
                                                      str(ROOT / "tools" / "simulate-pilots"))
        simulation = importlib.util.module_from_spec(
            importlib.util.spec_from_loader("simulation", loader))
        loader.exec_module(simulation)
        with BenchServer(BIN, preload=False) as server:
            gateways = server.make_gateways("gateways", 3, "p256", simulation.TENANTS)
            receipts = server.folder / "receipts.csv"
            server.drive("simulate", gateways, "--seconds", 1, "--speed", 3600, "--receipts", receipts)
            self.assertEqual(simulation.missing_receipts(server, receipts), [])
            lost = "01JDZZZZZZZZZZZZZZZZZZZZZZ"
            with receipts.open("a") as file:
                file.write(f"SIM-EIBAR,{lost}\n")
            self.assertEqual(simulation.missing_receipts(server, receipts), [lost])

    def test_a_running_server_can_be_used(self):
        with BenchServer(BIN, preload=False) as server:
            done = tool("simulate-pilots", "--url", server.url, "--ca", server.pki / "ca.pem",
                        "--data", server.data, "--bin", BIN, "--gateways", 3, "--seconds", 1)
            self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
            self.assertIn("all as expected", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
