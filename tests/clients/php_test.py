"""PHP's ext-soap with a signing class over its DOM and OpenSSL sends the pilots' messages and verifies."""
import subprocess
import unittest

from lxml import etree

import clients
from clients import district


def absent():
    if reason := clients.missing("php"):
        return reason
    loaded = subprocess.run(["php", "-m"], capture_output=True, text=True).stdout.split()
    lacks = [name for name in ("soap", "dom", "openssl") if name not in loaded]
    return f"PHP lacks {', '.join(lacks)} (tools/setup installs php-soap and php-xml)" if lacks else ""


@unittest.skipIf(absent(), absent())
class PhpTest(clients.StackTest, unittest.TestCase):
    COMMAND = ("php", clients.HERE / "php" / "client.php")
    REFERENCES = ("token", "x509-data", "ski", "thumbprint")
    SIGNER = {**clients.StackTest.SIGNER, "kalundborg": ("kalundborg", "ecdsa-sha256")}
    ORDER = "TBS"

    def check_habits(self, request):
        self.assertEqual(clients.transforms(request), {("xml-exc-c14n",)})
        root = etree.fromstring(request)
        self.assertEqual(root.prefix, "SOAP-ENV")
        for name in ("ds:SignatureValue", "wsse:BinarySecurityToken"):
            self.assertIn("\n", root.findtext(f".//{name}", namespaces=district.NS).strip())


if __name__ == "__main__":
    clients.main()
