"""zeep (python3-zeep) sends the pilots' messages and verifies receipts and faults itself."""
import unittest

from lxml import etree

import commands
import stacks
from stacks import district


class ZeepTest(stacks.StackTest, unittest.TestCase):
    REFERENCES = ("token", "x509-data")
    SIGNER = {**stacks.StackTest.SIGNER, "kalundborg": ("kalundborg", "ecdsa-sha256")}
    ORDER = "SBT"
    PAGE = "zeep"

    def check_habits(self, request):
        self.assertEqual(stacks.transforms(request), {("xml-exc-c14n",)})
        root = etree.fromstring(request)
        security = root.find("soap:Header/wsse:Security", district.NS)
        self.assertIsNone(security.get(f"{{{district.SOAP11}}}mustUnderstand"))
        self.assertIn("\n", root.findtext(".//ds:SignatureValue", namespaces=district.NS))
        self.assertRegex(root.findtext(".//wsu:Created", namespaces=district.NS), r"\.\d{6}\+00:00$")


if __name__ == "__main__":
    stacks.main(ZeepTest, commands.zeep)
