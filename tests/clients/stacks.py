"""What every stack's client is held to: a server of its own, the pilots' messages, the exchanges of exchange.py."""
import contextlib
import datetime
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from xml.sax.saxutils import escape

from lxml import etree

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import commands  # noqa: E402
import district  # noqa: E402
from exchange import Client, false_server, forgeries  # noqa: E402

# What the pilots' gateways send; {pilot: request}.
MESSAGES = {file.stem: json.loads(file.read_text()) for file in sorted((HERE / "messages").glob("*.json"))}
# Well-formed and signed, but no number, which only the content schema can tell.
INVALID = {**MESSAGES["eibar"], "messages": [
    {**MESSAGES["eibar"]["messages"][0], "content": [["consumer_measure", "much"]]}]}


def as_xml(request):
    """The request as the one element of the Body."""
    def element(name, content):
        return f"<{name}>{content}</{name}>"

    messages = ""
    for entry in request["messages"]:
        source = element("messageSourceElement", escape(entry["source"]))
        if entry["position"]:
            source += element("messagePosition", element("messagePositionX", entry["position"][0]) +
                              element("messagePositionY", entry["position"][1]))
        head = (element("timestamp", entry["timestamp"]) +
                element("messageType", element("type", entry["type"]) + element("version", entry["version"])) +
                element("messageSource", source))
        content = "".join(element(name, escape(text)) for name, text in entry["content"])
        messages += element("message", element("head", head) + element("content", element("gcontent", content)))
    return (f'<urb:AggregateMessageRequest xmlns:urb="{district.URB}">{element("messages", messages)}'
            f'{element("urb:tenantCode", request["tenantCode"])}</urb:AggregateMessageRequest>')


def write_request(folder, name, request):
    file = pathlib.Path(folder) / f"{name}.json"
    file.write_text(json.dumps(request))
    file.with_suffix(".xml").write_text(as_xml(request), encoding="utf-8")
    return file


class Site:
    """A server, and gateways beside the three of the demo: `with Site() as site`.

    kalundborg-rsa  for stacks that cannot sign with ECDSA
    legacy          a gateway of Barcelona whose enrolment allows rsa-sha1
    stranger        has a certificate of the same authority, but is not enrolled
    """

    def __enter__(self):
        self.requests = 0
        self.client = None
        with contextlib.ExitStack() as leave:
            self.district = leave.enter_context(district.District())
            self.enrol("kalundborg-rsa", "10")
            end = datetime.date.today() + datetime.timedelta(days=2)
            self.enrol("legacy", "20", "--allow-sha1-until", end.isoformat())
            self.make_certificate("stranger")
            self.receipts = self.district.folder / "receipts.pem"
            self.receipts.write_text("".join(
                (self.district.pki / f"receipt-{family}.pem").read_text() for family in ("rsa", "ecdsa")))
            self.leave = leave.pop_all()
        return self

    def __exit__(self, *outcome):
        return self.leave.__exit__(*outcome)

    def archived(self, receipt_id):
        """The octets that the archive holds."""
        return subprocess.run([district.BIN / "districtctl", "--data", self.district.data, "envelope", "show",
                               receipt_id, "--raw"], capture_output=True, check=True, timeout=60).stdout

    def make_certificate(self, name, key_of=None):
        """With a new key, or that of another gateway."""
        pki = self.district.pki
        key, pem = self.district.key(name), self.district.certificate(name)
        if key_of:
            shutil.copy(self.district.key(key_of), key)
        makes_key = ["-key", key] if key_of else ["-newkey", "rsa:2048", "-nodes", "-keyout", key]
        district.checked("openssl", "req", "-new", *makes_key, "-out", pki / "request.pem",
                         "-subj", f"/O=District demo/CN={name}")
        extensions = pki / "extensions.cnf"
        extensions.write_text("keyUsage = critical, digitalSignature\nsubjectKeyIdentifier = hash\n")
        district.checked("openssl", "x509", "-req", "-in", pki / "request.pem", "-CA", pki / "ca.pem",
                         "-CAkey", pki / "ca.key", "-set_serial", str(int.from_bytes(os.urandom(15), "big")),
                         "-days", "30", "-extfile", extensions, "-out", pem)

    def enrol(self, name, tenant, *options, key_of=None):
        self.make_certificate(name, key_of)
        self.district.ctl("enrol", "--tenant", tenant, *options, self.district.certificate(name))

    def exchange(self, command, *exchanges, url=None, receipts=None):
        """Runs the client with the exchanges; its result for each, with the octets."""
        lines = []
        for number, exchange in enumerate(exchanges):
            gateway = exchange["gateway"]
            given = {**exchange, "certificate": self.district.certificate(gateway), "key": self.district.key(gateway)}
            del given["gateway"]
            given.setdefault("record", self.district.folder / f"exchange-{number}")
            lines.append(given)
        ca = self.district.pki / "ca.pem"
        if url or receipts:
            with Client(command, url or self.district.url, ca, receipts or self.receipts) as client:
                return client.exchange(lines)
        if self.client is None:
            self.client = self.leave.enter_context(Client(command, self.district.url, ca, self.receipts))
        return self.client.exchange(lines)


