"""The query API as its clients meet it: over TLS, with keys and certificates, after real requests.

Every answer is held to the schema that the API's own OpenAPI description gives for it.
"""
import base64
import contextlib
import csv
import hashlib
import http.client
import io
import json
import os
import re
import subprocess
import unittest

import jsonschema

import district
from district import PILOTS, ROOT
from front_tls_test import FrontDistrict

API = "/api/v1"
SCHOOL = PILOTS / "barcelona_school_2018-03.csv.gz"
LAMPS = PILOTS / "eibar_L1_2018-03.csv.gz"
LISTINGS = ("/status", "/tenants", "/sites", "/meters", "/series", "/measurements?limit=2000", "/kpis?window=day",
            "/kpis/catalogue", "/envelopes", "/quality", "/quality/failures")


class Client:
    def __init__(self, server, key=None, pilot=None):
        self.server, self.key = server, key
        self.context = server.tls()
        if pilot:
            folder = server.pki if pilot == "stranger" else server.pki / "pilots"
            self.context.load_cert_chain(folder / f"{pilot}.pem", folder / f"{pilot}.key")

    def ask(self, target, method="GET", port=None, body=None, **headers):
        """(status, headers, body)"""
        if self.key:
            headers.setdefault("Authorization", "Bearer " + self.key)
        connection = http.client.HTTPSConnection("localhost", port or self.server.port, timeout=60,
                                                 context=self.context)
        with contextlib.closing(connection):
            connection.request(method, API + target, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def json(self, target):
        status, headers, body = self.ask(target)
        assert status == 200, (target, status, body)
        assert headers["Content-Type"] == "application/json"
        return json.loads(body)

    def items(self, target):
        """All pages by way of `next`; the Link header has the same."""
        found, at = [], target
        while at:
            status, headers, body = self.ask(at)
            assert status == 200, (at, status, body)
            page = json.loads(body)
            found += page["items"]
            assert headers["Link"] == (f'<{page["next"]}>; rel="next"' if page["next"] else None)
            at = page["next"].removeprefix(API) if page["next"] else None
        return found


class ApiTest(unittest.TestCase):
    """One server for all: reading changes nothing."""

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(FrontDistrict(
            listen='client_certificates = "optional"', more='[legacy]\nenabled = true\naddress = "127.0.0.1"\nport = 0\n'))
        cls.receipts = cls.server.send("20", "--messages-per-envelope", "120", SCHOOL)
        cls.server.send("30", PILOTS / "eibar_installations.json")
        cls.server.send("30", "--messages-per-envelope", "500", LAMPS)
        cls.server.wait_for_kpis()
        make = lambda *options: cls.server.ctl_json("apikey", "create", "--name", "test", *options)
        cls.made = make("--tenant", "20")
        cls.reader = Client(cls.server, cls.made["apiKey"])
        cls.auditor = Client(cls.server, make("--role", "auditor", "--all-tenants")["apiKey"])
        cls.description = Client(cls.server).json("/openapi.json")

    def schema(self, target):
        operation = self.description["paths"][target.split("?")[0]]["get"]
        return operation["responses"]["200"]["content"]["application/json"]["schema"]

    def test_answers_are_as_the_description_says(self):
        for listing in LISTINGS:
            for client in (self.reader, self.auditor):
                with self.subTest(listing):
                    answer = client.json(listing)
                    checker = jsonschema.Draft202012Validator(self.schema(listing))
                    checker.check_schema(self.schema(listing))
                    checker.validate(answer)
        receipt = self.receipts[0]["receiptId"]
        jsonschema.validate(self.reader.json(f"/envelopes/{receipt}"), self.schema("/envelopes/{receipt_id}"))

    def test_the_description_is_whole(self):
        self.assertEqual(self.description["openapi"], "3.1.0")
        self.assertEqual(self.description["servers"][0]["url"], f"https://127.0.0.1:{self.server.port}{API}")
        names = [path["get"]["operationId"] for path in self.description["paths"].values()]
        self.assertEqual(len(names), len(set(names)))
        text = json.dumps(self.description)
        for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', text)):
            part = self.description
            for step in reference.split("/"):
                part = part[step]
        # Every parameter that it names is taken; what it does not name is refused.
        examples = {"from": "2018-01-01T00:00:00Z", "to": "2019-01-01T00:00:00Z", "at": "2018-03-01T00:00:00Z",
                    "tenant": "20", "zone": "Europe/Madrid", "limit": "5", "rule": "negative_energy",
                    "start": "2018-02-28T23:00:00Z", "kpi": "energy_kwh", "source": self.source(),
                    "receipt_id": self.receipts[0]["receiptId"]}
        for path, operations in self.description["paths"].items():
            if path.endswith("/raw"):
                continue
            known = operations["get"]["parameters"]
            target = path.replace("{receipt_id}", examples["receipt_id"])
            query = []
            for parameter in known:
                if parameter["in"] == "path" or parameter["name"] in ("cursor", "meter", "quantity", "state"):
                    continue
                value = parameter["schema"].get("enum", [examples.get(parameter["name"])])
                query.append(f'{parameter["name"]}={"month" if "month" in value else value[0]}')
            with self.subTest(path):
                status, _, body = self.reader.ask(target + "?" + "&".join(query))
                self.assertEqual(status, 200, (query, body))
                self.assertEqual(self.reader.ask(target + "?colour=red")[0], 400)

    def source(self):
        return self.reader.json("/meters")["items"][0]["source"]

    def test_kpis_are_those_of_districtctl(self):
        ours = {(item["windowStart"], item["kpi"]): item for item in self.reader.items("/kpis?window=day&limit=97")}
        theirs = self.server.kpis("20", "day")
        self.assertEqual(set(ours), set(theirs))
        for key, row in theirs.items():
            self.assertEqual("" if ours[key]["value"] is None else float(ours[key]["value"]),
                             row["value"] and float(row["value"]), key)
            self.assertEqual(ours[key]["status"], row["status"])

    def test_measurements_lead_to_their_receipts(self):
        items = self.reader.items("/measurements?limit=500&quantity=active_energy")
        self.assertGreater(len(items), 700)
        receipts = {receipt["receiptId"] for receipt in self.receipts}
        self.assertLessEqual({item["receiptId"] for item in items}, receipts)
        times = [item["start"] for item in items]
        self.assertEqual(times, sorted(times))
        window = "start=2018-02-28T23:00:00Z"
        inputs = self.reader.items(f"/kpis/inputs?tenant=20&source={self.source()}&kpi=energy_kwh&window=month&{window}")
        self.assertLessEqual({item["receiptId"] for item in inputs}, receipts)

    def test_csv_and_zones(self):
        status, headers, body = self.reader.ask("/kpis?window=month&zone=Europe/Madrid", Accept="text/csv")
        self.assertEqual(status, 200)
        self.assertTrue(headers["Content-Type"].startswith("text/csv"))
        rows = list(csv.DictReader(io.StringIO(body.decode())))
        self.assertEqual({row["window_start"] for row in rows}, {"2018-03-01T00:00:00+01:00"})
        self.assertEqual({row["window_end"] for row in rows}, {"2018-04-01T00:00:00+02:00"})

    def test_raw_envelopes_are_for_auditors_and_their_senders(self):
        receipt = self.receipts[0]
        target = f"/envelopes/{receipt['receiptId']}/raw"
        self.assertEqual(self.reader.ask(target)[0], 403)
        self.assertEqual(Client(self.server, pilot="eibar").ask(target)[0], 404)
        for client in (self.auditor, Client(self.server, pilot="barcelona")):
            status, headers, body = client.ask(target)
            self.assertEqual(status, 200)
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            self.assertEqual(digest, self.reader.json(f"/envelopes/{receipt['receiptId']}")["payloadDigest"])
            self.assertEqual(headers["Repr-Digest"], f"sha-256=:{digest}:")
            self.assertEqual(headers["Content-Type"], "application/octet-stream")

    def test_a_certificate_sees_its_own_tenant(self):
        client = Client(self.server, pilot="eibar")
        self.assertEqual([item["tenant"] for item in client.items("/tenants")], ["30"])
        self.assertEqual({item["tenant"] for item in client.items("/kpis?window=month")}, {"30"})
        self.assertEqual(client.ask("/kpis?tenant=20")[0], 404)
        self.assertEqual({item["tenant"] for item in client.items("/envelopes")}, {"30"})
        # A key counts alone, good or bad.
        self.assertEqual(client.ask("/tenants", Authorization="Bearer x")[0], 401)
        both = Client(self.server, self.made["apiKey"], "eibar")
        self.assertEqual([item["tenant"] for item in both.items("/tenants")], ["20"])
        for stranger in (Client(self.server), Client(self.server, pilot="stranger")):
            status, headers, body = stranger.ask("/tenants")
            self.assertEqual((status, headers["WWW-Authenticate"]), (401, 'Bearer realm="district"'))
            self.assertEqual(json.loads(body), {"title": "Unauthorized", "status": 401})

    def test_http(self):
        status, headers, body = self.reader.ask("/kpis?window=day")
        self.assertEqual(headers["Cache-Control"], "private, no-cache")
        self.assertEqual(headers["Vary"], "Accept, Authorization")
        again = self.reader.ask("/kpis?window=day", If_None_Match=headers["ETag"])
        self.assertEqual((again[0], again[2]), (304, b""))
        head = self.reader.ask("/kpis?window=day", method="HEAD")
        self.assertEqual((head[0], head[2], head[1]["Content-Length"]), (200, b"", str(len(body))))
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            status, headers, _ = self.reader.ask("/kpis", method=method, body=b"{}")
            self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))
        self.assertEqual(self.reader.ask("x/kpis")[0], 404)
        # Several requests on one connection, after a 304 too, and with a body that nobody wants.
        connection = http.client.HTTPSConnection("localhost", self.server.port, timeout=30, context=self.server.tls())
        with contextlib.closing(connection):
            for tag in (None, again[1]["ETag"], None):
                fields = {"Authorization": "Bearer " + self.made["apiKey"], **({"If-None-Match": tag} if tag else {})}
                connection.request("GET", API + "/kpis?window=day", headers=fields)
                answer = connection.getresponse()
                self.assertEqual(answer.status, 304 if tag else 200)
                self.assertEqual(len(answer.read()), 0 if tag else len(body))
        self.assertEqual(self.reader.ask("/tenants", body=b"{}")[0], 200)
        # Which of two keys would count is in doubt.
        connection = http.client.HTTPSConnection("localhost", self.server.port, timeout=30, context=self.server.tls())
        with contextlib.closing(connection):
            connection.putrequest("GET", API + "/tenants")
            for key in (self.made["apiKey"], self.made["apiKey"]):
                connection.putheader("Authorization", "Bearer " + key)
            connection.endheaders()
            self.assertEqual(connection.getresponse().status, 400)

    def test_a_key_that_is_revoked_reads_no_more(self):
        made = self.server.ctl_json("apikey", "create", "--name", "soon gone", "--tenant", "20")
        client = Client(self.server, made["apiKey"])
        self.assertEqual(client.ask("/tenants")[0], 200)
        self.server.ctl("apikey", "revoke", made["keyId"], "--reason", "test")
        status, headers, _ = client.ask("/tenants")
        self.assertEqual((status, headers["WWW-Authenticate"]), (401, 'Bearer realm="district", error="invalid_token"'))
        self.assertNotIn(made["apiKey"], self.server.log.read_text())

    def test_the_commands_of_the_guide_run(self):
        guide = (ROOT / "docs" / "how-to" / "read-by-the-api.md").read_text()
        commands = re.findall(r"^```sh\n(.*?)^```$", guide, re.M | re.S)
        self.assertGreater(len(commands), 4)
        for command in commands:
            with self.subTest(command):
                done = subprocess.run(["bash", "-euc", command], capture_output=True, text=True, timeout=60,
                                      cwd=self.server.folder, env={
                    **os.environ, "no_proxy": "localhost", "url": f"https://localhost:{self.server.port}",
                    "key": self.made["apiKey"], "ca": str(self.server.pki / "ca.pem"),
                    "certificate": str(self.server.certificate("barcelona")),
                    "certificate_key": str(self.server.key("barcelona"))})
                self.assertEqual(done.returncode, 0, done.stderr)
                if "If-None-Match" in command:
                    self.assertEqual(done.stdout, "304\n")
                elif "--continue-at" in command:
                    first = self.reader.json("/envelopes?limit=1")["items"][0]
                    digest = hashlib.sha256((self.server.folder / "envelope.xml").read_bytes()).digest()
                    self.assertEqual(base64.b64encode(digest).decode(), first["payloadDigest"])
                else:
                    self.assertRegex(done.stdout, r'^{"items":\[|^tenant,')

    def test_the_reference_names_every_resource(self):
        page = (ROOT / "docs" / "reference" / "api.md").read_text()
        self.assertEqual(set(re.findall(r"^\| `(/[^`]*)` \|", page, re.M)), set(self.description["paths"]))

    def test_old_tls_has_no_api(self):
        self.assertEqual(self.reader.ask("/tenants", port=self.server.legacy_port())[0], 404)

    def test_who_read_what_is_in_the_log(self):
        _, _, body = self.reader.ask("/kpis?window=year")
        common = f'by="key {self.made["keyId"]}" peer=127.0.0.1 path=/api/v1/kpis'
        self.server.wait_for_log(
            f'event=api_answer_sent {common} status=200 octets={len(body)} detail="all sent"')
        # This one was there before the first octet.
        self.assertIn(f'event=api_request {common} query="window=year" status=200',
                      self.server.log.read_text())

    def test_a_key_in_the_query_is_not_in_the_log(self):
        key = self.made["apiKey"]
        for target in (f"/meters?key={key}", f"/meters?{key}", f"/meters?tenant={key}", f"/{key}"):
            self.assertEqual(self.reader.ask(target)[0], 400 if "key=" in target or "?d" in target else 404)
        self.reader.ask("/status?marker=1")
        self.server.wait_for_log('path=/api/v1/status query=" (1 not shown)"')
        self.assertNotIn(key[-64:], self.server.log.read_text())

    def test_a_raw_envelope_that_was_cut_off_is_resumed(self):
        """RFC 9110 section 14."""
        target = f"/envelopes/{self.receipts[0]['receiptId']}/raw"
        _, headers, whole = self.auditor.ask(target)
        self.assertEqual(headers["Accept-Ranges"], "bytes")
        cut = len(whole) // 3
        status, part, rest = self.auditor.ask(target, Range=f"bytes={cut}-", If_Range=headers["ETag"])
        self.assertEqual((status, whole[:cut] + rest), (206, whole))
        self.assertEqual(part["Content-Range"], f"bytes {cut}-{len(whole) - 1}/{len(whole)}")
        status, part, _ = self.auditor.ask(target, Range=f"bytes={len(whole)}-")
        self.assertEqual((status, part["Content-Range"]), (416, f"bytes */{len(whole)}"))
        # Not of something else, by strong comparison (section 13.1.5); several are none.
        for other in ('"0"', "W/" + headers["ETag"], "*", "Sun, 06 Nov 1994 08:49:37 GMT"):
            self.assertEqual(self.auditor.ask(target, Range="bytes=0-9", If_Range=other)[::2], (200, whole))
        self.assertEqual(self.auditor.ask(target, Range="bytes=0-1,3-4")[::2], (200, whole))
        self.assertEqual(self.auditor.ask(target, Range="bytes=0-9", If_None_Match=headers["ETag"])[0], 304)
        # Pages have no ranges: they have `next`.
        status, page, _ = self.auditor.ask("/envelopes", Range="bytes=0-9")
        self.assertEqual((status, page["Accept-Ranges"]), (200, None))
        # For GET alone (section 14.2).
        status, head, _ = self.auditor.ask(target, method="HEAD", Range="bytes=0-9")
        self.assertEqual((status, head["Content-Length"]), (200, str(len(whole))))


class WithoutApi(unittest.TestCase):
    def test_the_api_can_be_switched_off(self):
        with FrontDistrict(more="[api]\nenabled = false\n") as server:
            for target in ("", "/openapi.json", "/tenants"):
                self.assertEqual(Client(server).ask(target)[0], 404)


if __name__ == "__main__":
    district.main()
