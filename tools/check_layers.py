#!/usr/bin/env python3
"""Checks that the includes under src/ point down the list of modules, never up or sideways.

usage: check_layers.py SRC

Also checks that C libraries, and what is private to an engine, are included only in their home.
Exit: 0 all includes follow the order, 1 some do not (each is named).
"""
import pathlib
import re
import sys

# Top to bottom: a module may include those after it. src/README.md explains them.
ORDER = """gateway admin server soap pipeline audit query quantify series acknowledge archive validate verify
           receive trust log store xml crypto config observe kpi model base""".split()
LEVEL = {name: len(ORDER) - position for position, name in enumerate(ORDER)}
# Where the order alone would allow more: what such a module may include, and nothing else.
ONLY = {"kpi": {"model", "base"}, "model": {"base"}}
HOMES = {
    r"<sqlite3\.h>|\"store/sqlite/": {"store/sqlite", "store/database.cpp"},
    r"<libxml/|<xmlsec/": {"xml"},
    r"<openssl/": {"crypto", "xml", "server", "gateway"},
    r"<toml\+\+/": {"config"},
    r"<stdsoap2\.h>|\"soap(H|Stub|Aggregation)": {"soap"},
}


def main(root: pathlib.Path) -> int:
    bad = []
    files = sorted(p for p in root.rglob("*") if p.suffix in {".h", ".cpp"})
    for path in files:
        relative = path.relative_to(root)
        if len(relative.parts) < 2:
            continue  # the main()s wire everything
        here = relative.parts[0]
        text = path.read_text()
        if here not in LEVEL:
            bad.append(f"{relative}: folder {here} is not in the order of modules")
            continue
        for to in re.findall(r'^#include "([a-z_]+)/', text, re.M):
            if to != here and LEVEL.get(to, 99) >= LEVEL[here]:
                bad.append(f"{relative}: {here} must not include {to}")
            elif to != here and to not in ONLY.get(here, {to}):
                bad.append(f"{relative}: {here} may include {', '.join(sorted(ONLY[here]))} only, not {to}")
        folders = {parent.as_posix() for parent in relative.parents} | {relative.as_posix()}
        for pattern, homes in HOMES.items():
            if not homes & folders and re.search(r"^#include (" + pattern + ")", text, re.M):
                bad.append(f"{relative}: {pattern} belongs in {', '.join(sorted(homes))} only")
    if not files:
        bad.append(f"{root}: no source files found")
    print("\n".join(bad) if bad else f"{len(files)} files follow the order")
    return 1 if bad else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1])))
