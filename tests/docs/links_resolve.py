#!/usr/bin/python3
"""Every relative link in the project's Markdown leads to a file that exists and, where it names a
heading, to one that the page has."""
import functools
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])


@functools.cache
def anchors(page):
    """As they are made of headings: lower case, no punctuation, hyphens for blanks."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def problem(page, target, anchor):
    file = page.parent / target if target else page
    if not file.exists():
        return f"no {target}"
    if anchor and file.suffix == ".md" and anchor not in anchors(file):
        return f"no heading #{anchor} in {target or 'it'}"
    return None


pages = [p for p in root.rglob("*.md") if "build" not in p.relative_to(root).parts[:1]]
bad = []
for page in pages:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)", page.read_text()):
        if not re.match(r"[a-z]+:", target) and (found := problem(page, target, anchor)):
            bad.append(f"{page.relative_to(root)}: {found}")
print("\n".join(bad) or f"{len(pages)} pages, all links resolve")
sys.exit(1 if bad or not pages else 0)
