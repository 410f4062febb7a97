"""WSS4J 1.6, the stack of Rampart and WSO2, signs the pilots' messages and verifies what is answered."""
import unittest

from lxml import etree

import commands
import stacks
from stacks import district


class JavaWss4jTest(stacks.StackTest, unittest.TestCase):
    REFERENCES = ("token", "pki-path", "issuer-serial", "key-identifier", "ski", "thumbprint")
    SIGNER = {**stacks.StackTest.SIGNER, "kalundborg": ("kalundborg", "ecdsa-sha256")}
    ORDER = "BST"
    PAGE = "java-wss4j"
    PAGE_NEEDS = ("javac",)

    def check_habits(self, request):
        self.assertEqual(stacks.transforms(request), {("xml-exc-c14n",)})
        root = etree.fromstring(request)
        security = root.find("soap:Header/wsse:Security", district.NS)
        self.assertEqual(security.get(f"{{{district.SOAP11}}}mustUnderstand"), "1")
        self.assertRegex(root.findtext(".//wsu:Created", namespaces=district.NS), r"\.\d{3}Z$")
        lists = root.findall(".//{http://www.w3.org/2001/10/xml-exc-c14n#}InclusiveNamespaces")
        self.assertIn("", [element.get("PrefixList") for element in lists])

    def test_what_it_sends_where_no_algorithm_is_set_is_accepted_by_a_legacy_enrolment(self):
        result, = self.site.exchange(self.COMMAND, self.sent_by("barcelona", "issuer-serial") | {
            "gateway": "legacy", "algorithm": "rsa-sha1"})
        self.check_receipt(result, "rsa-sha1")

    def test_a_token_signed_by_str_transform_is_accepted_whatever_the_reference(self):
        for reference in self.REFERENCES:
            with self.subTest(reference):
                result, = self.site.exchange(self.COMMAND, self.sent_by("eibar", reference) | {"sign-token": "yes"})
                self.check_receipt(result, "rsa-sha256")
                self.assertIn(("STR-Transform",), stacks.transforms(result["request"]))

    def test_a_certificate_renewed_with_its_key_may_sign_itself_by_str_transform_while_the_earlier_one_is_enrolled(self):
        # The key alone, by its identifier, fits both certificates. What is signed is the new one.
        self.site.enrol("renewed", "20", key_of="legacy")
        result, = self.site.exchange(self.COMMAND, self.sent_by("barcelona", "ski") | {
            "gateway": "renewed", "algorithm": "rsa-sha256", "sign-token": "yes"})
        self.check_receipt(result, "rsa-sha256")
        self.assertIn(("STR-Transform",), stacks.transforms(result["request"]))


if __name__ == "__main__":
    stacks.main(JavaWss4jTest, commands.java_wss4j)
