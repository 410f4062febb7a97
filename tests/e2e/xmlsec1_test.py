"""Requests signed by the xmlsec1 command line from a template; receipts verified by it."""
import base64
import datetime
import hashlib
import pathlib
import re
import subprocess
import tempfile
import unittest

import district
from district import DS, SOAP11, URB, WSSE, WSU

TEMPLATE = """<soap:Envelope xmlns:soap="{soap}"><soap:Header>
<wsse:Security xmlns:wsse="{wsse}" xmlns:wsu="{wsu}" soap:mustUnderstand="1">
<wsu:Timestamp wsu:Id="T"><wsu:Created>{created}</wsu:Created><wsu:Expires>{expires}</wsu:Expires></wsu:Timestamp>
<wsse:BinarySecurityToken wsu:Id="C" EncodingType="{wss}#Base64Binary" ValueType="{x509}#X509v3">{certificate}</wsse:BinarySecurityToken>
<ds:Signature xmlns:ds="{ds}"><ds:SignedInfo>
<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#{algorithm}"/>
{references}
</ds:SignedInfo><ds:SignatureValue/>
<ds:KeyInfo><wsse:SecurityTokenReference><wsse:Reference URI="#C" ValueType="{x509}#X509v3"/></wsse:SecurityTokenReference></ds:KeyInfo>
</ds:Signature></wsse:Security></soap:Header>
<soap:Body xmlns:wsu="{wsu}" wsu:Id="B"><urb:AggregateMessageRequest xmlns:urb="{urb}"><messages>{messages}</messages>
<urb:tenantCode>{tenant}</urb:tenantCode></urb:AggregateMessageRequest></soap:Body></soap:Envelope>
"""
REFERENCE = """<ds:Reference URI="#{id}"><ds:Transforms>
<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms>
<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference>"""
BARCELONA = """<message><head><timestamp>2018-03-01T01:00:00+01:00</timestamp>
<messageType><type>001</type><version>0.0.1</version></messageType>
<messageSource><messageSourceElement>XMLSEC1</messageSourceElement></messageSource></head>
<content><gcontent><measure_timestamp_start>2018-03-01T00:00:00+01:00</measure_timestamp_start>
<measure_timestamp_end>2018-03-01T01:00:00+01:00</measure_timestamp_end>
<energy_measure>12.3</energy_measure></gcontent></content></message>"""
KALUNDBORG = """<message><head><timestamp>2015-04-13T16:11:42.9000728+02:00</timestamp>
<messageType><type>001</type><version>002</version></messageType>
<messageSource><messageSourceElement>SeasNve</messageSourceElement>
<messagePosition><messagePositionX>41</messagePositionX><messagePositionY>-4</messagePositionY></messagePosition>
</messageSource></head><content><gcontent><ID_Meter_consumption>Z-7</ID_Meter_consumption>
<Consumer_measure>1204.5</Consumer_measure></gcontent></content></message>"""


EIBAR = """<message><head><timestamp>2018-03-01T00:00:00Z</timestamp>
<messageType><type>001</type><version>001</version></messageType>
<messageSource><messageSourceElement>EIB-L1</messageSourceElement></messageSource></head>
<content><gcontent><consumer_measure>5960.6</consumer_measure></gcontent></content></message>"""


def certificate_of(server, pilot):
    """The base64 of a pilot's certificate."""
    return "".join(re.findall(r"^[A-Za-z0-9+/=]+$", server.certificate(pilot).read_text(), re.M))


