"""PHP's ext-soap with a signing class over its DOM and OpenSSL sends the pilots' messages and verifies."""
import unittest

from lxml import etree

import commands
import stacks
from stacks import district


class PhpTest(stacks.StackTest, unittest.TestCase):
    REFERENCES = ("token", "x509-data", "ski", "thumbprint")
    SIGNER = {**stacks.StackTest.SIGNER, "kalundborg": ("kalundborg", "ecdsa-sha256")}
    ORDER = "TBS"
    PAGE = "php"

    def check_habits(self, request):
        self.assertEqual(stacks.transforms(request), {("xml-exc-c14n",)})
        root = etree.fromstring(request)
        self.assertEqual(root.prefix, "SOAP-ENV")
        for name in ("ds:SignatureValue", "wsse:BinarySecurityToken"):
            self.assertIn("\n", root.findtext(f".//{name}", namespaces=district.NS).strip())


if __name__ == "__main__":
    stacks.main(PhpTest, commands.php)
