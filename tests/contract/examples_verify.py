#!/usr/bin/python3
"""Every signed example of wsdl/examples verifies with the xmlsec1 command line, and they fit together.

usage: examples_verify.py SOURCE
"""
import base64
import hashlib
import pathlib
import re
import ssl
import subprocess
import sys
import tempfile
import unittest

from lxml import etree

ROOT = pathlib.Path(sys.argv.pop(1))
EXAMPLES = ROOT / "wsdl" / "examples"
WSS = "http://docs.oasis-open.org/wss"
WSU = WSS + "/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
NS = {
    "wsu": WSU,
    "wsse": WSS + "/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd",
    "wsse11": WSS + "/oasis-wss-wssecurity-secext-1.1.xsd",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "urb": "http://urb-grade.eu",
}
UNSIGNED = {"fault-failed-check.xml"}
SIGNERS = {
    "request-barcelona.xml": "barcelona.pem", "request-eibar.xml": "eibar.pem",
    "request-kalundborg.xml": "kalundborg.pem", "request-master-data.xml": "kalundborg.pem",
    "request-survey.xml": "eibar.pem", "response-receipt.xml": "receipt-rsa.pem",
    "fault-message-replayed.xml": "receipt-rsa.pem", "fault-invalid-message.xml": "receipt-rsa.pem",
    "fault-invalid-message-soap12.xml": "receipt-rsa.pem",
}


def verifies(octets, soap, certificate):
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(octets)
        file.flush()
        done = subprocess.run(
            ["xmlsec1", "--verify", "--pubkey-cert-pem", str(certificate),
             "--enabled-key-data", "key-name", "--id-attr:Id", f"{soap}:Body",
             "--id-attr:Id", f"{WSU}:Timestamp",
             "--id-attr:Id", f"{NS['wsse11']}:SignatureConfirmation", file.name],
            capture_output=True, timeout=30, check=False)
    return done.returncode == 0


def root_of(name):
    return etree.parse(str(EXAMPLES / name)).getroot()


def text_of(root, path):
    return "".join(root.find(path, NS).text.split())


class ExamplesTest(unittest.TestCase):
    def test_every_example_is_listed_here_and_in_the_readme(self):
        names = {path.name for path in EXAMPLES.glob("*.xml")}
        self.assertEqual(names, set(SIGNERS) | UNSIGNED)
        readme = (EXAMPLES / "README.md").read_text()
        self.assertEqual(names, set(re.findall(r"^\| `([^`]+\.xml)`", readme, re.M)))

    def test_the_receipt_in_the_readme_of_the_project_is_the_example(self):
        shown = etree.fromstring(re.search(r"^```xml\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S).group(1))
        receipt = root_of("response-receipt.xml").find(".//urb:AggregateMessageResponse", NS)
        self.assertEqual([(part.tag, part.text) for part in shown], [(part.tag, part.text) for part in receipt])

    def test_every_signature_verifies_and_covers_what_is_read(self):
        for name, signer in SIGNERS.items():
            with self.subTest(name):
                root = root_of(name)
                soap = etree.QName(root).namespace
                certificate = EXAMPLES / "certificates" / signer
                self.assertTrue(verifies((EXAMPLES / name).read_bytes(), soap, certificate))
                token = text_of(root, ".//wsse:BinarySecurityToken")
                self.assertEqual(base64.b64decode(token), ssl.PEM_cert_to_DER_cert(certificate.read_text()))
                security = f"{{{soap}}}Header/wsse:Security/"
                signed = [f"{{{soap}}}Body", security + "wsu:Timestamp"]
                if not name.startswith("request-"):
                    signed.append(security + "wsse11:SignatureConfirmation")
                references = {r.get("URI") for r in root.iterfind(".//ds:Reference", NS)}
                for path in signed:
                    self.assertIn("#" + root.find(path, NS).get(f"{{{WSU}}}Id"), references, path)

    def test_a_changed_octet_does_not_verify(self):
        octets = (EXAMPLES / "request-barcelona.xml").read_bytes()
        self.assertIn(b">42.4<", octets)
        soap = etree.QName(root_of("request-barcelona.xml")).namespace
        self.assertFalse(verifies(octets.replace(b">42.4<", b">24.4<"), soap,
                                  EXAMPLES / "certificates" / "barcelona.pem"))

    def test_a_sender_who_is_not_authenticated_gets_no_signature(self):
        for name in UNSIGNED:
            self.assertIsNone(root_of(name).find(".//ds:Signature", NS), name)

    def test_the_receipt_is_that_of_the_request(self):
        octets = (EXAMPLES / "request-barcelona.xml").read_bytes()
        digest = base64.b64encode(hashlib.sha256(octets).digest()).decode()
        signature = text_of(root_of("request-barcelona.xml"), ".//ds:SignatureValue")
        for name in ("response-receipt.xml", "fault-message-replayed.xml"):
            answer = root_of(name)
            self.assertEqual(text_of(answer, ".//urb:payloadDigest"), digest, name)
            self.assertEqual(answer.find(".//wsse11:SignatureConfirmation", NS).get("Value"), signature, name)
        self.assertEqual(text_of(root_of("fault-message-replayed.xml"), ".//urb:receiptId"),
                         text_of(root_of("response-receipt.xml"), ".//urb:receiptId"))

    def test_there_is_no_key(self):
        for path in EXAMPLES.rglob("*"):
            if path.is_file():
                self.assertNotIn(b"PRIVATE KEY", path.read_bytes(), path)


if __name__ == "__main__":
    unittest.main()
