"""district-gateway against a server, good and bad, near and far: receipts, replays, exit codes."""
import base64
import csv
import gzip
import hashlib
import http.server
import json
import socket
import ssl
import tempfile
import threading
import unittest

import district
from district import PILOTS

SCHOOL = PILOTS / "barcelona_school_2018-03.csv.gz"
OK, USAGE, UNREACHABLE, REFUSED, TRY_LATER, NO_RECEIPT = 0, 2, 3, 4, 5, 6


class StandIn:
    """An HTTPS server with the demo's certificate whose answers the test decides."""

    def __init__(self, pki, answer, address="127.0.0.1"):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                reply = answer(body, dict(self.headers))
                if reply is None:  # the connection breaks instead of an answer
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                status, headers, content = reply
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # connections break on purpose here

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pki / "server.pem", pki / "server.key")
        self.server = Server((address, 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def url(self):
        return f"https://localhost:{self.server.server_port}"


XML = {"Content-Type": "text/xml; charset=utf-8"}


class GatewayTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.district = cls.enterClassContext(district.District())

    def one_message(self, *options, **others):
        """Sends the first hour of the sample, once unless told otherwise."""
        return self.district.gateway("20", "--retry-for", "0", "--to", "2018-03-01T00:00:00Z",
                                     *options, SCHOOL, **others)

    def expect(self, done, code, text=""):
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertIn(text, done.stderr)
        if code != OK:
            self.assertIn("district-gateway: error: ", done.stderr)

    # -- what arrives -------------------------------------------------------------------------

    def test_every_envelope_gets_a_receipt_that_is_in_the_archive_with_the_same_octets(self):
        keep = self.district.folder / "kept"
        receipts = self.district.send("20", "--keep", keep, "--from", "2018-03-02", "--to",
                                      "2018-03-04", SCHOOL)
        self.assertEqual([r["messageCount"] for r in receipts], [24, 24])
        lines = (self.district.folder / "receipts.jsonl").read_text().splitlines()
        self.assertEqual([json.loads(line) for line in lines[-2:]], receipts)
        for receipt in receipts:
            request = (keep / f"{receipt['receiptId']}.request.xml").read_bytes()
            answer = (keep / f"{receipt['receiptId']}.response.xml").read_bytes()
            digest = base64.b64encode(hashlib.sha256(request).digest()).decode()
            self.assertEqual(receipt["payloadDigest"], digest)
            self.assertLess(receipt["leafIndex"], receipt["treeSize"])
            self.assertEqual(
                self.district.ctl("envelope", "show", receipt["receiptId"], "--raw").encode(),
                request)
            self.assertEqual(district.check_receipt(self, self.district, request, answer),
                             receipt["receiptId"])
        self.district.ctl("log", "verify", "--receipt", self.district.folder / "receipts.jsonl")

    def test_the_other_pilots_files_and_soap_12_are_accepted(self):
        self.district.send("30", PILOTS / "eibar_installations.json")
        self.district.send("30", "--soap12", "--to", "2018-03-01", PILOTS / "eibar_L1_2018-03.csv.gz")
        self.district.send("10", "--source", "KAL-1", PILOTS / "kalundborg_meters.csv")
        self.district.send("10", "--source", "KAL-1", "--to", "2018-12-01",
                           PILOTS / "kalundborg_W2_2018-12.csv.gz")

    def test_named_receipt_certificates_are_the_only_ones_trusted(self):
        pki = self.district.pki
        self.expect(self.one_message("--receipt-certificate", pki / "receipt-rsa.pem"), OK)
        self.expect(self.one_message("--receipt-certificate", pki / "receipt-ecdsa.pem"),
                    NO_RECEIPT, "none of those named")

    def test_a_lost_answer_is_made_good_by_the_same_octets(self):
        """The server takes the envelope, the answer is lost, and the second copy is a replay."""
        seen = []

        def lose_the_first_answer(body, headers):
            seen.append(body)
            status, answer = self.district.post(body)
            return None if len(seen) == 1 else (status, XML, answer)

        with StandIn(self.district.pki, lose_the_first_answer) as between:
            done = self.district.gateway("20", "--json", "--retry-for", "20", "--to",
                                         "2018-03-01T00:00:00Z", SCHOOL, url=between.url)
        self.expect(done, OK)
        self.assertEqual(len(seen), 2)
        self.assertEqual(seen[0], seen[1])
        receipt = json.loads(done.stdout)
        self.assertTrue(receipt["replayed"])
        self.assertEqual(
            self.district.ctl("envelope", "show", receipt["receiptId"], "--raw").encode(), seen[0])

    def test_a_server_that_is_busy_for_a_moment_is_tried_again(self):
        seen = []

        def busy_once(body, headers):
            seen.append(body)
            if len(seen) == 1:
                return 503, {"Retry-After": "1"}, b""
            status, answer = self.district.post(body)
            return status, XML, answer

        with StandIn(self.district.pki, busy_once) as between:
            done = self.district.gateway("20", "--retry-for", "20", "--to", "2018-03-01T00:00:00Z",
                                         SCHOOL, url=between.url)
        self.expect(done, OK, "trying again in 1 s")
        self.assertEqual(len(seen), 2)

    # -- exit codes ---------------------------------------------------------------------------

    def test_usage_and_input_end_with_2(self):
        self.expect(district.run(district.BIN / "district-gateway", "send"), USAGE, "required")
        self.expect(self.one_message(url="http://localhost:1"), USAGE, "https://")
        self.expect(self.one_message("--from", "yesterday"), USAGE, "(7001)")
        self.expect(self.district.gateway("20", "--meter", "NOBODY", SCHOOL), USAGE,
                    "no row is selected")
        self.expect(self.district.gateway("20", "/nonexistent.csv"), USAGE, "/nonexistent.csv")
        self.expect(self.district.gateway("10", PILOTS / "kalundborg_W2_2018-12.csv.gz"), USAGE,
                    "--source")
        self.expect(self.one_message(key=self.district.key("eibar")), USAGE,
                    "does not belong to the certificate")

    def test_nobody_there_ends_with_3(self):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"https://localhost:{unused.getsockname()[1]}"
        self.expect(self.one_message(url=url), UNREACHABLE, "(7002)")

    def test_a_server_of_another_authority_ends_with_3_at_once(self):
        with tempfile.TemporaryDirectory() as other:
            district.checked(district.ROOT / "certs" / "make-demo-pki", other)
            done = self.district.gateway("20", "--to", "2018-03-01T00:00:00Z", SCHOOL,
                                         ca=f"{other}/ca.pem", timeout=20)
        self.expect(done, UNREACHABLE, "is not trusted")

    def test_a_certificate_for_another_name_ends_with_3(self):
        # The whole of 127.0.0.0/8 is this machine, but the certificate names 127.0.0.1 only.
        with StandIn(self.district.pki, lambda *_: (200, XML, b""), "127.0.0.2") as server:
            done = self.one_message(url=server.url.replace("localhost", "127.0.0.2"))
        self.expect(done, UNREACHABLE, "is not trusted: IP address mismatch")

    def test_a_refused_envelope_ends_with_4_and_says_why(self):
        done = self.district.gateway("30", "--retry-for", "0", "--to", "2018-03-01T00:00:00Z",
                                     SCHOOL)  # Eibar may not send 001/0.0.1
        self.expect(done, REFUSED, "InvalidMessage")
        self.assertIn("message 1", done.stderr)
        self.assertNotIn("not signed", done.stderr)
        done = self.one_message(pilot="eibar")
        self.expect(done, REFUSED, "FailedAuthentication")
        self.assertIn("hint: is the certificate enrolled", done.stderr)
        self.assertRegex(done.stderr, r"finds the cause under [0-9A-Z]{26}\n")

    def test_a_wrong_path_ends_with_4(self):
        url = f"https://localhost:{self.district.port}/elsewhere"
        self.expect(self.one_message(url=url), REFUSED, "404")

    def test_a_busy_server_ends_with_5(self):
        with StandIn(self.district.pki, lambda *_: (503, {"Retry-After": "30"}, b"")) as server:
            self.expect(self.one_message(url=server.url), TRY_LATER, "(7004)")

    def test_answers_that_prove_nothing_end_with_6(self):
        keep = self.district.folder / "another"
        [other] = self.district.send("20", "--keep", keep, "--to", "2018-03-01T00:00:00Z", SCHOOL)
        receipt_of_another = (keep / f"{other['receiptId']}.response.xml").read_bytes()

        def tampered(body, _):
            status, answer = self.district.post(body)
            return status, XML, answer.replace(b"<urb:messageCount>1<", b"<urb:messageCount>2<")

        cases = {
            "another request's receipt": lambda *_: (200, XML, receipt_of_another),
            "no XML": lambda *_: (200, XML, b"thank you"),
            "no signature": lambda *_: (200, XML, b"<Envelope/>"),
            "a changed receipt": tampered,
        }
        for name, answer in cases.items():
            with self.subTest(name), StandIn(self.district.pki, answer) as server:
                lines = (self.district.folder / "receipts.jsonl").read_text()
                self.expect(self.one_message(url=server.url), NO_RECEIPT, "(7005)")
                self.assertEqual(lines, (self.district.folder / "receipts.jsonl").read_text())

    def test_dry_run_needs_no_server_and_prints_a_signed_envelope(self):
        done = district.run(district.BIN / "district-gateway", "send", "--tenant", "20",
                            "--certificate", self.district.certificate("barcelona"), "--key",
                            self.district.key("barcelona"), "--dry-run", SCHOOL)
        self.assertEqual(done.returncode, OK, done.stderr)
        district.verify_with_xmlsec1(done.stdout.strip().encode(),
                                     self.district.certificate("barcelona"))

    def test_months_of_rows_go_over_one_connection_and_count_once(self):
        """Sent twice, and the second time with other envelopes: nothing changes."""
        with district.District() as server:
            server.send("20", "--messages-per-envelope", "100", SCHOOL)
            server.wait_for_kpis()
            before = server.kpis("20", "month")
            server.send("20", "--messages-per-envelope", "70", SCHOOL)
            server.wait_for_kpis()
            self.assertEqual(server.kpis("20", "month"), before)
            with gzip.open(SCHOOL, "rt") as rows:
                total = sum(float(row["energy_kwh"]) for row in csv.DictReader(rows))
            row = before[("2018-02-28T23:00:00Z", "energy_kwh")]
            self.assertAlmostEqual(float(row["value"]), total, delta=total * 1e-9)


if __name__ == "__main__":
    district.main()
