"""The same signature is accepted once: at once, after kill -9, in other spellings, behind forgeries."""
import base64
import concurrent.futures
import contextlib
import re
import sqlite3
import time
import unittest

from lxml import etree

import district
from xmlsec1_test import BARCELONA, KALUNDBORG, sign

# Of P-256 (SEC 2, section 2.4.2).
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def value_of(request):
    return re.search(rb"<ds:SignatureValue>(.*?)</ds:SignatureValue>", request, re.S)


def with_value(request, text):
    found = value_of(request)
    return request[:found.start(1)] + text + request[found.end(1):]


class ReplayTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.district = cls.enterClassContext(district.District())

    def receipt_id(self, answer):
        found = etree.fromstring(answer).findtext(".//urb:receiptId", namespaces=district.NS)
        self.assertIsNotNone(found, answer.decode())
        return found.strip()

    def accepted(self, request):
        status, answer = self.district.post(request)
        self.assertEqual(status, 200, answer.decode())
        return self.receipt_id(answer)

    def replayed(self, request, first, family="rsa"):
        """A signed fault with the first copy's receipt."""
        status, answer = self.district.post(request)
        self.assertEqual(status, 500, answer.decode())
        self.assertIn(b":MessageReplayed<", answer)
        self.assertIn(first.encode(), answer)
        district.verify_with_xmlsec1(answer, self.district.pki / f"receipt-{family}.pem")
        return answer

    def envelopes(self):
        return len(self.district.ctl_json("envelope", "list"))

    def test_of_fifty_at_once_one_is_accepted_and_the_others_get_its_receipt(self):
        request = sign(self.district, "20", BARCELONA)
        before = self.envelopes()
        with concurrent.futures.ThreadPoolExecutor(50) as threads:
            answers = list(threads.map(lambda _: self.district.post(request), range(50)))
        accepted = [answer for status, answer in answers if status == 200]
        self.assertEqual(len(accepted), 1)
        first = self.receipt_id(accepted[0])
        faults = [answer for status, answer in answers if status == 500]
        self.assertEqual(len(faults), 49, [status for status, _ in answers])
        for fault in faults:
            self.assertIn(b":MessageReplayed<", fault)
            self.assertIn(first.encode(), fault)
        self.assertEqual(len(set(faults)), 1, "one fault, signed once, for all")
        district.verify_with_xmlsec1(faults[0], self.district.pki / "receipt-rsa.pem")
        self.assertEqual(self.envelopes(), before + 1)

    def test_after_kill_9_it_is_still_known(self):
        request = sign(self.district, "20", BARCELONA)
        first = self.accepted(request)
        self.district.kill()
        self.district.start()
        self.replayed(request, first)

    def test_an_ecdsa_value_with_the_other_s_is_the_same_signature(self):
        request = sign(self.district, "10", KALUNDBORG)
        first = self.accepted(request)
        value = base64.b64decode(value_of(request).group(1))
        other = value[:32] + (ORDER - int.from_bytes(value[32:], "big")).to_bytes(32, "big")
        self.replayed(with_value(request, base64.b64encode(other)), first, "ecdsa")

    def test_base64_in_another_spelling_is_the_same_signature(self):
        request = sign(self.district, "20", BARCELONA)
        first = self.accepted(request)
        value = b"".join(value_of(request).group(1).split())
        self.replayed(with_value(request, b"\n".join(value[i:i + 4] for i in range(0, len(value), 4))), first)
        # The bits behind the last octet belong to no octet.
        self.assertTrue(value.endswith(b"=="))
        bits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        last = bits[bits.index(value[-3:-2]) | 1]
        status, _ = self.district.post(with_value(request, value[:-3] + bytes([last]) + b"=="))
        self.assertNotEqual(status, 200)

    def test_another_key_reference_or_unsigned_change_is_the_same_signature(self):
        request = sign(self.district, "20", BARCELONA)
        first = self.accepted(request)
        token = re.search(rb"<wsse:BinarySecurityToken[^>]*>(.*?)</wsse", request, re.S).group(1)
        reference = re.search(rb"<wsse:Reference [^>]*/>", request).group(0)
        self.replayed(request.replace(
            reference, b"<ds:X509Data><ds:X509Certificate>" + token +
            b"</ds:X509Certificate></ds:X509Data>"), first)
        self.replayed(request.replace(b"<soap:Header>", b"<soap:Header><x xmlns=\"urn:x\"/>"), first)
        self.replayed(request.replace(b"</soap:Envelope>", b"<!-- another --></soap:Envelope>"), first)

    def test_forged_copies_keep_the_true_one_from_nothing(self):
        request = sign(self.district, "20", BARCELONA)
        for forged in (request.replace(b">12.3<", b">12.4<"),
                       with_value(request, b"A" * 342 + b"=="),
                       request.replace(b"<urb:tenantCode>20<", b"<urb:tenantCode>10<")):
            status, answer = self.district.post(forged)
            self.assertEqual(status, 500, answer.decode())
            self.assertNotIn(b":MessageReplayed<", answer)
        for number in range(50):
            _, answer = self.district.post(request.replace(b">12.3<", b">%d<" % number))
            self.assertIn(b":FailedCheck<", answer)
        self.replayed(request, self.accepted(request))

    def test_a_message_that_is_not_valid_may_come_again_corrected_or_not(self):
        bad = sign(self.district, "20", BARCELONA.replace(">12.3<", ">NaN<"))
        for _ in range(2):
            _, answer = self.district.post(bad)
            self.assertIn(b":InvalidMessage<", answer)

    def test_a_replayed_fault_costs_one_signature_in_a_minute(self):
        request = sign(self.district, "20", BARCELONA)
        first = self.accepted(request)
        answers = {self.replayed(request, first) for _ in range(5)}
        self.assertEqual(len(answers), 1)

    def test_a_server_whose_clock_was_set_back_says_so(self):
        with district.District() as server:
            server.stop()
            ahead = int((time.time() + 3600) * 1e6)
            with contextlib.closing(sqlite3.connect(server.data / "district.db")) as database:
                database.execute("UPDATE replay_horizon SET pruned_until = ?", (ahead,))
                database.commit()
            server.start()
            self.assertIn("event=clock_was_set_back", server.log.read_text())
            status, answer = server.post(sign(server, "20", BARCELONA))
            self.assertEqual(status, 503, answer.decode())


if __name__ == "__main__":
    district.main()
