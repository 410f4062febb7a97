"""gSOAP's proxy of our WSDL with its wsse plugin sends the pilots' messages and verifies."""
import unittest

import commands
import stacks


class GsoapTest(stacks.StackTest, unittest.TestCase):
    REFERENCES = ("token", "issuer-serial", "ski", "thumbprint")
    ORDER = "TBS"
    PAGE = "gsoap"

    def check_unsigned_fault(self, result, name):
        super().check_unsigned_fault(result, name)
        # Where nothing is signed the plugin puts a fault of its own in the place of the server's.
        self.assertIn("FailedCheck", result["gsoap"])

    def check_habits(self, request):
        self.assertEqual(stacks.transforms(request), {("xml-exc-c14n",)})
        for fixed in (b'wsu:Id="Body"', b'wsu:Id="Timestamp"', b'wsu:Id="X509Token"'):
            self.assertIn(fixed, request)
        self.assertRegex(request, rb"<wsu:Created>[^<]+:\d\dZ<")

    def test_its_ecdsa_is_refused_for_it_is_der(self):
        result, = self.site.exchange(self.COMMAND, self.sent_by("kalundborg") | {
            "gateway": "kalundborg", "algorithm": "ecdsa-sha256"})
        self.check_unsigned_fault(result, "FailedCheck")

    def test_without_canonical_xml_it_is_refused_for_no_method_is_named(self):
        result, = self.site.exchange(self.COMMAND, self.sent_by("eibar") | {"canonical": "no"})
        self.check_unsigned_fault(result, "InvalidSecurity")

    def test_it_prefers_soap_12_and_is_answered_in_it(self):
        sent = {"soap": "1.2", "record": self.site.district.folder / "soap12"}
        receipt, replayed, stranger = self.site.exchange(
            self.COMMAND, (first := self.sent_by("barcelona")) | sent, first | {"soap": "1.2", "resend": sent["record"]},
            self.sent_by("barcelona") | {"soap": "1.2", "gateway": "stranger"})
        self.assertIsNone(receipt.get("fault"), stacks.said(receipt))
        for result in (receipt, replayed):
            self.assertEqual((result["signature"], result["confirmed"]), ("verified", True), stacks.said(result))
            self.assertIn(b"http://www.w3.org/2003/05/soap-envelope", result["answer"])
        self.assertEqual(self.site.archived(receipt["receiptId"]), receipt["request"])
        self.assertEqual(replayed["fault"], "MessageReplayed")
        self.check_unsigned_fault(stranger, "FailedAuthentication")


if __name__ == "__main__":
    stacks.main(GsoapTest, commands.gsoap)