def said(result):
    """The result without the octets, for messages of failed assertions."""
    return {name: value for name, value in result.items() if not isinstance(value, bytes)}


def layout(envelope):
    """The order in wsse:Security: B token, T Timestamp, S Signature, C SignatureConfirmation."""
    names = {"BinarySecurityToken": "B", "Timestamp": "T", "Signature": "S", "SignatureConfirmation": "C"}
    security = etree.fromstring(envelope).find("soap:Header/wsse:Security", district.NS)
    return "".join(names[etree.QName(child).localname] for child in security)


def transforms(request):
    """The transform algorithms of the references, by their last words."""
    found = etree.fromstring(request).iterfind(".//ds:Reference/ds:Transforms", district.NS)
    return {tuple(re.split("[/#]", child.get("Algorithm").rstrip("#"))[-1] for child in parent) for parent in found}


class StackTest:
    """The exchanges that every stack goes through; a mixin of unittest.TestCase.

    COMMAND     the client
    REFERENCES  key references that the stack can make, by their names in the exchange
    SIGNER      {pilot: (gateway, algorithm)}: ECDSA for Kalundborg where the stack can
    ORDER       of wsse:Security with a BinarySecurityToken, its habit
    PAGE        of the page docs/how-to/connect-{PAGE}.md; PAGE_NEEDS: programs of its commands that the test can do without
    """
    COMMAND = ()
    REFERENCES = ()
    SIGNER = {"kalundborg": ("kalundborg-rsa", "rsa-sha256"), "barcelona": ("barcelona", "rsa-sha256"),
              "eibar": ("eibar", "rsa-sha256")}
    ORDER = ""
    PAGE = ""
    PAGE_NEEDS = ()

    @classmethod
    def setUpClass(cls):
        cls.site = cls.enterClassContext(Site())

    def request(self, request):
        """The request in a file. Each is another, by its source: gSOAP and node-soap have fixed ids and
        times of whole seconds, so that the same content twice in a second would be a replay."""
        self.site.requests += 1
        messages = [{**entry, "source": f"{entry['source']} {self.site.requests}"} for entry in request["messages"]]
        return write_request(self.site.district.folder, f"request-{self.site.requests}",
                             {**request, "messages": messages})

    def sent_by(self, pilot, reference=None):
        gateway, algorithm = self.SIGNER[pilot]
        return {"request": self.request(MESSAGES[pilot]), "gateway": gateway, "algorithm": algorithm,
                "reference": reference or self.REFERENCES[0]}

    def check_receipt(self, result, algorithm):
        self.assertIsNone(result.get("fault"), said(result))
        self.assertEqual(result["signature"], "verified", said(result))
        self.assertTrue(result["confirmed"], said(result))
        # gSOAP's receivers count the Body twice where a signed element comes last.
        self.assertEqual(layout(result["answer"]), "TBCS")
        family = algorithm.split("-")[0]
        self.assertEqual(district.check_receipt(self, self.site.district, result["request"], result["answer"], family),
                         result["receiptId"])

    def check_signed_fault(self, result, name):
        self.assertEqual(result.get("fault"), name, said(result))
        self.assertEqual(result["signature"], "verified", said(result))
        self.assertTrue(result["confirmed"], said(result))

    def check_unsigned_fault(self, result, name):
        self.assertEqual(result.get("fault"), name, said(result))
        self.assertEqual(result["signature"], "none", said(result))
        self.assertNotIn(b"SignatureValue", result["answer"])

    def test_every_pilots_messages_by_every_key_reference_get_a_receipt_that_verifies(self):
        exchanges = [self.sent_by(pilot, reference) for reference in self.REFERENCES for pilot in MESSAGES]
        for given, result in zip(exchanges, self.site.exchange(self.COMMAND, *exchanges)):
            with self.subTest(gateway=given["gateway"], reference=given["reference"]):
                self.check_receipt(result, given["algorithm"])
                self.assertEqual(self.site.archived(result["receiptId"]), result["request"])

    def test_replay_and_schema_violation_are_told_in_faults_that_verify(self):
        first, sent = self.site.district.folder / "first", self.sent_by("barcelona")
        receipt, replayed, invalid = self.site.exchange(
            self.COMMAND, sent | {"record": first}, sent | {"resend": first},
            self.sent_by("eibar") | {"request": self.request(INVALID)})
        self.check_receipt(receipt, self.SIGNER["barcelona"][1])
        self.assertEqual(replayed["request"], receipt["request"])
        self.check_signed_fault(replayed, "MessageReplayed")
        self.assertIn(receipt["receiptId"].encode(), replayed["answer"])
        self.check_signed_fault(invalid, "InvalidMessage")
        self.assertIn(b"<urb:messageIndex>1<", invalid["answer"])

    def test_what_is_not_the_receipt_of_the_request_is_not_taken_for_it(self):
        genuine, = self.site.exchange(self.COMMAND, self.sent_by("eibar"))
        pki = self.site.district.pki
        answers = {"of another request": genuine["answer"], **forgeries(genuine["answer"])}
        with false_server(pki / "server.pem", pki / "server.key", [(200, answer) for answer in answers.values()]) as url:
            results = self.site.exchange(self.COMMAND, *(self.sent_by("eibar") for _ in answers), url=url)
        for how, result in zip(answers, results):
            with self.subTest(how):
                self.assertNotIn("receiptId", result, said(result))
                self.assertFalse(result["confirmed"], said(result))
                self.assertEqual(result["signature"] == "verified", how == "of another request", said(result))
        # Of the same authority, but not the receipts' certificate.
        other, = self.site.exchange(self.COMMAND, self.sent_by("eibar"), receipts=self.site.district.certificate("eibar"))
        self.assertNotIn("receiptId", other)
        self.assertNotEqual(other["signature"], "verified")

    def test_a_stranger_can_read_the_unsigned_fault_and_a_known_gateway_of_another_tenant_the_signed_one(self):
        stranger, other = self.site.exchange(
            self.COMMAND, self.sent_by("barcelona") | {"gateway": "stranger", "algorithm": "rsa-sha256"},
            self.sent_by("barcelona") | {"gateway": "eibar", "algorithm": "rsa-sha256"})
        self.check_unsigned_fault(stranger, "FailedAuthentication")
        # It is enrolled, if for another tenant, so what it is told is signed.
        self.check_signed_fault(other, "FailedAuthentication")

    def test_rsa_sha1_is_for_those_whose_enrolment_allows_it(self):
        legacy, refused = self.site.exchange(
            self.COMMAND, *(self.sent_by("barcelona") | {"gateway": name, "algorithm": "rsa-sha1"}
                            for name in ("legacy", "barcelona")))
        self.check_receipt(legacy, "rsa-sha1")
        self.assertEqual(refused["fault"], "UnsupportedAlgorithm", said(refused))

    def test_the_page_about_it_says_what_works(self):
        """Its shell block runs against this server and ends in a receipt that verifies."""
        if lacks := [name for name in self.PAGE_NEEDS if shutil.which(name) is None]:
            self.skipTest(f"the page's commands need {', '.join(lacks)}")
        page = district.ROOT / "docs" / "how-to" / f"connect-{self.PAGE}.md"
        blocks = re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.M | re.S)
        with tempfile.TemporaryDirectory() as work:
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)], cwd=district.ROOT, capture_output=True, text=True,
                timeout=100, stdin=subprocess.DEVNULL, preexec_fn=district._die_with_parent,
                env={**os.environ, "URL": self.site.district.url, "PKI": str(self.site.district.pki), "WORK": work,
                     "BUILD": str(commands.WORK.parents[1])})
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        self.assertRegex(done.stdout.splitlines()[-1], '"signature": ?"verified"')
        self.assertRegex(done.stdout.splitlines()[-1], '"receiptId": ?"[0-9A-Z]{26}"')

    def test_habits_are_as_documented(self):
        result, = self.site.exchange(self.COMMAND, self.sent_by("eibar"))
        self.assertEqual(layout(result["request"]), self.ORDER)
        self.check_habits(result["request"])

    def check_habits(self, request):
        """More of the stack's own."""


def main(test_class, command):
    """Runs the tests of the stack whose client `command` prepares; says what it lacks where it cannot."""
    try:
        test_class.COMMAND = command()
    except commands.Missing as missing:
        print(f"SKIPPED: {missing}")
        sys.exit(district.SKIPPED)
    district.main()
