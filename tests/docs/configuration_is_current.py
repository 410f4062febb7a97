#!/usr/bin/python3
"""docs/reference/configuration.md is what `districtd --help-config` prints."""
import pathlib
import subprocess
import sys

page = pathlib.Path(sys.argv[1]) / "docs/reference/configuration.md"
printed = subprocess.run([sys.argv[2], "--help-config"], capture_output=True, text=True, check=True).stdout
if page.read_text() != printed:
    sys.exit(f"{page} is not what districtd prints; run: districtd --help-config > {page}")
print("current")
