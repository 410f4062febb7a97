#!/usr/bin/python3
"""Every test that docs/reference/security.md names exists, and every row of its tables names one.

usage: security_tests_exist.py SOURCE_FOLDER
"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
tests = root / "tests"
wrong = []
named = 0
for number, line in enumerate((root / "docs/reference/security.md").read_text().splitlines(), 1):
    if not line.startswith("|") or line.startswith(("| requirement", "|---")):
        continue
    cell = line.rstrip().rstrip("|").rsplit("|", 1)[1]
    found = re.findall(r"`([^`]+)`", cell)
    if not found:
        wrong.append(f"line {number}: no test")
    for test in found:
        named += 1
        file, _, case = test.partition(": ")
        if file.startswith(("rejected/", "accepted/")):
            file = "vectors/" + file
        files = sorted(tests.glob(file))
        if not files or (case and not any(re.search(rf"\b{re.escape(case)}\b", f.read_text()) for f in files)):
            wrong.append(f"line {number}: {test} does not exist")
print("\n".join(wrong) or f"{named} tests are named, and exist")
sys.exit(1 if wrong or not named else 0)
