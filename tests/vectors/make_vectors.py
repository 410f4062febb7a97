#!/usr/bin/python3
"""Makes the vectors of WS-Security verification again, all of them, with new keys.

usage: make_vectors.py [--only-check]

Writes certificates/, accepted/ and rejected/ beside itself. The private keys live in a temporary
folder and are gone at the end. Every accepted vector is also verified here by xmlsec1's library,
so that the vectors do not rest on the program that they test. Needs python3-lxml, python3-xmlsec,
python3-zeep, the programs openssl, xmlsec1 and faketime, and for generator/clients.py the stacks of
`tools/setup --tests` and a built tests/clients/gsoap.

Exit: 0 made (or checked), 1 an accepted vector does not verify with xmlsec1.
"""
import itertools
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "generator"))

import accepted  # noqa: E402
import clients  # noqa: E402
import oracle  # noqa: E402
import rejected  # noqa: E402
from keys import Keys  # noqa: E402


def write(folder, vectors):
    names = set()
    for name, content in vectors:
        assert name not in names, name
        names.add(name)
        content = content.encode("utf-8") if isinstance(content, str) else content
        assert b"@S@" not in content and b"@D@" not in content, name
        (folder / f"{name}.xml").write_bytes(content)
    print(f"{len(names)} in {folder.name}/")


def make():
    others = clients.prepared()
    for folder, pattern in (("certificates", "*.pem"), ("accepted", "*.xml"), ("rejected", "*.xml")):
        (HERE / folder).mkdir(exist_ok=True)
        for file in (HERE / folder).glob(pattern):
            file.unlink()
    with tempfile.TemporaryDirectory() as work:
        keys = Keys(work, HERE / "certificates")
        write(HERE / "accepted", itertools.chain(accepted.vectors(keys), clients.vectors(keys, others)))
        write(HERE / "rejected", rejected.vectors(keys))


if __name__ == "__main__":
    if sys.argv[1:] not in ([], ["--only-check"]):
        sys.exit(__doc__)
    if not sys.argv[1:]:
        make()
    sys.exit(oracle.check(HERE))
