#!/usr/bin/python3
"""Sends energy measurements with zeep, signed with WS-Security, and verifies what is answered."""
import datetime
import json
import pathlib
import sys

import requests
import xmlsec
import zeep
from lxml import etree
from zeep.wsse import signature, utils
from zeep.wsse.signature import BinarySignature, Signature

NS = {"soap": "http://schemas.xmlsoap.org/soap/envelope/", "ds": "http://www.w3.org/2000/09/xmldsig#",
      "wsse": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd",
      "wsse11": "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd",
      "wsu": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"}

# zeep's own defaults are rsa-sha1 and sha1, which District refuses: both have to be named.
ALGORITHMS = {
    "rsa-sha256": (xmlsec.Transform.RSA_SHA256, xmlsec.Transform.SHA256),
    "ecdsa-sha256": (xmlsec.Transform.ECDSA_SHA256, xmlsec.Transform.SHA256),
    "rsa-sha1": (xmlsec.Transform.RSA_SHA1, xmlsec.Transform.SHA1),
}


class Receipts:
    """Adds the Timestamp that zeep signs but does not make, and verifies the answers."""

    def trust(self, receipts):
        self.receipts = receipts  # PEM texts of the server's receipt certificates
        return self

    def apply(self, envelope, headers):
        now = datetime.datetime.now(datetime.timezone.utc)
        security = utils.get_security_header(envelope)
        security.append(utils.WSU.Timestamp(
            utils.WSU.Created(now.isoformat()),
            utils.WSU.Expires((now + datetime.timedelta(minutes=5)).isoformat())))
        envelope, headers = super().apply(envelope, headers)
        value = envelope.findtext(".//ds:Signature/ds:SignatureValue", namespaces=NS)
        self.sent = "".join(value.split())
        return envelope, headers

    def verify(self, envelope):
        """zeep calls this for every answer, faults too. Faults to strangers are not signed."""
        self.state, self.confirmed = "none", False
        if envelope.find(".//ds:Signature", NS) is None:
            if envelope.find("soap:Body/soap:Fault", NS) is None:
                raise zeep.exceptions.SignatureVerificationFailed("a receipt without a signature")
            return envelope
        # zeep verifies what the references name, the first element of each id; that they name this
        # Body, and no other element has its id, is for us to see.
        names = {reference.get("URI") for reference in envelope.iterfind(".//ds:Reference", NS)}
        confirmation = envelope.find("soap:Header/wsse:Security/wsse11:SignatureConfirmation", NS)
        for signed in (envelope.find("soap:Body", NS), confirmation,
                       envelope.find("soap:Header/wsse:Security/wsu:Timestamp", NS)):
            name = "" if signed is None else signed.get(etree.QName(NS["wsu"], "Id"), "")
            if "#" + name not in names or len(envelope.xpath("//*[@wsu:Id=$name]", name=name, namespaces=NS)) != 1:
                raise zeep.exceptions.SignatureVerificationFailed("not all is signed")
        for certificate in self.receipts:
            try:
                signature._verify_envelope_with_key(envelope, signature._make_verify_key(certificate))
            except (zeep.exceptions.SignatureVerificationFailed, xmlsec.Error):
                continue
            self.state = "verified"
            self.confirmed = confirmation.get("Value") == self.sent
            return envelope
        raise zeep.exceptions.SignatureVerificationFailed("by none of the receipt certificates")


class Binary(Receipts, BinarySignature):
    """The certificate in a BinarySecurityToken."""


class Issuer(Receipts, Signature):
    """The certificate in ds:X509Data, beside an X509IssuerSerial that zeep leaves empty."""


class Recorder(zeep.Transport):
    """Keeps the octets of the last exchange; a gateway keeps them with its receipts."""

    def post(self, address, message, headers):
        self.request = message
        answer = super().post(address, message, headers)
        self.answer = answer.content
        return answer


def request_from(file):
    """Arguments of the operation. gcontent is xs:any: its elements go in as they are."""
    given = json.loads(pathlib.Path(file).read_text())
    messages = []
    for entry in given["messages"]:
        content = []
        for name, text in entry["content"]:
            content.append(etree.Element(name))
            content[-1].text = text
        source = {"messageSourceElement": entry["source"]}
        if entry["position"]:
            x, y = entry["position"]
            source["messagePosition"] = {"messagePositionX": x, "messagePositionY": y}
        messages.append({
            "head": {"timestamp": entry["timestamp"],
                     "messageType": {"type": entry["type"], "version": entry["version"]},
                     "messageSource": source},
            "content": {"gcontent": {"_value_1": content}}})
    return {"messages": {"message": messages}, "tenantCode": given["tenantCode"]}


def send(url, transport, receipts, exchange):
    plugin = {"token": Binary, "x509-data": Issuer}[exchange["reference"]]
    method, digest = ALGORITHMS[exchange["algorithm"]]
    signer = plugin(exchange["key"], exchange["certificate"], signature_method=method,
                    digest_method=digest).trust(receipts)
    client = zeep.Client(url + "?wsdl", transport=transport, wsse=signer)
    service = client.bind("AggregationService", "AggregationPort")
    result = {}
    try:
        if "resend" in exchange:
            octets = pathlib.Path(exchange["resend"] + "-request.xml").read_bytes()
            sent = etree.fromstring(octets).findtext(".//ds:Signature/ds:SignatureValue", namespaces=NS)
            signer.sent = "".join(sent.split())
            answer = transport.post(url, octets, {
                "Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"http://urb-grade.eu/AggregateMessage"'})
            operation = service._binding.get("AggregateMessage")
            receipt = service._binding.process_reply(client, operation, answer)
        else:
            receipt = service.AggregateMessage(**request_from(exchange["request"]))
        if signer.confirmed:
            result["receiptId"] = receipt.receiptId
    except zeep.exceptions.Fault as fault:
        result.update(fault=fault.code.split(":")[-1], text=fault.message)
    except zeep.exceptions.SignatureVerificationFailed as refused:
        signer.state = f"does not verify: {refused}"
    return {**result, "signature": signer.state, "confirmed": signer.confirmed}


def main():
    url, ca, receipt_file = sys.argv[1:]
    mark = "-----END CERTIFICATE-----\n"
    receipts = [part + mark for part in pathlib.Path(receipt_file).read_text().split(mark)[:-1]]
    with requests.Session() as session:
        session.verify = ca
        session.trust_env = False
        transport = Recorder(session=session, timeout=30, operation_timeout=30)
        for line in sys.stdin:
            exchange = dict(word.split("=", 1) for word in line.split())
            result = send(url, transport, receipts, exchange)
            pathlib.Path(exchange["record"] + "-request.xml").write_bytes(transport.request)
            pathlib.Path(exchange["record"] + "-answer.xml").write_bytes(transport.answer)
            print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
