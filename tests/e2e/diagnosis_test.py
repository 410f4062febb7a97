"""From the rejectionId in a fault to the whole cause, on a real server: rejection show and check."""
import datetime
import gzip
import hashlib
import re
import socket
import tempfile
import time
import unittest

from lxml import etree

import district
from district import BIN, run
from xmlsec1_test import BARCELONA, certificate_of, sign


def rejection_id(answer):
    return re.search(rb"rejectionId[^>]*>([0-9A-Z]{26})<", answer).group(1).decode()


class DiagnosisTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.district = cls.enterClassContext(district.District())

    def show(self, identifier):
        """What is kept: the command finds it as soon as the answer is here."""
        done = run(BIN / "districtctl", "--data", self.district.data, "--json", "rejection", "show", identifier)
        self.assertEqual(done.returncode, 0, done.stderr)
        return district.json.loads(done.stdout)

    def rejected(self, request, code, **options):
        status, answer = self.district.post(request, **options)
        self.assertNotEqual(status, 200)
        shown = self.show(rejection_id(answer))
        self.assertEqual(shown["code"], code, shown)
        self.assertTrue(shown["rule"], shown)
        self.assertEqual(shown["peer"], "127.0.0.1")
        return shown

    def raw(self, shown):
        done = district.subprocess.run(
            [BIN / "districtctl", "--data", self.district.data, "rejection", "show", "--raw",
             shown["rejectionId"]], capture_output=True, timeout=60, check=True)
        return done.stdout

    def test_a_changed_body_shows_both_digests_and_its_raw_octets(self):
        request = sign(self.district, "20", BARCELONA)
        changed = request.replace(b">12.3<", b">12.4<")
        shown = self.rejected(changed, 2007)
        signed = {each.get("URI"): each.findtext("ds:DigestValue", namespaces=district.NS)
                  for each in etree.fromstring(request).iterfind(".//ds:Reference", district.NS)}
        self.assertEqual(shown["signedElement"], "B")
        self.assertEqual(shown["expectedDigest"], signed["#B"])
        body = etree.tostring(etree.fromstring(changed).find("soap:Body", district.NS),
                              method="c14n", exclusive=True, with_comments=False)
        digest = district.base64.b64encode(hashlib.sha256(body).digest()).decode()
        self.assertEqual(shown["computedDigest"], digest)
        self.assertEqual(shown["rule"], "XMLDSig 1.1 section 3.2.1")
        self.assertFalse(shown["authenticated"])
        self.assertIsNone(shown["tenant"])
        self.assertEqual(shown["claimedTenant"], "20")
        der = district.base64.b64decode(certificate_of(self.district, "barcelona"))
        self.assertEqual(shown["certificate"], hashlib.sha256(der).hexdigest())
        self.assertEqual(shown["keyReference"], "BinarySecurityToken X509v3")
        self.assertEqual(shown["size"], len(changed))
        self.assertEqual(self.raw(shown), changed)

    def test_an_expired_message_shows_both_clocks(self):
        created = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=7)
        shown = self.rejected(sign(self.district, "20", BARCELONA, created=created), 2008)
        self.assertEqual(shown["created"][:19], created.isoformat()[:19])
        self.assertAlmostEqual(shown["createdAheadSeconds"], -420, delta=5)
        self.assertIn("NTP", shown["hint"])

    def test_what_an_authenticated_sender_is_told_is_kept_too(self):
        bad = BARCELONA.replace("<energy_measure>12.3", "<energy_measure>NaN")
        request = sign(self.district, "20", bad)
        status, answer = self.district.post(request)
        self.assertEqual(status, 500)
        shown = self.show(rejection_id(answer))
        self.assertTrue(shown["authenticated"])
        self.assertEqual(shown["tenant"], "20")
        self.assertEqual(shown["violations"][0]["message"], 1)
        self.assertIn("energy_measure", shown["violations"][0]["path"])
        self.assertEqual(self.raw(shown), request)
        listed = self.district.ctl_json("rejection", "list", "--tenant", "20", "--code", str(shown["code"]))
        self.assertIn(shown["rejectionId"], [row["rejectionId"] for row in listed])

    def test_each_of_many_is_found_at_once(self):
        for number in range(30):
            _, answer = self.district.post(f"<a{number}>".encode())
            self.assertEqual(self.show(rejection_id(answer))["code"], 1001)

    def test_a_reference_that_nearly_fits_shows_what_came_and_what_is_right(self):
        shown = self.district.ctl_json("certificate", "list", "--tenant", "20")[0]
        reference = ("<ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>{}</ds:X509IssuerName>"
                     "<ds:X509SerialNumber>{}</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data>")
        request = sign(self.district, "20", BARCELONA).decode()
        for issuer, serial, says in (
                (shown["subject"], shown["serial"], "names its subject as the issuer"),
                (shown["issuer"], hex(int(shown["serial"])), "in hexadecimal: write " + shown["serial"]),
                (shown["issuer"], "4711", "none with the serial number")):
            bad = re.sub(r"<wsse:Reference [^>]*/>", reference.format(issuer, serial), request)
            self.assertNotEqual(bad, request)
            _, answer = self.district.post(bad.encode())
            self.assertNotIn(says.encode(), answer)
            kept = self.show(rejection_id(answer))
            self.assertEqual(kept["code"], 2004)
            self.assertIn(says, kept["detail"])
            self.assertIn(f"serial number '{serial}'", kept["keyReference"])
            self.assertIn(shown["serial"], kept["hint"] + kept["detail"])

    def test_revoked_and_ended_are_told_apart(self):
        request = sign(self.district, "20", BARCELONA)
        fingerprint = self.district.ctl_json("certificate", "list", "--tenant", "20")[0]["fingerprint"]
        self.district.ctl("revoke", fingerprint, "--reason", "key lost")
        try:
            _, answer = self.district.post(request)
            kept = self.show(rejection_id(answer))
            self.assertEqual(kept["code"], 2005)
            self.assertRegex(kept["detail"], r"tenant 20 is revoked, since .*\(key lost\)")
        finally:
            self.district.ctl("enrol", "--tenant", "20", self.district.pki / "pilots" / "barcelona.pem")

    def test_a_replay_leads_to_the_first_receipt(self):
        request = sign(self.district, "20", BARCELONA)
        status, answer = self.district.post(request)
        self.assertEqual(status, 200)
        receipt = etree.fromstring(answer).findtext(".//urb:receiptId", namespaces=district.NS)
        for _ in range(3):
            _, answer = self.district.post(request)
        time.sleep(0.5)
        shown = self.show(rejection_id(answer))
        self.assertEqual(shown["firstReceiptId"], receipt)
        self.assertEqual(shown["times"], 3)

    def test_what_is_refused_before_it_is_read_is_kept_too(self):
        shown = self.rejected(b"{}", 1008, content_type="application/json")
        self.assertEqual(shown["contentType"], "application/json")
        self.assertEqual(shown["raw"], 0)
        self.rejected(b"<a>", 1001)

    def cut_off(self, octets, framing):
        """Sends a part of a body and ends the connection; gives the rejection's line in the log."""
        before = self.district.log.read_text().count("code=1010")
        with socket.create_connection(("localhost", self.district.port), timeout=10) as raw:
            with self.district.tls().wrap_socket(raw, server_hostname="localhost") as connection:
                connection.sendall(b"POST /services/aggregation HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n" +
                                   framing + b"\r\n\r\n" + octets)
                connection.shutdown(socket.SHUT_WR)  # no reset, which would take octets along
                deadline = time.monotonic() + 10
                while self.district.log.read_text().count("code=1010") == before:
                    self.assertLess(time.monotonic(), deadline, "no line in the log")
                    time.sleep(0.05)
        return [line for line in self.district.log.read_text().splitlines() if "code=1010" in line][-1]

    def test_a_body_that_is_cut_off_is_on_record_whatever_its_size(self):
        large = sign(self.district, "20", BARCELONA * 8000)
        for octets, framing, said in ((b"<a", b"Content-Length: 4", "after 2 of 4 octets"),
                                      (b"", b"Content-Length: 4", "after 0 of 4 octets"),
                                      (b"2\r\n<a\r\n", b"Transfer-Encoding: chunked", "after 2 octets"),
                                      (large[:1_500_000], b"Content-Length: %d" % len(large), f"of {len(large)} octets")):
            with self.subTest(framing):
                line = self.cut_off(octets, framing)
                self.assertIn("event=envelope_rejected", line)
                self.assertIn(said, line)
                shown = self.show(re.search(r"rejection_id=(\w{26})", line).group(1))
                self.assertEqual(shown["code"], 1010)
                self.assertEqual(shown["peer"], "127.0.0.1")

    def test_who_announces_more_than_it_sends_is_told(self):
        with socket.create_connection(("localhost", self.district.port), timeout=30) as raw:
            with self.district.tls().wrap_socket(raw, server_hostname="localhost") as connection:
                connection.sendall(b"POST /services/aggregation HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n"
                                   b"Content-Length: 5\r\n\r\n<a/>")
                answer = b""
                while more := connection.recv(65536):
                    answer += more
        self.assertTrue(answer.startswith(b"HTTP/1.1 500 "), answer)
        self.assertIn(b"Connection: close\r\n", answer)
        self.assertEqual(self.show(rejection_id(answer))["code"], 1010)

    def test_a_large_body_is_kept_to_its_header(self):
        request = sign(self.district, "20", BARCELONA * 8000)
        changed = request[:-200].replace(b">12.3<", b">12.4<", 1) + request[-200:]
        shown = self.rejected(changed, 2007)
        self.assertEqual(shown["size"], len(changed))
        raw = self.raw(shown)
        self.assertEqual(len(raw), 256 * 1024)
        self.assertEqual(raw, changed[:256 * 1024])
        self.rejected(gzip.compress(changed), 2007, headers={"Content-Encoding": "gzip"})

    def test_unknown_ids_and_wrong_words_are_told_apart(self):
        for arguments, code in ((("show", "01JD3Z0A9V4T8M6Q2H5W7X1C0B"), 4), (("show",), 2),
                                (("list", "--code", "x"), 2)):
            done = run(BIN / "districtctl", "--data", self.district.data, "rejection", *arguments)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn("hint:", done.stderr)

    # -- check ------------------------------------------------------------------------------------

    def check(self, request, *arguments, data=True, code=None):
        with tempfile.NamedTemporaryFile(suffix=".xml") as file:
            file.write(request)
            file.flush()
            done = run(BIN / "districtctl", *(["--data", self.district.data] if data else []),
                       "--json", "check", file.name, *arguments)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        if code is not None:
            self.assertEqual(done.returncode, code, done.stdout)
        return district.json.loads(done.stdout)

    def test_check_says_what_the_server_then_does(self):
        request = sign(self.district, "20", BARCELONA)
        self.assertTrue(self.check(request, "--tenant", "20", code=0)["accepted"])
        self.assertTrue(self.check(request, data=False, code=0)["accepted"])
        changed = request.replace(b">12.3<", b">12.4<")
        checked = self.check(changed, code=1)
        self.assertEqual(checked["server"]["code"], 2007)
        self.assertTrue(checked["verifiersAgree"])
        self.rejected(changed, 2007)
        self.assertEqual(self.district.post(request)[0], 200)

    def test_check_knows_the_enrolment_where_there_is_a_database(self):
        request = sign(self.district, "20", BARCELONA, pilot="eibar")
        checked = self.check(request, "--tenant", "20", code=1)
        steps = {step["step"]: step for step in checked["steps"]}
        self.assertEqual(steps["enrolment"]["finding"], "bad")
        self.assertIn("districtctl enrol", " ".join(steps["enrolment"]["hints"]))
        self.assertEqual(checked["server"]["code"], 2006)

    def test_check_of_a_kept_rejection_explains_it_at_its_time(self):
        request = sign(self.district, "20", BARCELONA).replace(b"<messages>", b"<messages>\n  ")
        shown = self.rejected(request, 2007)
        checked = self.check(self.raw(shown), "--at", shown["judgedAt"], code=1)
        findings = {step["step"]: step["finding"] for step in checked["steps"]}
        self.assertEqual(findings["window"], "good")
        references = [step for step in checked["steps"] if step["step"] == "reference"]
        self.assertEqual([step["finding"] for step in references], ["good", "bad"])
        self.assertTrue(references[1]["hints"])
        self.assertIn(shown["computedDigest"], " ".join(references[1]["more"]))

    def test_check_reads_what_another_command_writes(self):
        changed = sign(self.district, "20", BARCELONA).replace(b">12.3<", b">12.4<")
        done = district.subprocess.run([BIN / "districtctl", "--json", "check", "-"], input=changed,
                                       capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(district.json.loads(done.stdout)["server"]["code"], 2007)

    def test_check_without_file_or_database_says_so(self):
        for arguments in (("check",), ("check", "/nonexistent.xml"),
                          ("check", __file__, "--at", "yesterday")):
            done = run(BIN / "districtctl", *arguments)
            self.assertEqual(done.returncode, 2, done.stderr)
        done = run(BIN / "districtctl", "--data", "/nonexistent", "check", __file__)
        self.assertEqual(done.returncode, 3, done.stderr)


if __name__ == "__main__":
    district.main()
