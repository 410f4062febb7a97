"""Each line of docs/reference/errors.md, "What a sender sees", with a real request, in both versions of SOAP."""
import contextlib
import datetime
import gzip
import http.client
import re
import subprocess
import unittest
import unittest.mock

from lxml import etree

import district
import xmlsec1_test
from district import SOAP11
from xmlsec1_test import BARCELONA, sign

SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
TYPES = {SOAP11: "text/xml; charset=utf-8", SOAP12: "application/soap+xml; charset=utf-8"}


class FaultTableTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.district = cls.enterClassContext(district.District())
        pilots = cls.district.pki / "pilots"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", "/CN=stranger", "-keyout", pilots / "stranger.key",
                        "-out", pilots / "stranger.pem"], check=True, capture_output=True)

    def signed(self, soap, **options):
        with unittest.mock.patch.object(xmlsec1_test, "SOAP11", soap):
            return sign(self.district, "20", options.pop("messages", BARCELONA), **options)

    def check(self, soap, answer, status, code, signed=False):
        """The answer is a fault of this version with this code (Client, Server: of SOAP)."""
        got, body = answer
        text = body.decode()
        root = etree.fromstring(body)
        self.assertEqual(etree.QName(root).namespace, soap, text)
        if soap == SOAP11:
            codes = [root.findtext(".//faultcode")]
        else:
            codes = [value.text for value in root.iterfind(f".//{{{SOAP12}}}Value")]
            # SOAP 1.2 has its own names for the two general codes.
            code = {"Client": "Sender", "Server": "Receiver"}.get(code, code)
        self.assertIn(code, [value.split(":")[1] for value in codes], text)
        self.assertEqual(got, status, text)
        self.assertEqual("SignatureValue" in text, signed, text)
        self.assertRegex(text, r"<urb:rejectionId[^>]*>[0-9A-Z]{26}</urb:rejectionId>")
        for leak in ("/src/", "libxml", "sqlite", "gSOAP", str(self.district.folder)):
            self.assertNotIn(leak, text)

    def each_version(self, code, change, statuses=(500, 400), signed=False, **options):
        for soap, status in zip((SOAP11, SOAP12), statuses):
            with self.subTest(code=code, soap=soap):
                request = change(self.signed(soap, **options))
                self.check(soap, self.district.post(request, TYPES[soap]), status, code, signed)

    def test_no_security_header(self):
        self.each_version("InvalidSecurity", lambda r: re.sub(rb"<wsse:Security .*</wsse:Security>", b"", r, flags=re.S))

    def test_unsigned_body(self):
        self.each_version("InvalidSecurity", lambda r: r, references=("T",))

    def test_body_moved_away_after_signing(self):
        def wrap(request):
            body = re.search(rb"<soap:Body.*</soap:Body>", request, re.S).group(0)
            other = body.replace(b'wsu:Id="B"', b'wsu:Id="B2"').replace(b">12.3<", b">99.9<")
            return request.replace(body, other).replace(b"</soap:Header>", b"<x>" + body + b"</x></soap:Header>")
        self.each_version("InvalidSecurity", wrap)

    def test_algorithm_outside_the_policy(self):
        self.each_version("UnsupportedAlgorithm", lambda r: r.replace(b"#rsa-sha256", b"#rsa-sha224"))

    def test_token_type_not_supported(self):
        self.each_version("UnsupportedSecurityToken",
                          lambda r: r.replace(b'#X509v3"', b'#X509v1"'))

    def test_referenced_token_not_found(self):
        self.each_version("SecurityTokenUnavailable", lambda r: r.replace(b'URI="#C"', b'URI="#D"'))

    def test_malformed_token(self):
        self.each_version("InvalidSecurityToken", lambda r: r.replace(b">MII", b">AAA"))

    def test_certificate_that_is_not_enrolled(self):
        self.each_version("FailedAuthentication", lambda r: r, pilot="stranger")

    def test_who_cannot_sign_learns_nothing_of_enrolment(self):
        for pilot in ("barcelona", "stranger"):
            self.each_version("FailedCheck", lambda r: r.replace(b"<wsu:Expires>2", b"<wsu:Expires>3").replace(
                b"<ds:SignatureValue>", b"<ds:SignatureValue>AAAA"), pilot=pilot)

    def test_enrolled_for_another_tenant(self):
        self.each_version("FailedAuthentication", lambda r: r, pilot="eibar", signed=True)

    def test_changed_body(self):
        self.each_version("FailedCheck", lambda r: r.replace(b">12.3<", b">12.4<"))

    def test_outside_the_window(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        for shift in (datetime.timedelta(minutes=-6), datetime.timedelta(minutes=2)):
            self.each_version("MessageExpired", lambda r: r, created=now + shift)

    def test_the_same_signature_again(self):
        for soap, status in ((SOAP11, 500), (SOAP12, 400)):
            request = self.signed(soap)
            self.assertEqual(self.district.post(request, TYPES[soap])[0], 200)
            answer = self.district.post(request, TYPES[soap])
            self.check(soap, answer, status, "MessageReplayed", signed=True)
            for name in (b"receiptId", b"receivedAt", b"payloadDigest"):
                self.assertIn(name, answer[1])

    def test_what_is_not_an_acceptable_soap_message(self):
        deep = b"<a>" * 100 + b"</a>" * 100
        changes = {
            "not well-formed": lambda r: r[:-3],
            "document type": lambda r: b'<!DOCTYPE x [<!ENTITY e "e">]>' + r[r.index(b"<soap:"):],
            "processing instruction": lambda r: r.replace(b"<messages>", b"<?x y?><messages>"),
            "not SOAP": lambda r: b"<html/>",
            "too deep": lambda r: r.replace(b"<messages>", b"<messages>" + deep),
            "two bodies": lambda r: r.replace(b"</soap:Envelope>", b"<soap:Body/></soap:Envelope>"),
        }
        for name, change in changes.items():
            with self.subTest(name):
                self.each_version("Client", change)

    def test_neither_version_of_soap(self):
        self.each_version("VersionMismatch", lambda r: re.sub(
            rb'xmlns:soap="[^"]+"', b'xmlns:soap="http://example.org/soap"', r), statuses=(500, 500))

    def test_fails_the_schema(self):
        bad = BARCELONA.replace("<energy_measure>12.3", "<energy_measure>much")
        self.each_version("InvalidMessage", lambda r: r, messages=BARCELONA + bad, signed=True)

    def test_the_detail_names_message_path_line_and_reason(self):
        bad = BARCELONA.replace("12.3", "NaN")
        _, answer = self.district.post(self.signed(SOAP11, messages=BARCELONA + bad))
        text = answer.decode()
        self.assertIn("<urb:messageIndex>2</urb:messageIndex>", text)
        self.assertRegex(text, r"<urb:path>[^<]*message\[2\][^<]*energy_measure</urb:path>")
        self.assertRegex(text, r"<urb:line>[1-9][0-9]*</urb:line>")

    def test_type_that_the_tenant_may_not_send(self):
        self.each_version("InvalidMessage", lambda r: r, messages=xmlsec1_test.EIBAR, signed=True)

    def test_header_rules(self):
        for change in (("00:00+01:00</timestamp>", "00:00</timestamp>"),
                       ("2018-03-01T01:00:00+01:00</timestamp>", "2099-03-01T01:00:00+01:00</timestamp>")):
            self.each_version("InvalidMessage", lambda r: r, messages=BARCELONA.replace(*change), signed=True)

    def test_mandatory_header_that_we_do_not_know(self):
        self.each_version("MustUnderstand", lambda r: r.replace(
            b"</soap:Header>", b'<t:T xmlns:t="urn:t" soap:mustUnderstand="1"/></soap:Header>'), statuses=(500, 500))

    def test_addressing_headers_are_known(self):
        wsa = (b'<wsa:%s xmlns:wsa="http://www.w3.org/2005/08/addressing" soap:mustUnderstand="1">x</wsa:%s>')
        headers = b"".join(wsa % (name, name) for name in (b"Action", b"MessageID", b"To"))
        status, answer = self.district.post(self.signed(SOAP11).replace(b"</soap:Header>", headers + b"</soap:Header>"))
        self.assertEqual(status, 200, answer)

    def announce(self, size, content_type):
        """The answer to a request of which only the head has been sent."""
        connection = http.client.HTTPSConnection("localhost", self.district.port, timeout=30, context=self.district.tls())
        with contextlib.closing(connection):
            connection.putrequest("POST", district.SERVICE)
            connection.putheader("Content-Type", content_type)
            connection.putheader("Content-Length", str(size))
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, answer.read()

    def test_too_large(self):
        for soap in (SOAP11, SOAP12):
            self.check(soap, self.announce(513 << 20, TYPES[soap]), 413, "Client")

    def test_a_gzip_bomb_is_not_inflated_to_its_end(self):
        bomb = gzip.compress(b" " * (40 << 20))
        self.check(SOAP11, self.district.post(bomb, TYPES[SOAP11], {"Content-Encoding": "gzip"}), 500, "Client")

    def test_media_types_and_codings_that_are_not_ours(self):
        request = self.signed(SOAP11)
        self.check(SOAP11, self.district.post(request, "application/json"), 415, "Client")
        self.check(SOAP11, self.district.post(request, 'multipart/related; type="application/xop+xml"'), 415, "Client")
        self.check(SOAP11, self.district.post(request, TYPES[SOAP11], {"Content-Encoding": "br"}), 415, "Client")

    def test_gzip_is_taken_and_the_digest_is_of_what_it_held(self):
        request = self.signed(SOAP11)
        status, answer = self.district.post(gzip.compress(request), TYPES[SOAP11], {"Content-Encoding": "gzip"})
        self.assertEqual(status, 200, answer)
        district.check_receipt(self, self.district, request, answer)


if __name__ == "__main__":
    district.main()
