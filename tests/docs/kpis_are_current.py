#!/usr/bin/python3
"""docs/reference/kpis.md is what `districtctl kpi catalogue` prints."""
import pathlib
import subprocess
import sys

page = pathlib.Path(sys.argv[1]) / "docs/reference/kpis.md"
printed = subprocess.run([sys.argv[2], "kpi", "catalogue"], capture_output=True, text=True, check=True).stdout
if page.read_text() != printed:
    sys.exit(f"{page} is not what districtctl prints; run: districtctl kpi catalogue > {page}")
print("current")
