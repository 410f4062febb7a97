"""Files as spreadsheets, languages and full disks make them: what district-gateway sends, and what
it says of the rest. Without a server: --dry-run reads whole files and sends nothing."""
import gzip
import pathlib
import re
import tempfile
import unittest

import district

OK, USAGE = 0, 2
HEADER = "meter_id,period_start_utc,period_end_utc,energy_kwh"
HOUR = "2024-05-01T00:00:00Z,2024-05-01T01:00:00Z"
NEXT = "2024-05-01T01:00:00Z,2024-05-01T02:00:00Z"


class GatewayFilesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.pki = cls.folder / "pki"
        district.checked(district.ROOT / "certs" / "make-demo-pki", cls.pki)

    def send(self, content, *options, name="x.csv", certificate=None):
        """A dry run of a file of this content; text is UTF-8."""
        file = self.folder / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return district.run(
            district.BIN / "district-gateway", "send", "--tenant", "20", "--certificate",
            certificate or self.pki / "pilots" / "barcelona.pem", "--key",
            self.pki / "pilots" / "barcelona.key", "--dry-run", *options, file)

    def sent(self, content, *options, **others):
        """The envelope, and what was said on standard error."""
        done = self.send(content, *options, **others)
        self.assertEqual(done.returncode, OK, done.stderr)
        return done.stdout, done.stderr

    def refused(self, content, *words, **others):
        done = self.send(content, **others)
        self.assertEqual(done.returncode, USAGE, done.stdout + done.stderr)
        self.assertEqual(done.stdout, "")
        for word in words:
            self.assertIn(word, done.stderr)
        return done.stderr

    def test_quotes_keep_what_is_in_them(self):
        for field, name in {'"Shop ""Centre"""': 'Shop "Centre"', '"Shop, Centre"': "Shop, Centre",
                            '"Größe; ""A"", B"': 'Größe; "A", B', "'Shop'": "'Shop'"}.items():
            envelope, said = self.sent(f"{HEADER}\r\n{field},{HOUR},1.5\r\n")
            name = name.replace("&", "&amp;").replace('"', '"')
            self.assertIn(f"<messageSourceElement>{name}</messageSourceElement>", envelope)
            self.assertEqual(said, "")

    def test_numbers_with_exponents_are_sent_as_plain_digits(self):
        for spelled, plain in {"5.0E-4": "0.0005", "1.2E-05": "0.000012", "1e-7": "0.0000001",
                               "1.5E3": "1500", "0E0": "0"}.items():
            envelope, _ = self.sent(f"{HEADER}\nM,{HOUR},{spelled}\n")
            self.assertIn(f"<energy_measure>{plain}</energy_measure>", envelope)

    def test_what_is_not_read_is_refused_with_what_to_do(self):
        self.refused(f'{HEADER}\nM,{HOUR},"1,5"\n', "x.csv:2", "1,5 is no decimal number: write 1.5")
        self.refused(f"{HEADER}\nM,{HOUR},1,5\n", "x.csv:2", "5 fields where 4", "write 1.5 for 1,5")
        self.refused(HEADER.replace(",", ";") + "\nM;a;b;1,5\n", "separated by ';'", "commas")
        self.refused(HEADER.replace(",", "\t") + "\n", "separated by tabs")
        for coding in ("utf-16", "utf-16-le", "utf-16-be"):
            self.refused(f"{HEADER}\nM,{HOUR},1\n".encode(coding), "UTF-16", "UTF-8")
        self.refused(f"{HEADER}\rM,{HOUR},1\r", "carriage return")
        self.refused(f'{HEADER}\n"M,{HOUR},1\n', "x.csv:2", "never closed")
        self.refused(f'{HEADER}\n"M"x,{HOUR},1\n', "x.csv:2", "text after a closing quote")
        for value in ("0x1F", "NaN", "inf", "1'000", "1.234,5", "5 kWh"):
            self.refused(f'{HEADER}\nM,{HOUR},"{value}"\n', "x.csv:2", "is no decimal number: ")

    def test_nothing_vanishes_behind_a_control_character(self):
        for octet in (b"\0", b"\x1a", b"\x1b", b"\x0b", b"\x7f", b"\xc2\x9b"):
            said = self.refused(f"{HEADER}\nM,{HOUR},1\n".encode() + octet +
                                f"N,{NEXT},2\n".encode(), "x.csv:3", "control character")
            self.assertNotRegex(said.replace("\n", ""), "[\x00-\x1f\x7f-\x9f]")

    def test_columns_that_are_not_sent_are_named(self):
        _, said = self.sent(f"{HEADER},price_eur_kwh,quality\nM,{HOUR},1.5,0.2,E\n")
        self.assertRegex(said, "note: .*x.csv: not sent: price_eur_kwh, did you mean "
                               r"price_eur_per_kwh\?; quality\n")
        self.refused("meter_id,period_start_utc,period_end_utc,energy_kw\n", "did you mean energy_kwh")
        self.refused(f"{HEADER},energy_kwh\nM,{HOUR},1,2\n", "occurs twice")
        self.refused(f"meter_id,period_start_utc,period_end,energy_kwh\nM,{HOUR},1\n",
                     "period_end_utc")

    def test_two_values_for_one_period_are_refused_and_repeats_sent_once(self):
        self.refused(f"{HEADER}\nM,{HOUR},3.5\nM,{NEXT},1\nM,{HOUR},0\n",
                     "lines 2 and 4 give two values for one period of M", "3.5 and 0")
        envelope, said = self.sent(f"{HEADER}\nM,{HOUR},3.5\nM,{NEXT},1\nM,{HOUR},3.50\n")
        self.assertEqual(envelope.count("<message>"), 2)
        self.assertIn("x.csv:4: the same as line 2; it is sent once", said)
        both = f"{HEADER}\nA,{HOUR},1\nB,{HOUR},2\n"
        self.sent(both)
        done = self.send(both, "--source", "SCHOOL")
        self.assertEqual(done.returncode, USAGE)
        self.assertIn("two values for one period of SCHOOL", done.stderr)

    def test_days_that_would_be_taken_for_hours_are_told(self):
        def rows(hours):
            return "meter_id,period_start_utc,energy_kwh\n" + "".join(
                f"M,2024-05-{1 + h // 24:02}T{h % 24:02}:00:00Z,{20 + h}\n" for h in range(0, 96, hours))
        _, said = self.sent(rows(24))
        self.assertIn("at least 24 h apart: if they are longer, add the column", said)
        _, said = self.sent(rows(1))
        self.assertEqual(said, "")

    def test_names_that_look_alike_are_told(self):
        _, said = self.sent(f"{HEADER}\nShop 1,{HOUR},1\nShop\u00a01,{HOUR},2\n")
        self.assertIn("U+00A0, a no-break space", said)
        self.assertIn("look alike", said)
        self.assertNotIn("\u00a0", said)

    def test_a_bad_last_row_keeps_the_whole_file_back(self):
        rows = "".join(f"M,2024-05-{day:02}T00:00:00Z,2024-05-{day:02}T01:00:00Z,1\n"
                       for day in range(1, 31))
        self.refused(f"{HEADER}\n{rows}M,2024-06-01T00:00:00Z,2024-06-01T01:00:00Z,x\n", "x.csv:32")

    def test_rows_behind_a_gzip_file_do_not_vanish(self):
        packed = gzip.compress(f"{HEADER}\nM,{HOUR},1\n".encode())
        self.sent(packed, name="x.csv.gz")
        self.refused(packed + f"M,{NEXT},2\n".encode(), "follow the end of the gzip file",
                     name="x.csv.gz")
        self.refused(packed[:-4], "cut short", name="x.csv.gz")

    def test_a_meter_that_no_file_has_is_named(self):
        done = self.send(f"{HEADER}\nBCN-SCHOOL,{HOUR},1\n", "--meter", "BCN-SCHOL")
        self.assertEqual(done.returncode, USAGE)
        self.assertIn("did you mean BCN-SCHOOL", done.stderr)
        done = self.send(f"{HEADER}\nBCN-SCHOOL,{HOUR},1\n", "--meter", "BCN-SCHOOL", "--meter", "B")
        self.assertEqual(done.returncode, USAGE)
        self.assertIn("--meter B: no file has it", done.stderr)

    def test_the_certificate_of_the_key_is_found_in_its_chain(self):
        leaf = (self.pki / "pilots" / "barcelona.pem").read_text()
        ca = (self.pki / "ca.pem").read_text()
        other = (self.pki / "pilots" / "eibar.pem").read_text()
        row = f"{HEADER}\nM,{HOUR},1\n"
        chain = self.folder / "chain.pem"
        chain.write_text(leaf + ca)
        self.assertEqual(self.sent(row, certificate=chain)[1], "")
        chain.write_text("Bag Attributes\n    localKeyID: 01\n" + ca + other + leaf)
        envelope, said = self.sent(row, certificate=chain)
        self.assertRegex(said, r"has 3 certificates; the key belongs to number 3, .*which is used")
        district.verify_with_xmlsec1(envelope.strip().encode(),
                                     self.pki / "pilots" / "barcelona.pem")
        chain.write_text(ca + other)
        self.refused(row, "does not belong to any of the 2 certificates", certificate=chain)

    def test_help_has_examples_and_tells_the_rule_of_corrections(self):
        text = district.checked(district.BIN / "district-gateway", "--help")
        self.assertRegex(text, r"(?m)^ +district-gateway send --url ")
        text = district.checked(district.BIN / "district-gateway", "send", "--help")
        self.assertIn("$ district-gateway send", text)
        self.assertIn("undoes the correction", text)
        self.assertFalse(re.search("no harm|harmless", text))


if __name__ == "__main__":
    district.main()
