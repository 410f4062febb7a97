"""The xmlsec1 program and curl, from a shell script, send the pilots' messages and verify."""
import unittest

import clients

LACKS = clients.missing("bash", "xmlsec1", "curl", "openssl", "xmllint")


@unittest.skipIf(LACKS, LACKS)
class Xmlsec1Test(clients.StackTest, unittest.TestCase):
    COMMAND = ("bash", clients.HERE / "xmlsec1" / "send.sh")
    REFERENCES = ("token", "x509-data", "thumbprint")
    SIGNER = {**clients.StackTest.SIGNER, "kalundborg": ("kalundborg", "ecdsa-sha256")}
    ORDER = "TBS"

    def check_habits(self, request):
        self.assertEqual(clients.transforms(request), {("xml-exc-c14n",)})
        self.assertIn(b"\n<ds:SignatureMethod", request)


if __name__ == "__main__":
    clients.main()
