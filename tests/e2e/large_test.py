#!/usr/bin/env python3
"""Envelopes of many megabytes: accepted, exported and quantified in flat memory; bad ones leave nothing.

The envelope of the normal run has 40 MB; with --full it has 300.
"""
import base64
import contextlib
import datetime
import hashlib
import http.client
import os
import pathlib
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

import district
from district import DS, SOAP11, URB, WSSE, WSU
from xmlsec1_test import BARCELONA, certificate_of, sign

FULL = "--full" in sys.argv
MEBIBYTE = 1 << 20
ABOVE_IDLE = 64 * MEBIBYTE
EPOCH = datetime.datetime(2003, 1, 1)
QUARTER = datetime.timedelta(minutes=15)
SOURCES = 5
C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"


def message(number):
    """A quarter of an hour's energy of one of several sites, in turn."""
    start = EPOCH + QUARTER * (number // SOURCES)
    return (f"<message><head><timestamp>{start + QUARTER:%Y-%m-%dT%H:%M:%SZ}</timestamp>"
            "<messageType><type>001</type><version>0.0.1</version></messageType>"
            f"<messageSource><messageSourceElement>SITE-{number % SOURCES}</messageSourceElement></messageSource></head>"
            f"<content><gcontent><measure_timestamp_start>{start:%Y-%m-%dT%H:%M:%SZ}</measure_timestamp_start>"
            f"<measure_timestamp_end>{start + QUARTER:%Y-%m-%dT%H:%M:%SZ}</measure_timestamp_end>"
            f"<energy_measure>{number % 1000 / 8}</energy_measure></gcontent></content></message>\n").encode()


def digest_of(text):
    return base64.b64encode(hashlib.sha256(text).digest()).decode()


def signed(server, body_of, pilot="barcelona", tenant="20"):
    """A request whose Body holds the messages. All that is signed is written in its canonical form,
    so that a digest is all it takes, however large it is."""
    now = datetime.datetime.now(datetime.timezone.utc)
    created, expires = (f"{at:%Y-%m-%dT%H:%M:%S}Z" for at in (now, now + datetime.timedelta(minutes=5)))
    body = b"".join((
        f'<soap:Body xmlns:soap="{SOAP11}" xmlns:wsu="{WSU}" wsu:Id="B">'
        f'<urb:AggregateMessageRequest xmlns:urb="{URB}"><messages>'.encode(), *body_of,
        f"</messages><urb:tenantCode>{tenant}</urb:tenantCode></urb:AggregateMessageRequest></soap:Body>".encode()))
    stamp = (f'<wsu:Timestamp xmlns:wsu="{WSU}" wsu:Id="T"><wsu:Created>{created}</wsu:Created>'
             f"<wsu:Expires>{expires}</wsu:Expires></wsu:Timestamp>")
    references = "".join(
        f'<ds:Reference URI="#{name}"><ds:Transforms><ds:Transform Algorithm="{C14N}"></ds:Transform></ds:Transforms>'
        '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>'
        f"<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>"
        for name, digest in (("T", digest_of(stamp.encode())), ("B", digest_of(body))))
    info = (f'<ds:SignedInfo xmlns:ds="{DS}"><ds:CanonicalizationMethod Algorithm="{C14N}">'
            "</ds:CanonicalizationMethod>"
            '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod>'
            f"{references}</ds:SignedInfo>")
    value = subprocess.run(["openssl", "dgst", "-sha256", "-sign", server.key(pilot)], input=info.encode(),
                           capture_output=True, check=True).stdout
    head = (f'<soap:Envelope xmlns:soap="{SOAP11}"><soap:Header><wsse:Security xmlns:wsse="{WSSE}" '
            f'soap:mustUnderstand="1">{stamp}<wsse:BinarySecurityToken xmlns:wsu="{WSU}" wsu:Id="C" '
            f'EncodingType="{WSS}-soap-message-security-1.0#Base64Binary" '
            f'ValueType="{WSS}-x509-token-profile-1.0#X509v3">{certificate_of(server, pilot)}</wsse:BinarySecurityToken>'
            f'<ds:Signature xmlns:ds="{DS}">{info}'
            f"<ds:SignatureValue>{base64.b64encode(value).decode()}</ds:SignatureValue><ds:KeyInfo>"
            '<wsse:SecurityTokenReference><wsse:Reference URI="#C" '
            f'ValueType="{WSS}-x509-token-profile-1.0#X509v3"></wsse:Reference></wsse:SecurityTokenReference>'
            "</ds:KeyInfo></ds:Signature></wsse:Security></soap:Header>")
    return head.encode() + body + b"</soap:Envelope>"


def of_octets(server, octets):
    """A good request of about so many octets, and how many messages it has."""
    count = octets // len(message(0)) + 1
    return signed(server, map(message, range(count))), count


class LargeTest(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(district.District())

    def rows(self, sql, database="district.db"):
        with contextlib.closing(sqlite3.connect(f"file:{self.server.data}/{database}?mode=ro", uri=True)) as opened:
            return opened.execute(sql).fetchall()

    def series_rows(self, sql):
        return self.rows(sql, "district-series.db")

    def post(self, request, timeout=300):
        """As District.post, for requests that take a while."""
        connection = http.client.HTTPSConnection("localhost", self.server.port, timeout=timeout, context=self.server.tls())
        with contextlib.closing(connection):
            connection.request("POST", district.SERVICE, request, {
                "Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{district.ACTION}"'})
            answer = connection.getresponse()
            return answer.status, answer.read()

    def accepted(self, request):
        status, answer = self.post(request)
        self.assertEqual(status, 200, answer.decode()[:2000])
        return district.check_receipt(self, self.server, request, answer)

    def resident(self, name):
        status = pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(re.search(rf"{name}:\s*(\d+)", status).group(1)) * 1024

    def export(self, receipt_id):
        """SHA-256 and size of what districtctl writes, and the most memory that it took."""
        digest, size, highest = hashlib.sha256(), 0, 0
        with subprocess.Popen([district.BIN / "districtctl", "--data", self.server.data, "envelope", "show", receipt_id,
                               "--raw"], stdout=subprocess.PIPE) as process:
            while block := process.stdout.read(MEBIBYTE):
                digest.update(block)
                size += len(block)
                # Not to be had any more once it has ended.
                found = re.search(r"VmHWM:\s*(\d+)", pathlib.Path(f"/proc/{process.pid}/status").read_text())
                highest = int(found.group(1)) * 1024 if found else highest
        self.assertEqual(process.returncode, 0)
        return digest.digest(), size, highest

    def stores_nothing_new(self, before):
        """Nothing is staged, and there are no more envelopes and chunks than before."""
        deadline = time.monotonic() + 30
        while (left := self.stored()) != before and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual(left, before)
        self.assertEqual(left[0], 0)

    def stored(self):
        return self.rows("SELECT (SELECT count(*) FROM staging), (SELECT count(*) FROM envelope), "
                         "(SELECT count(*) FROM large_chunk)")[0]

    def test_accepted_exported_and_quantified_in_flat_memory(self):
        self.assertEqual(self.post(sign(self.server, "20", BARCELONA))[0], 200)  # what the first one makes stays
        self.server.wait_for_kpis()
        idle = self.resident("VmRSS")
        request, count = of_octets(self.server, 300_000_000 if FULL else 40_000_000)
        begin = time.monotonic()
        receipt_id = self.accepted(request)
        accepted = time.monotonic()
        self.server.ctl("status", "--wait", "550", timeout=600)
        quantified = time.monotonic()
        grown = self.resident("VmHWM") - idle
        print(f"{len(request) / 1e6:.0f} MB: accepted after {accepted - begin:.1f} s, quantified {quantified - accepted:.1f} s "
              f"later, {grown / MEBIBYTE:.1f} MiB above idle", file=sys.stderr)
        if not os.environ.get("DISTRICT_SANITIZE"):
            self.assertLess(grown, ABOVE_IDLE)

        listed = [envelope for envelope in self.server.ctl_json("envelope", "list", "--tenant", "20")
                  if envelope["receiptId"] == receipt_id]
        self.assertEqual([(one["rawSize"], one["messageCount"]) for one in listed], [(len(request), count)])
        digest, size, highest = self.export(receipt_id)
        self.assertEqual((digest, size), (hashlib.sha256(request).digest(), len(request)))
        self.assertGreater(highest, 0)
        if not os.environ.get("DISTRICT_SANITIZE"):
            self.assertLess(highest, ABOVE_IDLE)

        self.assertEqual(self.series_rows("SELECT count(*) FROM quantify_failure"), [(0,)])
        # With the value of the small one before.
        self.assertEqual(self.series_rows("SELECT number FROM measurement_count WHERE what = 'state current'"), [(count + 1,)])
        day = self.server.kpis("20", "hour", source="SITE-2", **{"from": "2003-01-05", "to": "2003-01-06"})
        first = 4 * 24 * 4 * SOURCES + 2
        expected = sum((first + quarter * SOURCES) % 1000 / 8 for quarter in range(4))
        self.assertAlmostEqual(float(day[("2003-01-05T00:00:00Z", "energy_kwh")]["value"]), expected)

    def test_a_replay_finds_no_difference(self):
        request, count = of_octets(self.server, 3_000_000)
        self.accepted(request)
        self.accepted(sign(self.server, "20", BARCELONA))
        # Later corrections of some of the same quarters of an hour, small and large.
        corrected = [message(number).replace(b"<energy_measure>", b"<energy_measure>7")
                     for number in range(count // 2, count)]
        self.accepted(signed(self.server, corrected[:20]))
        self.accepted(signed(self.server, corrected))
        self.server.wait_for_kpis()
        self.assertEqual(self.series_rows("SELECT count(*) FROM quantify_failure"), [(0,)])
        self.assertEqual(self.series_rows("SELECT number FROM measurement_count WHERE what = 'state superseded'"),
                         [(count - count // 2,)])
        self.server.ctl("audit", "replay")  # exit code 1 when anything differs

    def test_what_is_cut_or_changed_leaves_nothing(self):
        request, _ = of_octets(self.server, 5_000_000)
        before = self.stored()
        end = request.rindex(b"</messages>")
        head, body = request.split(b"<soap:Body", 1)
        changes = {
            "one octet of the last message": request[:end - 60] + request[end - 60:].replace(b"</energy_measure>", b"1</energy_measure>", 1),
            "a captured header with another Body": head + b"<soap:Body" + body.replace(b"SITE-", b"MINE-"),
            "a captured header with a small Body": head + b"<soap:Body" + body[:body.index(b"<message>")] + message(1) +
                                                   body[body.rindex(b"</messages>"):],
            "not well-formed behind its middle": request[:3_000_000] + b"<" + request[3_000_000:],
            "ends in the middle": request[:3_000_000],
        }
        for name, changed in changes.items():
            with self.subTest(name):
                self.assertNotEqual(changed, request)
                status, answer = self.post(changed)
                self.assertEqual(status, 500, answer)
                self.assertNotIn(b"receiptId", answer)
                self.stores_nothing_new(before)
        with self.subTest("the connection ends in the middle"):
            start = (f"POST {district.SERVICE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml; charset=utf-8\r\n"
                     f"SOAPAction: \"{district.ACTION}\"\r\nContent-Length: {len(request)}\r\n\r\n").encode()
            with socket.create_connection(("localhost", self.server.port)) as plain:
                with self.server.tls().wrap_socket(plain, server_hostname="localhost") as connection:
                    connection.sendall(start + request[:4_000_000])
            self.stores_nothing_new(before)
        self.accepted(sign(self.server, "20", BARCELONA))
        self.accepted(request)
        self.assertIn("intact", self.server.ctl("log", "verify"))


class FullDiskTest(LargeTest):
    """The database lies on a small file system of its own."""

    def setUp(self):
        super().setUp()
        self.server.stop()
        self.mount = pathlib.Path(tempfile.mkdtemp(prefix="district-small-"))
        self.addCleanup(self.mount.rmdir)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "none", self.mount], capture_output=True).returncode:
            self.skipTest("a tmpfs cannot be mounted here")
        self.addCleanup(self.leave)
        for file in self.server.data.iterdir():
            shutil.copy(file, self.mount)
        shutil.rmtree(self.server.data)
        self.server.data.symlink_to(self.mount)
        self.server.start()

    def leave(self):
        self.server.kill()
        self.server.process = None
        subprocess.run(["umount", self.mount], check=True)

    def test_a_disk_that_gets_full_while_a_large_one_is_spooled(self):
        request, _ = of_octets(self.server, 25_000_000)
        before = self.stored()
        ballast = self.mount / "ballast"
        ballast.write_bytes(bytes(shutil.disk_usage(self.mount).free))
        status, answer = self.post(request)
        self.assertEqual(status, 503, answer)
        self.assertNotIn(b"receiptId", answer)
        ballast.unlink()
        self.accepted(sign(self.server, "20", BARCELONA))
        self.stores_nothing_new((0, before[1] + 1, before[2]))
        self.accepted(request)
        self.server.wait_for_kpis()
        self.assertIn("intact", self.server.ctl("log", "verify"))
        self.assertEqual(self.server.stop(), 0)


for inherited in [name for name in dir(LargeTest) if name.startswith("test_")]:
    setattr(FullDiskTest, inherited, None)

if __name__ == "__main__":
    if FULL:
        sys.argv.remove("--full")
    district.main()
