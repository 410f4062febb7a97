#!/usr/bin/env python3
"""What the archive keeps can be read without District, small and large, and refused ones leave nothing."""
import hashlib
import pathlib
import re
import shutil
import socket
import sqlite3
import subprocess
import time
import unittest

import district
from xmlsec1_test import BARCELONA, sign

PAGE = district.ROOT / "docs" / "how-to" / "answer-an-auditor.md"


class ArchiveTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(district.District())

    def rows(self, sql):
        with sqlite3.connect(f"file:{self.server.data}/district.db?mode=ro", uri=True) as database:
            return database.execute(sql).fetchall()

    def read_as_documented(self, receipt_id):
        """Runs the commands of the page, with the paths of this test."""
        section = PAGE.read_text().split("## Read the database without District")[1]
        commands = re.search(r"```sh\n(.*?)```", section, re.S)[1]
        commands = commands.replace("01M7XQ3E4CZYKZ1NDCHGE1TR0V", receipt_id)
        commands = commands.replace("/var/lib/district", str(self.server.data))
        commands = commands.replace("src/archive/", f"{district.ROOT}/src/archive/")
        folder = pathlib.Path(self.server.folder) / receipt_id
        folder.mkdir()
        subprocess.run(["sh", "-e"], input=commands, text=True, cwd=folder, check=True, capture_output=True)
        return (folder / "envelope.xml").read_bytes()

    def large_request(self, octets):
        """Of more than so many octets: the same hour again and again, with other values."""
        count = octets // len(BARCELONA) + 1
        return sign(self.server, "20", "".join(BARCELONA.replace("12.3", f"{number}.25") for number in range(count)))

    def test_envelopes_are_read_with_stock_tools(self):
        if shutil.which("zstd") is None:
            self.skipTest("the program zstd is not installed")
        requests = [sign(self.server, "20", BARCELONA), self.large_request(3_000_000)]
        for request in requests:
            status, answer = self.server.post(request)
            self.assertEqual(status, 200, answer.decode()[:2000])
            receipt_id = district.check_receipt(self, self.server, request, answer)
            self.assertEqual(self.read_as_documented(receipt_id), request)
            shown = subprocess.run([district.BIN / "districtctl", "--data", self.server.data, "envelope", "show",
                                    receipt_id, "--raw"], check=True, capture_output=True).stdout
            self.assertEqual(hashlib.sha256(shown).digest(), hashlib.sha256(request).digest())
        self.assertEqual(self.rows("SELECT * FROM staging"), [])

    def test_a_small_envelope_takes_little_room(self):
        request = sign(self.server, "20", BARCELONA.replace("12.3", "8.75"))
        self.assertEqual(self.server.post(request)[0], 200)
        digest = hashlib.sha256(request).hexdigest()
        [(stored,)] = self.rows(f"SELECT stored_size FROM envelope WHERE payload_digest = x'{digest}'")
        self.assertLess(stored, len(request) * 0.4)

    def test_a_large_one_that_is_refused_leaves_nothing(self):
        self.assertEqual(self.server.post(sign(self.server, "20", BARCELONA.replace("12.3", "7.5")))[0], 200)
        chunks = self.rows("SELECT count(*) FROM large_chunk")
        request = self.large_request(3_000_000)
        changed = request.replace(b"1234.25", b"1234.35", 1)
        self.assertNotEqual(request, changed)
        self.assertNotEqual(self.server.post(changed)[0], 200)
        head = (f"POST {district.SERVICE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml; charset=utf-8\r\n"
                f"SOAPAction: \"{district.ACTION}\"\r\nContent-Length: {len(request)}\r\n\r\n").encode()
        with socket.create_connection(("localhost", self.server.port)) as plain:
            with self.server.tls().wrap_socket(plain, server_hostname="localhost") as connection:
                connection.sendall(head + request[:2_000_000])
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            left = self.rows("SELECT * FROM staging"), self.rows("SELECT count(*) FROM large_chunk")
            if left == ([], chunks):
                break
            time.sleep(0.1)
        self.assertEqual(left, ([], chunks))
        self.assertEqual(self.server.post(request)[0], 200, "the whole of it is accepted afterwards")


if __name__ == "__main__":
    district.main()
