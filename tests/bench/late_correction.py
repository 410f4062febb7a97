#!/usr/bin/python3
"""How long after a late correction is in the archive are the new KPI values there?

usage: late_correction.py HISTORY.db [--meters N] [--years N] [--count N] [--bin FOLDER]

HISTORY.db: what `quantify-bench --history HISTORY.db --history-meters N --years N` leaves.
It is moved into the data folder of a server of its own, and back. Each correction is a signed
request with one value of any hour of the history; the time is from the commit that the
acknowledgement waits for to the commit with the KPI values, as another process sees them. The
quantifier's thread is nicer than others: where cores are busy, most of it is waiting for one, so
that the thread's CPU time and that wait are told, too.
"""
import argparse
import datetime
import json
import pathlib
import sqlite3
import statistics
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
from bench_server import ROOT, BenchServer, end_on_signals, run  # noqa: E402

START = datetime.datetime(2015, 1, 1, tzinfo=datetime.timezone.utc)


class Watch:
    """Waits for an item of work to come, and to be done; gives the seconds in between."""

    def __init__(self, path):
        self.database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
        self.seconds = None

    def waiting(self):
        return self.database.execute("SELECT EXISTS (SELECT 1 FROM work_item)").fetchone()[0] == 1

    def run(self):
        self.seconds, deadline = None, time.monotonic() + 60
        while not self.waiting() and time.monotonic() < deadline:
            pass
        begin = time.monotonic()
        while self.waiting() and time.monotonic() < deadline:
            pass
        self.seconds = time.monotonic() - begin


def quantifier_of(pid):
    """The nicest thread of the server."""
    def nice(task):
        return int((task / "stat").read_text().rsplit(")", 1)[1].split()[16])
    return max(pathlib.Path(f"/proc/{pid}/task").iterdir(), key=nice)


def milliseconds_of(thread):
    """On a core, and waiting for one (/proc/PID/task/TID/schedstat)."""
    return [int(part) / 1e6 for part in (thread / "schedstat").read_text().split()[:2]]


def correct(server, watch, number, meter, hour):
    start = START + datetime.timedelta(hours=hour)
    file = server.folder / "correction.csv"
    file.write_text(f"meter_id,period_start_utc,energy_kwh\nMETER-{meter},{start:%Y-%m-%dT%H:%M:%SZ},{5 + number / 100}\n")
    thread = threading.Thread(target=watch.run)
    thread.start()
    pilot = server.pki / "pilots" / "barcelona"
    run(server.bin / "district-gateway", "send", "--url", server.url, "--tenant", "20", "--ca", server.pki / "ca.pem",
        "--certificate", f"{pilot}.pem", "--key", f"{pilot}.key", "--receipts", server.folder / "receipts.jsonl", file)
    thread.join()
    return watch.seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("history", type=pathlib.Path)
    parser.add_argument("--meters", type=int, default=1000)
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build" / "bin")
    options = parser.parse_args()
    with BenchServer(options.bin, folder=options.history.parent, quantify=True, preload=False) as server:
        server.stop()
        # What quantify-bench made stands beside the name that it was given: history-series.db.
        history = options.history.with_name(f"{options.history.stem}-series{options.history.suffix}")
        database = server.data / "district-series.db"
        for end in ("", "-wal", "-shm"):
            pathlib.Path(f"{database}{end}").unlink(missing_ok=True)
        history.rename(database)
        try:
            server.start()
            server.ctl("tenant", "add", "--file", ROOT / "truststore" / "20" / "tenant.toml")
            server.ctl("enrol", "--tenant", "20", server.pki / "pilots" / "barcelona.pem")
            watch = Watch(server.data / "district.db")
            thread = quantifier_of(server.process.pid)
            before = milliseconds_of(thread)
            seconds = [correct(server, watch, i, i * 7 % options.meters, i * 8390 % (options.years * 8760))
                       for i in range(options.count)]
            cpu, wait = ((b - a) / options.count for a, b in zip(before, milliseconds_of(thread)))
        finally:
            server.stop()
            database.rename(history)
    seconds.sort()
    milliseconds = [value * 1000 for value in seconds]
    print(json.dumps({"corrections": len(seconds), "median_ms": round(statistics.median(milliseconds), 2),
                      "p95_ms": round(milliseconds[int(0.95 * len(seconds))], 2), "max_ms": round(milliseconds[-1], 2),
                      "mean_cpu_ms": round(cpu, 2), "mean_wait_for_core_ms": round(wait, 2)}))


if __name__ == "__main__":
    try:
        end_on_signals()
        main()
    except subprocess.CalledProcessError as failure:
        sys.exit(f"late_correction: error: {failure}")
