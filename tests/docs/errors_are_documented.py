#!/usr/bin/python3
"""Every ErrorCode of base/error.h stands in docs/reference/errors.md with its number, and no other."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
enum = re.search(r"enum class ErrorCode.*?\{(.*?)\n\};", (root / "src/base/error.h").read_text(), re.S).group(1)
code = {int(number): name for name, number in re.findall(r"^\s*(\w+) = (\d+),", enum, re.M)}
documented = {int(number): name for number, name in
              re.findall(r"^\| (\d{4}) \| (\w+) \|", (root / "docs/reference/errors.md").read_text(), re.M)}
wrong = sorted(code.items() ^ documented.items())
print("\n".join(f"{number} {name}: in only one of the two, or under another name" for number, name in wrong)
      or f"{len(code)} codes are documented")
sys.exit(1 if wrong or not code else 0)
