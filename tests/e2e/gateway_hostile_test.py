"""district-gateway against a server that means harm, a disk that is full and a clock that is off."""
import datetime
import email.utils
import json
import pathlib
import re
import tempfile
import unittest

import district
from district import SOAP11, WSSE11, WSU
from gateway_test import (NO_RECEIPT, OK, REFUSED, SCHOOL, TRY_LATER, UNREACHABLE, USAGE, XML,
                          StandIn)

FAULT = (f'<soap:Envelope xmlns:soap="{SOAP11}"><soap:Body><soap:Fault><faultcode>soap:Client'
         "</faultcode><faultstring>{}</faultstring></soap:Fault></soap:Body></soap:Envelope>")


class GatewayHostileTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.district = cls.enterClassContext(district.District())

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.receipts = self.folder / "r.jsonl"

    def one_message(self, *options, url=None, receipts=None, timeout=60):
        """Sends the first hour of the sample, once unless told otherwise."""
        if "--retry-for" not in options:
            options += ("--retry-for", "0")
        return district.run(*self.command(url, receipts), *options, SCHOOL, timeout=timeout)

    def command(self, url=None, receipts=None):
        return [district.BIN / "district-gateway", "send", "--url", url or self.district.url,
                "--tenant", "20", "--certificate", self.district.certificate("barcelona"), "--key",
                self.district.key("barcelona"), "--ca", self.district.pki / "ca.pem", "--receipts",
                receipts or self.receipts, "--to", "2018-03-01T00:00:00Z"]

    def expect(self, done, code, *words):
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def signed_anew(self, answer, **values):
        """A genuine answer with other values, signed by the server's own key."""
        text = answer.decode()
        for name, value in values.items():
            text, count = re.subn(f"(<urb:{name}[^>]*>)[^<]*(</urb:{name}>)",
                                  lambda match: match[1] + value + match[2], text)
            self.assertEqual(count, 1, name)
        for name in ("DigestValue", "SignatureValue"):
            text = re.sub(f"(<ds:{name}>)[^<]*(</ds:{name}>)", r"\1\2", text)
        file = self.folder / "answer.xml"
        file.write_text(text)
        signed = self.folder / "signed.xml"
        district.checked("xmlsec1", "--sign", "--privkey-pem", self.district.pki / "receipt-rsa.key",
                         "--id-attr:Id", f"{SOAP11}:Body", "--id-attr:Id", f"{WSU}:Timestamp",
                         "--id-attr:Id", f"{WSSE11}:SignatureConfirmation", "--output", signed, file)
        # xmlsec1 writes a declaration and breaks base64 into lines; both are allowed.
        return signed.read_bytes()

    def replay_with_id(self, receipt_id):
        """Answers with a signed MessageReplayed of this receiptId."""
        def answer(body, _):
            self.district.post(body)
            status, fault = self.district.post(body)
            return status, XML, self.signed_anew(fault, receiptId=receipt_id)
        return answer

    # -- answers ------------------------------------------------------------------------------

    def test_a_replay_that_is_told_by_a_ulid_is_proof(self):
        keep = self.folder / "kept"
        receipt_id = "01JD0VZ9C4MRT8YB2J9X5Q6W3E"
        with StandIn(self.district.pki, self.replay_with_id(receipt_id)) as server:
            self.expect(self.one_message("--keep", keep, url=server.url), OK)
        self.assertEqual({file.name for file in keep.iterdir()},
                         {f"{receipt_id}.request.xml", f"{receipt_id}.response.xml"})
        for file in keep.iterdir():
            self.assertEqual(file.stat().st_mode & 0o777, 0o600)

    def test_only_a_ulid_becomes_the_name_of_a_file(self):
        keep = self.folder / "kept"
        (self.folder / "escaped").mkdir()
        for receipt_id in ("../escaped/x", "/tmp/x", "01JD0VZ9C4MRT8YB2J9X5Q6W3", "x&#10;y",
                           "01jd0vz9c4mrt8yb2j9x5q6w3e", ""):
            with self.subTest(receipt_id), \
                    StandIn(self.district.pki, self.replay_with_id(receipt_id)) as server:
                self.expect(self.one_message("--keep", keep, url=server.url), NO_RECEIPT, "(7005)")
                self.assertEqual(list(keep.iterdir()), [])
                self.assertEqual(list((self.folder / "escaped").iterdir()), [])
                self.assertEqual(self.receipts.read_text(), "")

    def test_one_receipt_for_two_envelopes_is_told_and_destroys_no_proof(self):
        keep = self.folder / "kept"
        receipt_id = "01JD0VZ9C4MRT8YB2J9X5Q6W3E"
        with StandIn(self.district.pki, self.replay_with_id(receipt_id)) as server:
            self.expect(self.one_message("--keep", keep, url=server.url), OK)
            first = {file.name: file.read_bytes() for file in keep.iterdir()}
            for copy in (2, 3):  # each in a run of its own
                done = self.one_message("--keep", keep, url=server.url)
                self.expect(done, NO_RECEIPT, receipt_id, "two different envelopes")
                self.assertTrue((keep / f"{receipt_id}-{copy}.response.xml").is_file())
        for name, octets in first.items():
            self.assertEqual((keep / name).read_bytes(), octets)
        self.assertEqual(len(list(keep.iterdir())), 6)
        self.assertEqual(len(self.receipts.read_text().splitlines()), 3)

    def test_the_text_of_a_fault_cannot_drive_the_terminal(self):
        hostile = "bad\u202edog\u009b2J\u2066\u200f\u2028end"
        with StandIn(self.district.pki, lambda *_: (
                500, XML, FAULT.format(hostile).encode())) as server:
            done = self.one_message(url=server.url)
        self.expect(done, REFUSED, "bad\\u{202E}dog", "not signed")
        self.assertNotRegex(done.stderr, "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")

    def test_answers_that_are_malformed_end_with_6(self):
        fault = FAULT.format("x").encode()
        cases = {
            "a fault cut short": (500, XML, fault[:-20]),
            "no XML": (500, XML, b"Internal Server Error"),
            "nothing": (500, XML, b""),
            "two bodies": (500, XML, fault.replace(b"<soap:Body>", b"<soap:Body/><soap:Body>")),
            "an empty body": (500, XML, f'<s:Envelope xmlns:s="{SOAP11}"><s:Body/></s:Envelope>'.encode()),
            "no SOAP": (400, XML, b"<html/>"),
            "no body": (500, XML, f'<s:Envelope xmlns:s="{SOAP11}"/>'.encode()),
            "a document type": (500, XML, b"<!DOCTYPE x>" + fault),
            "another encoding": (500, {"Content-Type": "text/xml; charset=utf-7"}, fault),
            "an empty 200": (200, XML, b""),
            "too much": (200, XML, b" " * (2 * 1024 * 1024)),
            "NULs": (500, XML, b"\0" * 100),
        }
        for name, answer in cases.items():
            with self.subTest(name), StandIn(self.district.pki, lambda *_: answer) as server:
                self.expect(self.one_message(url=server.url), NO_RECEIPT, "(7005)")

    def test_retry_after_cannot_make_it_sleep(self):
        for value in ("18446744073", "99999999999999999999999", "9223372036854775807",
                      "Fri, 31 Dec 9999 23:59:59 GMT"):
            with self.subTest(value), StandIn(
                    self.district.pki, lambda *_: (503, {"Retry-After": value}, b"")) as server:
                done = self.one_message("--retry-for", "5", url=server.url, timeout=20)
                self.expect(done, TRY_LATER, "(7004)")
        for value in ("-1", "1e9", "soon", ""):
            seen = []

            def busy_once(body, _):
                seen.append(body)
                if len(seen) == 1:
                    return 503, {"Retry-After": value}, b""
                status, answer = self.district.post(body)
                return status, XML, answer
            with self.subTest(value), StandIn(self.district.pki, busy_once) as server:
                self.expect(self.one_message("--retry-for", "20", url=server.url), OK,
                            "trying again in 0.5 s")

    # -- the clock ----------------------------------------------------------------------------

    def server_certificate(self, first, last):
        """A folder with server.pem and server.key of the demo's authority, valid between two days
        from now."""
        try:
            from cryptography import x509
            from cryptography.hazmat.primitives import hashes, serialization
        except ImportError:
            self.skipTest("the Python package cryptography is not installed")
        pki = self.district.pki
        key_text = (pki / "server.key").read_bytes()
        key = serialization.load_pem_private_key(key_text, None)
        authority = x509.load_pem_x509_certificate((pki / "ca.pem").read_bytes())
        usual = x509.load_pem_x509_certificate((pki / "server.pem").read_bytes())
        now = datetime.datetime.utcnow()
        builder = (x509.CertificateBuilder().subject_name(usual.subject)
                   .issuer_name(authority.subject).public_key(key.public_key())
                   .serial_number(x509.random_serial_number())
                   .not_valid_before(now + datetime.timedelta(days=first))
                   .not_valid_after(now + datetime.timedelta(days=last)))
        for extension in usual.extensions:
            builder = builder.add_extension(extension.value, extension.critical)
        signer = serialization.load_pem_private_key((pki / "ca.key").read_bytes(), None)
        folder = self.folder / f"pki{first}"
        folder.mkdir()
        (folder / "server.key").write_bytes(key_text)
        (folder / "server.pem").write_bytes(builder.sign(signer, hashes.SHA256()).public_bytes(
            serialization.Encoding.PEM))
        return folder

    def test_a_certificate_whose_dates_do_not_fit_is_no_question_of_the_authority(self):
        for first, last in ((1, 30), (-30, -1), (4000, 5000)):
            with self.subTest(first), StandIn(self.server_certificate(first, last),
                                              lambda *_: (200, XML, b"")) as server:
                done = self.one_message(url=server.url)
                self.expect(done, UNREACHABLE, "is not valid now", "the clock of this machine says",
                            "set the clock if it is wrong")
                self.assertNotIn("--ca names the file", done.stderr)

    def test_how_far_the_clocks_are_apart_comes_from_the_servers_date(self):
        """As if this machine's clock were off: the server's says another hour."""
        expired = (f'<soap:Envelope xmlns:soap="{SOAP11}"><soap:Body><soap:Fault><faultcode '
                   f'xmlns:wsu="{WSU}">wsu:MessageExpired</faultcode><faultstring>The message has '
                   "expired.</faultstring></soap:Fault></soap:Body></soap:Envelope>").encode()
        for minutes, words in ((-47, "ahead of"), (183, "behind"), (60 * 24 * 3, "behind")):
            date = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)

            with self.subTest(minutes), StandIn(self.district.pki, lambda *_: (
                    500, XML, expired)) as server:
                server.server.RequestHandlerClass.date_time_string = \
                    lambda *_: email.utils.format_datetime(date, usegmt=True)
                done = self.one_message(url=server.url)
                self.expect(done, REFUSED, f"{words} the server's, which says")
        with StandIn(self.district.pki, lambda *_: (500, XML, expired)) as server:
            self.expect(self.one_message(url=server.url), REFUSED, "the clocks agree")

    # -- the disk -----------------------------------------------------------------------------

    def test_a_torn_line_is_mended_by_the_next_run(self):
        self.expect(self.one_message(), OK)
        whole = self.receipts.read_text()
        receipt_id = json.loads(whole)["receiptId"]
        torn = whole.replace("a.csv", "b.csv")[:-60]
        self.receipts.write_text(whole + torn)
        done = district.run(district.BIN / "districtctl", "--data", self.district.data, "log", "verify",
                            "--receipt", self.receipts)
        self.assertEqual(done.returncode, USAGE)
        self.assertIn("1 receipt: intact", done.stdout)
        self.assertIn(f"line 2 cannot be checked: not a JSON object; it is of receipt {receipt_id}",
                      done.stdout)
        self.expect(self.one_message(), OK, "note: ", "was torn", receipt_id)
        self.assertEqual(len(self.receipts.read_text().splitlines()), 2)
        self.assertEqual((self.folder / "r.jsonl.torn").read_text(), torn + "\n")
        self.district.ctl("log", "verify", "--receipt", self.receipts)

    def test_a_full_disk_is_told_with_the_receipt(self):
        done = self.one_message(receipts="/dev/full")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("the envelope is in, but its receipt could not be recorded", done.stderr)
        [receipt_id] = re.findall(r'"receiptId":"([0-9A-Z]{26})"', done.stderr)
        self.assertIn(receipt_id, done.stdout)
        self.district.ctl("envelope", "show", receipt_id)

    def test_octets_are_kept_whole_or_not_at_all(self):
        keep = self.folder / "kept"
        keep.mkdir()
        command = ["sh", "-c", 'ulimit -f 3; trap "" XFSZ; exec "$@"', "sh",
                   *self.command(), "--keep", keep, SCHOOL]
        done = district.run(*command)  # files of 1,536 octets at most
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("could not be kept", done.stderr)
        self.assertEqual(list(keep.iterdir()), [])
        self.assertEqual(len(self.receipts.read_text().splitlines()), 1)


if __name__ == "__main__":
    district.main()
