"""kill -9 during a stream of requests, again and again: every receipt that a client got is in the
archive with the same digest, its root agrees with the log, and the quantifier catches up."""
import base64
import hashlib
import json
import os
import random
import subprocess
import threading
import time
import unittest

import district
from district import BIN, PILOTS, TENANTS

ROUNDS = int(os.environ.get("DISTRICT_KILL_ROUNDS", "20"))


class Stream(threading.Thread):
    """A gateway that sends until it is told to stop; keeps what it sent beside its receipts."""

    def __init__(self, server, tenant, file, number):
        super().__init__()
        self.server, self.tenant, self.file = server, tenant, file
        self.receipts = server.folder / f"receipts-{number}.jsonl"
        self.stopping = threading.Event()

    def run(self):
        pilot = TENANTS[self.tenant]
        source = ["--source", "KAL-1"] if self.tenant == "10" else []
        while not self.stopping.is_set():
            subprocess.run(
                [BIN / "district-gateway", "send", "--url", self.server.url, "--tenant", self.tenant,
                 "--certificate", self.server.certificate(pilot), "--key", self.server.key(pilot),
                 "--ca", self.server.pki / "ca.pem", "--receipts", self.receipts, *source,
                 "--retry-for", "0", "--messages-per-envelope", "8", self.file],
                capture_output=True, stdin=subprocess.DEVNULL, timeout=120)


class KillTest(unittest.TestCase):
    def test_every_receipt_is_kept(self):
        chance = random.Random(20260115)
        with district.District() as server:
            for round_number in range(ROUNDS):
                streams = [Stream(server, "20", PILOTS / "barcelona_school_2018-03.csv.gz", f"{round_number}-a"),
                           Stream(server, "30", PILOTS / "eibar_L1_2018-03.csv.gz", f"{round_number}-b"),
                           Stream(server, "10", PILOTS / "kalundborg_W2_2018-12.csv.gz", f"{round_number}-c")]
                for stream in streams:
                    stream.start()
                time.sleep(chance.uniform(0.3, 1.5))
                server.kill()
                for stream in streams:
                    stream.stopping.set()
                for stream in streams:
                    stream.join()
                server.start()
                for stream in streams:
                    if stream.receipts.exists():
                        server.ctl("log", "verify", "--receipt", stream.receipts)
            server.wait_for_kpis()
            self.check_receipts(server)
            status = server.ctl_json("status")
            self.assertEqual(status["workFailed"], 0, status)
            server.ctl("audit", "replay")

    def check_receipts(self, server):
        stored = {row["receiptId"]: row for row in server.ctl_json("envelope", "list", "--limit", "1000000")}
        checked = 0
        for file in sorted(server.folder.glob("receipts-*.jsonl")):
            for line in file.read_text().splitlines():
                receipt = json.loads(line)
                self.assertIn(receipt["receiptId"], stored)
                self.assertEqual(stored[receipt["receiptId"]]["payloadDigest"], receipt["payloadDigest"])
                if checked % 50 == 0:
                    raw = subprocess.run([BIN / "districtctl", "--data", server.data, "envelope", "show",
                                          receipt["receiptId"], "--raw"], capture_output=True, check=True).stdout
                    self.assertEqual(base64.b64encode(hashlib.sha256(raw).digest()).decode(), receipt["payloadDigest"])
                checked += 1
        self.assertGreater(checked, ROUNDS, "hardly anything was accepted before the kills")
        print(f"{checked} receipts of {ROUNDS} rounds are all in the archive")


if __name__ == "__main__":
    district.main()