def sign(server, tenant, messages, references=("T", "B"), created=None, pilot=None):
    """A request for the tenant, signed by xmlsec1 with its pilot's key, or another pilot's."""
    pilot = pilot or district.TENANTS[tenant]
    created = created or datetime.datetime.now(datetime.timezone.utc)
    base = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
    text = TEMPLATE.format(
        soap=SOAP11, wsse=WSSE, wsu=WSU, ds=DS, urb=URB, tenant=tenant, messages=messages,
        wss=base + "-soap-message-security-1.0", x509=base + "-x509-token-profile-1.0",
        created=created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        expires=(created + datetime.timedelta(minutes=5)).isoformat(timespec="milliseconds"),
        certificate=certificate_of(server, pilot),
        algorithm="ecdsa-sha256" if pilot == "kalundborg" else "rsa-sha256",
        references="".join(REFERENCE.format(id=name) for name in references))
    with tempfile.TemporaryDirectory() as folder:
        template = pathlib.Path(folder) / "template.xml"
        template.write_text(text)
        done = subprocess.run(
            ["xmlsec1", "--sign", "--privkey-pem", str(server.key(pilot)),
             "--id-attr:Id", f"{SOAP11}:Body", "--id-attr:Id", f"{WSU}:Timestamp", str(template)],
            capture_output=True, timeout=30, check=True)
    return done.stdout


class Xmlsec1Test(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.district = cls.enterClassContext(district.District())

    def accepted(self, request, family):
        status, answer = self.district.post(request)
        self.assertEqual(status, 200, answer.decode())
        return district.check_receipt(self, self.district, request, answer, family)

    def refused(self, request, code):
        status, answer = self.district.post(request)
        self.assertEqual(status, 500, answer.decode())
        self.assertIn(f":{code}<", answer.decode())
        return answer

    def test_rsa_request_is_accepted_and_gets_an_rsa_receipt(self):
        request = sign(self.district, "20", BARCELONA)
        receipt_id = self.accepted(request, "rsa")
        shown = self.district.ctl("envelope", "show", receipt_id, "--raw")
        self.assertEqual(shown.encode(), request)

    def test_ecdsa_request_is_accepted_and_gets_an_ecdsa_receipt(self):
        self.accepted(sign(self.district, "10", KALUNDBORG), "ecdsa")

    def test_the_same_octets_again_are_told_the_first_receipt_in_a_signed_fault(self):
        request = sign(self.district, "20", BARCELONA)
        receipt_id = self.accepted(request, "rsa")
        answer = self.refused(request, "MessageReplayed")
        self.assertIn(receipt_id, answer.decode())
        district.verify_with_xmlsec1(answer, self.district.pki / "receipt-rsa.pem")

    def test_one_changed_octet_is_refused_without_a_signature(self):
        request = sign(self.district, "20", BARCELONA)
        answer = self.refused(request.replace(b">12.3<", b">12.4<"), "FailedCheck")
        self.assertNotIn(b"SignatureValue", answer)

    def test_an_unsigned_body_or_timestamp_is_refused(self):
        self.refused(sign(self.district, "20", BARCELONA, references=("T",)), "InvalidSecurity")
        self.refused(sign(self.district, "20", BARCELONA, references=("B",)), "InvalidSecurity")

    def test_another_tenants_code_is_refused(self):
        self.refused(sign(self.district, "20", BARCELONA, pilot="eibar"), "FailedAuthentication")

    def test_content_that_the_tenant_may_not_send_is_named_to_its_authenticated_sender(self):
        answer = self.refused(sign(self.district, "30", EIBAR + BARCELONA), "InvalidMessage")
        district.verify_with_xmlsec1(answer, self.district.pki / "receipt-rsa.pem")
        self.assertIn(b"<urb:messageIndex>2<", answer)

    def test_an_hour_old_request_is_expired(self):
        hour_ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
        self.refused(sign(self.district, "20", BARCELONA, created=hour_ago), "MessageExpired")

    def test_a_revoked_certificate_is_refused_from_the_next_request_on(self):
        with district.District() as server:
            status, _ = server.post(sign(server, "30", EIBAR))
            self.assertEqual(status, 200)
            der = base64.b64decode(certificate_of(server, "eibar"))
            server.ctl("revoke", hashlib.sha256(der).hexdigest(), "--reason", "key lost")
            status, answer = server.post(sign(server, "30", EIBAR))
            self.assertEqual(status, 500)
            self.assertIn(b":InvalidSecurityToken<", answer)


if __name__ == "__main__":
    district.main()
