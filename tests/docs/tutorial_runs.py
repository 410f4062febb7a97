#!/usr/bin/python3
"""The shell blocks of the tutorial run in their order, and show what the tutorial says.

usage: tutorial_runs.py SOURCE BIN
"""
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile

TIMEOUT = 150  # seconds; less than CTest's, so that what runs is ended here

# What a reader must see, in this order.
SEEN = [
    r"event=started url=https://127\.0\.0\.1:\d+/services/aggregation",
    r"CN=barcelona-20,O=District demo",
    r"<wsse:Security ",
    r"739 messages in 4 envelopes",
    r"\nOK\nSignedInfo References \(ok/all\): 2/2",
    r"\nOK\nSignedInfo References \(ok/all\): 3/3",
    r"\n([A-Za-z0-9+/]{43}=)\npayloadDigest algorithm=\S+>\1\n",
    r"energy_kwh +month +2018-03-01 +22471\.700 +kWh +0\.995 +partial",
    r"2018-03-01 .*[█▏▎▍▌▋▊▉]",
    r"22571\.700",
    r"22471\.700",
    r"receipts: intact",
    r"no difference",
    r"\nenvelope ([0-9A-Z]{26}): octets\n",
    r"1 difference\nexit 1\n",
    r"revoked 1 enrolment",
    r"InvalidSecurityToken",
    r"\nexit 4\n",
    r"no difference",
]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(source, programs, folder):
    """Exit code and output of all blocks in one bash; whatever it started is ended with it."""
    blocks = re.findall(r"^```sh\n(.*?)^```$",
                        (source / "docs/tutorial/first-envelope.md").read_text(), re.M | re.S)
    work = pathlib.Path(folder) / "work"
    work.mkdir()
    environment = {**os.environ, "BIN": programs, "WORK": str(work), "PORT": str(free_port())}
    output = pathlib.Path(folder) / "output"
    with output.open("wb") as file, subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)], cwd=source, env=environment,
            stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
            start_new_session=True) as shell:
        try:
            code = shell.wait(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            code = f"more than {TIMEOUT} s"
        finally:
            left = True
            try:
                os.killpg(shell.pid, signal.SIGKILL)
            except ProcessLookupError:
                left = False
    problems = [] if code == 0 else [f"the blocks ended with {code}"]
    if code == 0 and left:
        problems.append("the last block left a process behind")
    if code == 0 and work.exists():
        problems.append("the last block left its folder behind")
    return len(blocks), problems, output.read_text(errors="replace")


def main():
    with tempfile.TemporaryDirectory(prefix="district-tutorial-") as folder:
        count, problems, output = run(pathlib.Path(sys.argv[1]), sys.argv[2], folder)
    position = 0
    for pattern in SEEN:
        match = re.compile(pattern).search(output, position)
        if not match:
            problems.append(f"not seen: {pattern}")
            break
        position = match.end() - 1  # the line's end may begin the next pattern
    if count < 10:
        problems.append(f"only {count} blocks")
    if problems:
        print(output[-6000:])
    print("\n".join(problems) or f"{count} blocks, {len(SEEN)} things seen")
    return 1 if problems else 0


sys.exit(main())
