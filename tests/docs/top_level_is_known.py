#!/usr/bin/python3
"""Nothing lies at the top of the repository but what is meant to: what a program leaves behind
where it was started is easily committed along with a change."""
import pathlib
import subprocess
import sys

# .clang-tidy is where clang-tidy looks for it. .reuse/ and LICENSES/ are where the REUSE specification
# wants them: the pilots' sample data are under licences of others, which demand their texts.
KNOWN = {".ci", ".clang-format", ".clang-tidy", ".gitignore", ".reuse", "CHANGELOG.md", "CMakeLists.txt",
         "CMakePresets.json", "CONTRIBUTING.md", "LICENSE", "LICENSES", "README.md", "SECURITY.md", "certs",
         "cmake", "docs", "src", "tests", "tools", "truststore", "wsdl", "xsd"}
NOT_JUDGED = 77

root = pathlib.Path(sys.argv[1])
listed = subprocess.run(["git", "-C", root, "ls-files", "-z"], capture_output=True, text=True, check=False)
if listed.returncode != 0:
    print("not judged: no git checkout, so that nobody knows what belongs to it")
    sys.exit(NOT_JUDGED)
strangers = {path.split("/")[0] for path in listed.stdout.split("\0") if path} - KNOWN
for name in sorted(strangers):
    print(f"{name} is not meant to be there: remove it or, with a strong reason, name it in {__file__}")
sys.exit(1 if strangers else 0)
