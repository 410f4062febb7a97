"""A districtd of its own for a test: free port, temporary folder, demo keys, three pilots enrolled.

Programs come from the folder in DISTRICT_BIN (CTest sets it), else from build/bin.
"""
import base64
import contextlib
import csv
import ctypes
import hashlib
import http.client
import io
import json
import os
import pathlib
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

from lxml import etree

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("DISTRICT_BIN", ROOT / "build" / "bin"))
PILOTS = ROOT / "tests" / "data" / "pilots"
SERVICE = "/services/aggregation"
ACTION = "http://urb-grade.eu/AggregateMessage"
SKIPPED = 77  # what CTest takes for "not run"

SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSSE11 = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
DS = "http://www.w3.org/2000/09/xmldsig#"
URB = "http://urb-grade.eu"
NS = {"soap": SOAP11, "wsse": WSSE, "wsse11": WSSE11, "wsu": WSU, "ds": DS, "urb": URB}

TENANTS = {"10": "kalundborg", "20": "barcelona", "30": "eibar"}


def _die_with_parent():
    """No server outlives a test that CTest had to kill (prctl PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def run(*command, timeout=120):
    """Runs a program to its end; the result has returncode, stdout and stderr as text."""
    return subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          timeout=timeout, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent)


def checked(*command, timeout=120):
    done = run(*command, timeout=timeout)
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


class District:
    """with District() as district: ... ; leaves no process and no folder behind."""

    def __init__(self):
        self._temporary = tempfile.TemporaryDirectory(prefix="district-e2e-")
        self.folder = pathlib.Path(self._temporary.name)
        self.pki = self.folder / "pki"
        self.data = self.folder / "data"
        self.log = self.folder / "districtd.log"
        self.process = None
        self.port = 0

    def __enter__(self):
        try:
            checked(ROOT / "certs" / "make-demo-pki", self.pki)
            self.start()
            for tenant, pilot in TENANTS.items():
                self.ctl("tenant", "add", "--file", ROOT / "truststore" / tenant / "tenant.toml")
                self.ctl("enrol", "--tenant", tenant, self.certificate(pilot))
        except BaseException:
            self.kill()
            self._temporary.cleanup()
            raise
        return self

    def __exit__(self, kind, *_):
        try:
            code = self.stop()
            if kind is None and code != 0:
                raise AssertionError(f"districtd ended with {code}:\n{self.log.read_text()[-2000:]}")
        finally:
            self.kill()
            self._temporary.cleanup()

    # -- the server ---------------------------------------------------------------------------

    def start(self, port=0):
        already = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(port), stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            started = re.search(r"https://[^\s\"/]+:(\d+)", self.log.read_text()[already:])
            if started:
                self.port = int(started.group(1))
                if self._healthy():
                    return
            time.sleep(0.05)
        raise AssertionError(f"districtd does not start:\n{self.log.read_text()[-2000:]}")

    def command(self, port):
        return [BIN / "districtd", "--demo", self.folder, "--port", str(port)]

    def _healthy(self):
        try:
            return self.get("/health")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def stop(self):
        """Asks it to end and gives its exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(timeout=30)

    def kill(self):
        """kill -9."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    # -- its clients --------------------------------------------------------------------------

    @property
    def url(self):
        return f"https://localhost:{self.port}{SERVICE}"

    def certificate(self, pilot):
        return self.pki / "pilots" / f"{pilot}.pem"

    def key(self, pilot):
        return self.pki / "pilots" / f"{pilot}.key"

    def tls(self):
        return ssl.create_default_context(cafile=str(self.pki / "ca.pem"))

    def get(self, target):
        return self._request("GET", target, None, {})

    def post(self, body, content_type="text/xml; charset=utf-8", headers=None):
        """(status, body) of a POST of the octets."""
        return self._request("POST", SERVICE, body, {
            "Content-Type": content_type, "SOAPAction": f'"{ACTION}"', **(headers or {})})

    def _request(self, method, target, body, headers):
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=30,
                                                 context=self.tls())
        with contextlib.closing(connection):
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def ctl(self, *arguments, timeout=300):
        return checked(BIN / "districtctl", "--data", self.data, *arguments, timeout=timeout)

    def ctl_json(self, *arguments):
        return json.loads(self.ctl("--json", *arguments))

    def gateway(self, tenant, *arguments, url=None, pilot=None, key=None, ca=None, timeout=300):
        """district-gateway send as the tenant's pilot, or another; the result of run()."""
        pilot = pilot or TENANTS[tenant]
        return run(BIN / "district-gateway", "send", "--url", url or self.url, "--tenant", tenant,
                   "--certificate", self.certificate(pilot), "--key", key or self.key(pilot),
                   "--ca", ca or self.pki / "ca.pem", "--receipts", self.folder / "receipts.jsonl",
                   *arguments, timeout=timeout)

    def send(self, tenant, *arguments):
        """Sends and demands success; gives the receipts."""
        done = self.gateway(tenant, "--json", *arguments)
        if done.returncode != 0:
            raise AssertionError(f"district-gateway ended with {done.returncode}\n{done.stderr}\n"
                                 f"{self.log.read_text()[-2000:]}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def wait_for_kpis(self):
        self.ctl("status", "--wait", "240")

    def kpis(self, tenant, window, **attributes):
        """{(start as YYYY-MM-DDTHH:MM:SSZ, KPI): row of districtctl's CSV} of a tenant's windows."""
        options = [part for name, value in attributes.items() for part in (f"--{name}", value)]
        text = self.ctl("kpi", "--tenant", tenant, "--window", window, "--csv", *options)
        return {(row["window_start"], row["kpi"]): row for row in csv.DictReader(io.StringIO(text))}


# -- receipts, judged by xmlsec1 -----------------------------------------------------------------

def verify_with_xmlsec1(envelope, certificate, soap=SOAP11):
    """The signature of an answer by the xmlsec1 command line, with the signer's certificate."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(envelope)
        file.flush()
        checked("xmlsec1", "--verify", "--pubkey-cert-pem", certificate,
                "--enabled-key-data", "key-name",
                "--id-attr:Id", f"{soap}:Body", "--id-attr:Id", f"{WSU}:Timestamp",
                "--id-attr:Id", f"{WSSE11}:SignatureConfirmation", file.name)


def check_receipt(test, district, request, answer, family="rsa"):
    """Everything that makes an answer the receipt of a request; gives the receipt's id."""
    verify_with_xmlsec1(answer, district.pki / f"receipt-{family}.pem")
    root = etree.fromstring(answer)
    # What was verified is what is read: the references name the Body, Timestamp, confirmation.
    references = {reference.get("URI") for reference in root.iterfind(".//ds:Reference", NS)}
    for path in ("soap:Body", "soap:Header/wsse:Security/wsu:Timestamp",
                 "soap:Header/wsse:Security/wsse11:SignatureConfirmation"):
        test.assertIn("#" + root.find(path, NS).get(f"{{{WSU}}}Id"), references, path)
    ours = etree.fromstring(request).find(".//ds:Signature/ds:SignatureValue", NS).text
    confirmed = root.find(".//wsse11:SignatureConfirmation", NS).get("Value")
    test.assertEqual(confirmed, "".join(ours.split()))
    receipt = root.find("soap:Body/urb:AggregateMessageResponse", NS)
    test.assertIsNotNone(receipt, answer.decode())
    digest = base64.b64encode(hashlib.sha256(request).digest()).decode()
    test.assertEqual(receipt.findtext("urb:payloadDigest", namespaces=NS).strip(), digest)
    return receipt.findtext("urb:receiptId", namespaces=NS).strip()


def main():
    """unittest's main for CTest: exit code 77 where nothing could run, with the reason."""
    outcome = unittest.main(module="__main__", exit=False, verbosity=2).result
    if outcome.wasSuccessful() and outcome.skipped and len(outcome.skipped) == outcome.testsRun:
        for _, reason in outcome.skipped:
            print(f"SKIPPED: {reason}")
        sys.exit(SKIPPED)
    sys.exit(0 if outcome.wasSuccessful() and outcome.testsRun else 1)
