#!/usr/bin/python3
"""A block of code under `<!-- from FILE -->` in docs/ stands in that file, line for line."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
count, bad = 0, []
for page in sorted((root / "docs").rglob("*.md")):
    for file, block in re.findall(r"^<!-- from (\S+) -->\n```\w*\n(.*?)^```$", page.read_text(), re.M | re.S):
        count += 1
        if block not in (root / file).read_text():
            bad.append(f"{page.relative_to(root)}: not in {file}:\n{block}")
print("\n".join(bad) or f"{count} excerpts are current")
sys.exit(1 if bad or not count else 0)
