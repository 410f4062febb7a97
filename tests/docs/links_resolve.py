#!/usr/bin/python3
"""Every relative link and every file named in the project's Markdown exists."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
pages = [p for p in root.rglob("*.md") if "build" not in p.relative_to(root).parts[:1]]
bad = []
for page in pages:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists():
            bad.append(f"{page.relative_to(root)}: no {target}")
print("\n".join(bad) or f"{len(pages)} pages, all links resolve")
sys.exit(1 if bad or not pages else 0)
