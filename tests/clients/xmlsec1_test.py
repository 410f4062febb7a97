"""The xmlsec1 program and curl, from a shell script, send the pilots' messages and verify."""
import unittest

import commands
import stacks


class Xmlsec1Test(stacks.StackTest, unittest.TestCase):
    REFERENCES = ("token", "x509-data", "thumbprint")
    SIGNER = {**stacks.StackTest.SIGNER, "kalundborg": ("kalundborg", "ecdsa-sha256")}
    ORDER = "TBS"
    PAGE = "xmlsec1"

    def check_habits(self, request):
        self.assertEqual(stacks.transforms(request), {("xml-exc-c14n",)})
        self.assertIn(b"\n<ds:SignatureMethod", request)


if __name__ == "__main__":
    stacks.main(Xmlsec1Test, commands.xmlsec1)
