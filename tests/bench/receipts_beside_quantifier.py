#!/usr/bin/python3
"""Do receipts keep their latency while the quantifier works through a dear backlog?

usage: receipts_beside_quantifier.py [--meters N] [--receipts N] [--rounds N] [--bin FOLDER]

Two servers take turns, one with the quantifier off and one with it on, at the same backlog of one
tenant: values 31 days apart for 26 years, of many meters, and then statements about the building
that all of them stand in. Meanwhile a gateway of another tenant sends small envelopes, one after
the other. Prints the latencies of its receipts, and the ratio of the two servers' in each round.
Where the machine has no core to spare, the quantifier's thread, though nicer than others, shows in
the ratio: tell how many there were.
"""
import argparse
import json
import os
import pathlib
import statistics
import sys

sys.dont_write_bytecode = True
from bench_server import ROOT, BenchServer, end_on_signals, run  # noqa: E402

YEARS = range(1996, 2022)


def backlog(server, meters):
    """Sends what is dear to compute, and does not wait for it."""
    server.ctl("tenant", "add", "--file", ROOT / "truststore" / "20" / "tenant.toml")
    server.ctl("enrol", "--tenant", "20", server.pki / "pilots" / "barcelona.pem")
    file = server.folder / "sparse.csv"
    rows = [f"M-{meter},{year}-{month:02}-03T10:00:00Z,{meter + month}\n"
            for meter in range(meters) for year in YEARS for month in range(1, 13)]
    file.write_text("meter_id,period_start_utc,energy_kwh\n" + "".join(rows))
    pilot = server.pki / "pilots" / "barcelona"
    run(server.bin / "district-gateway", "send", "--url", server.url, "--tenant", "20", "--ca", server.pki / "ca.pem",
        "--certificate", f"{pilot}.pem", "--key", f"{pilot}.key", "--receipts", server.folder / "receipts.jsonl",
        "--messages-per-envelope", "1000", file)


def waiting(server):
    return json.loads(server.ctl("status", "--json"))["workWaiting"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--meters", type=int, default=60)
    parser.add_argument("--receipts", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build" / "bin")
    options = parser.parse_args()
    with BenchServer(options.bin, preload=False) as off, BenchServer(options.bin, quantify=True, preload=False) as on:
        gateways = {server: server.make_gateways("gateways", 1, "p256", {"30": "eibar"}) for server in (off, on)}
        for server in (off, on):
            server.drive("closed", gateways[server], "--connections", 1, "--count", 50)
        for server in (off, on):
            backlog(server, options.meters)
        rounds = []
        for _ in range(options.rounds):
            before = waiting(on)
            measured = {name: server.drive("closed", gateways[server], "--connections", 1, "--count", options.receipts)
                        for name, server in (("off", off), ("on", on))}
            rounds.append({"work_waiting": [before, waiting(on)], **measured})
    print(json.dumps({"cores": os.cpu_count(), "meters": options.meters, "rounds": rounds}, indent=2))
    for key in ("p50_ms", "p99_ms"):
        ratios = [one["on"]["latency"][key] / one["off"]["latency"][key] for one in rounds]
        print(f"{key}: on/off {', '.join(f'{ratio:.2f}' for ratio in ratios)}, median {statistics.median(ratios):.2f}",
              file=sys.stderr)


if __name__ == "__main__":
    end_on_signals()
    main()
