"""node-soap (npm package soap) sends the pilots' messages; xml-crypto, on which it rests, verifies.

The packages are those of node-soap/package-lock.json, by npm; without npm or its registry the test
is skipped and says so.
"""
import hashlib
import re
import shutil
import subprocess
import unittest

from lxml import etree

import clients
from clients import district

SOURCE = clients.HERE / "node-soap"
# What npm says when it cannot reach its registry. Anything else is a failure of the test.
UNREACHABLE = r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT"


def install():
    """The client beside its packages in the build folder; they are installed once for each lock file."""
    lock = (SOURCE / "package-lock.json").read_bytes()
    folder = clients.WORK / f"node-soap-{hashlib.sha256(lock).hexdigest()[:12]}"
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCE / name, folder)
        done = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1",
             "--fetch-timeout=20000"], cwd=folder, capture_output=True, text=True, timeout=90)
        if done.returncode != 0:
            why = "npm's registry cannot be reached: " if re.search(UNREACHABLE, done.stderr) else ""
            return None, why + done.stderr[-1500:]
        (folder / "complete").touch()
    shutil.copy(SOURCE / "client.js", folder)
    return ("node", "--no-deprecation", str(folder / "client.js")), ""


class NodeSoapTest(clients.StackTest, unittest.TestCase):
    REFERENCES = ("token",)
    ORDER = "BTS"

    def check_habits(self, request):
        self.assertEqual(clients.transforms(request), {("enveloped-signature", "xml-exc-c14n")})
        created, expires = (etree.fromstring(request).findtext(f".//wsu:{name}", namespaces=district.NS)
                            for name in ("Created", "Expires"))
        self.assertRegex(created, r"T\d\d:\d\d:\d\dZ$")
        self.assertEqual((int(expires[14:16]) - int(created[14:16])) % 60, 10)

    def test_what_its_default_settings_send_is_refused_with_the_code_that_explains_it(self):
        plain, unprefixed = self.site.exchange(self.COMMAND, self.sent_by("eibar") | {"ids": "plain"},
                                               self.sent_by("eibar") | {"namespaces": "default"})
        self.check_unsigned_fault(plain, "InvalidSecurity")
        self.check_signed_fault(unprefixed, "InvalidMessage")


if __name__ == "__main__":
    reason = clients.missing("node", "npm")
    if not reason:
        NodeSoapTest.COMMAND, reason = install()
        if NodeSoapTest.COMMAND is None and not reason.startswith("npm's registry"):
            raise SystemExit(reason)
    if reason:
        NodeSoapTest = unittest.skip(reason)(NodeSoapTest)
    clients.main()
