"""node-soap (npm package soap) sends the pilots' messages; xml-crypto, on which it rests, verifies."""
import unittest

from lxml import etree

import commands
import stacks
from stacks import district


class NodeSoapTest(stacks.StackTest, unittest.TestCase):
    REFERENCES = ("token",)
    ORDER = "BTS"
    PAGE = "node-soap"

    def check_habits(self, request):
        self.assertEqual(stacks.transforms(request), {("enveloped-signature", "xml-exc-c14n")})
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
    stacks.main(NodeSoapTest, commands.node_soap)
