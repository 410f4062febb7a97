"""zeep, a stranger to this project, reads the served WSDL, sends a signed message, gets a receipt."""
import datetime
import unittest

import requests
import xmlsec
import zeep
from lxml import etree
from zeep.wsse import utils
from zeep.wsse.signature import BinarySignature, Signature

import district

START, END = "2018-03-01T00:00:00+01:00", "2018-03-01T01:00:00+01:00"


class WithTimestamp:
    """zeep signs a Timestamp where there is one, but makes none. Answers are judged elsewhere."""

    def apply(self, envelope, headers):
        now = datetime.datetime.now(datetime.timezone.utc)
        security = utils.get_security_header(envelope)
        security.append(utils.WSU.Timestamp(
            utils.WSU.Created(now.isoformat()),
            utils.WSU.Expires((now + datetime.timedelta(minutes=5)).isoformat())))
        return super().apply(envelope, headers)

    def verify(self, envelope):
        return envelope


class Binary(WithTimestamp, BinarySignature):
    """The certificate in a BinarySecurityToken."""


class Issuer(WithTimestamp, Signature):
    """The certificate in ds:X509Data, beside the X509IssuerSerial that zeep leaves empty."""


class Recorder(zeep.Transport):
    """Keeps the octets of the last exchange."""

    def post(self, address, message, headers):
        self.request = message
        answer = super().post(address, message, headers)
        self.answer = answer.content
        return answer


def gcontent():
    values = (("measure_timestamp_start", START), ("measure_timestamp_end", END),
              ("energy_measure", "12.3"), ("energy_price", "0.081"), ("temperature_in", "20.5"))
    elements = []
    for name, text in values:
        element = etree.Element(name)
        element.text = text
        elements.append(element)
    return {"_value_1": elements}


class ZeepTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.district = cls.enterClassContext(district.District())

    def client(self, signer):
        session = requests.Session()
        session.verify = str(self.district.pki / "ca.pem")
        session.trust_env = False
        self.addCleanup(session.close)
        transport = Recorder(session=session, timeout=30, operation_timeout=30)
        signature = signer(str(self.district.key("barcelona")),
                           str(self.district.certificate("barcelona")),
                           signature_method=xmlsec.Transform.RSA_SHA256,
                           digest_method=xmlsec.Transform.SHA256)
        return zeep.Client(self.district.url + "?wsdl", transport=transport, wsse=signature)

    def send(self, client, source):
        message = {
            "head": {
                "timestamp": END,
                "messageType": {"type": "001", "version": "0.0.1"},
                "messageSource": {"messageSourceElement": source},
            },
            "content": {"gcontent": gcontent()},
        }
        service = client.bind("AggregationService", "AggregationPort")
        return service.AggregateMessage(messages={"message": [message]}, tenantCode="20")

    def check(self, signer, source):
        client = self.client(signer)
        receipt = self.send(client, source)
        self.assertEqual(receipt.messageCount, 1)
        receipt_id = district.check_receipt(self, self.district, client.transport.request,
                                            client.transport.answer)
        self.assertEqual(receipt.receiptId, receipt_id)
        raw = self.district.ctl("envelope", "show", receipt_id, "--raw")
        self.assertEqual(raw.encode(), client.transport.request)

    def test_binary_security_token_is_accepted_and_its_receipt_verifies(self):
        self.check(Binary, "ZEEP-BINARY")

    def test_x509_data_is_accepted_and_its_receipt_verifies(self):
        self.check(Issuer, "ZEEP-ISSUER")

    def test_rsa_sha1_is_refused_where_the_enrolment_does_not_allow_it(self):
        client = self.client(lambda key, certificate, **_: Binary(key, certificate))
        with self.assertRaises(zeep.exceptions.Fault) as refused:
            self.send(client, "ZEEP-SHA1")
        self.assertEqual(refused.exception.code.split(":")[-1], "UnsupportedAlgorithm")

    def test_energy_reaches_the_kpis(self):
        self.send(self.client(Binary), "ZEEP-KPI")
        self.district.wait_for_kpis()
        rows = self.district.kpis("20", "day", source="ZEEP-KPI")
        row = rows[("2018-02-28T23:00:00Z", "energy_kwh")]
        self.assertAlmostEqual(float(row["value"]), 12.3)


if __name__ == "__main__":
    district.main()
