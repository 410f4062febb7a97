"""Wrong configuration, missing files, a busy port, foreign databases, a full disk: a clear message
that says what to do, an exit code, nothing lost."""
import concurrent.futures
import datetime
import gzip
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import unittest

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

import district
from district import BIN, run
from xmlsec1_test import BARCELONA, sign


class EnvironmentTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="district-env-")))
        district.checked(district.ROOT / "certs" / "make-demo-pki", self.folder / "pki")
        (self.folder / "data").mkdir()

    def refuses(self, code, *words, config=None, options=()):
        """districtd ends with the code and says the words and a hint, without a stack of noise."""
        if config is None:
            options = options or ("--port", "0")
            command = [BIN / "districtd", "--demo", self.folder, *options]
        else:
            (self.folder / "district.toml").write_text(config)
            command = [BIN / "districtd", "--config", self.folder / "district.toml", *options]
        done = run(*command, timeout=20)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn("error:", done.stderr)
        self.assertIn("hint:", done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_unknown_key_is_named_with_its_line(self):
        self.refuses(2, "lissten", "3", config="\n\n[lissten]\nport = 1\n")
        self.refuses(2, "prot", "2", config="[listen]\nprot = 1\n")

    def test_value_of_the_wrong_type_or_out_of_range(self):
        self.refuses(2, "port", config='[listen]\nport = "x"\n')
        self.refuses(2, "port", config="[listen]\nport = 70000\n")

    def test_no_configuration_at_all(self):
        done = run(BIN / "districtd")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--demo", done.stderr)

    def test_a_slip_of_the_fingers_is_told_what_was_meant(self):
        for command, meant in ((("districtd", "--check-conifg"), "--check-config"), (("districtd", "--demmo", "x"), "--demo"),
                               (("districtctl", "tenat"), "tenant"), (("districtctl", "tenant", "lst"), "list"),
                               (("districtctl", "rejections", "list"), "rejection"),
                               (("districtctl", "--dta", "x", "tenant", "list"), "--data"),
                               (("districtctl", "kpi", "--tennant=20"), "--tenant"),
                               (("district-gateway", "sned"), "send"),
                               (("district-gateway", "send", "--tennant", "20"), "--tenant"),
                               (("district-gateway", "send", "--dryrun", "x"), "--dry-run")):
            with self.subTest(command):
                done = run(BIN / command[0], *command[1:])
                self.assertEqual(done.returncode, 2)
                self.assertIn(f"did you mean '{meant}'?", done.stderr)
        for command in (("districtctl", "frobnicate"), ("district-gateway", "x"), ("districtd", "--zzz")):
            self.assertNotIn("did you mean", run(BIN / command[0], *command[1:]).stderr)
        self.refuses(2, "did you mean listen.port?", config="[listen]\nprot = 1\n")
        self.refuses(2, "did you mean limits.body_seconds?", config="[limits]\nbody_second = 1\n")
        self.refuses(2, "did you mean [listen]?", config="[lissten]\nport = 1\n")

    # -- what will fail later -------------------------------------------------------------------

    def check(self, config="[listen]\nport = 0\n"):
        (self.folder / "district.toml").write_text(config)
        return run(BIN / "districtd", "--config", self.folder / "district.toml", "--check-config", timeout=20)

    def certificate(self, name, first_day, last_day, hosts=("localhost",)):
        """Made anew for its key by the demo's authority; days from today."""
        key = serialization.load_pem_private_key((self.folder / "pki" / f"{name}.key").read_bytes(), None)
        authority = x509.load_pem_x509_certificate((self.folder / "pki" / "ca.pem").read_bytes())
        authority_key = serialization.load_pem_private_key((self.folder / "pki" / "ca.key").read_bytes(), None)
        now = datetime.datetime.now(datetime.timezone.utc)
        made = x509.CertificateBuilder().subject_name(
            x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "made anew")])).issuer_name(
            authority.subject).public_key(key.public_key()).serial_number(x509.random_serial_number()).not_valid_before(
            now + datetime.timedelta(days=first_day)).not_valid_after(now + datetime.timedelta(days=last_day))
        if hosts:
            made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), False)
        (self.folder / "pki" / f"{name}.pem").write_bytes(
            made.sign(authority_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def test_certificates_out_of_their_time_are_found(self):
        for name, key in (("server", "tls.certificate"), ("receipt-rsa", "receipt.rsa_certificate"),
                          ("receipt-ecdsa", "receipt.ecdsa_certificate")):
            for first, last, said in ((-20, -1, " expired at "), (2, 20, " is not valid before ")):
                with self.subTest(name=name, said=said):
                    self.certificate(name, first, last)
                    done = self.check()
                    self.assertEqual(done.returncode, 2, done.stderr)
                    self.assertRegex(done.stderr, f"error: {key}: .*{name}.pem{said}")
                    self.assertNotIn("configuration is good", done.stdout)
            self.certificate(name, -1, 200)
        self.certificate("server", -1, 20)
        done = self.check()
        self.assertEqual((done.returncode, "configuration is good" in done.stdout), (0, True), done.stderr)
        self.assertIn("warning: tls.certificate", done.stderr)
        self.assertIn(" expires at ", done.stderr)

    def test_an_expired_certificate_does_not_keep_the_server_from_starting(self):
        """Those who have pinned it, or sign with the other type of key, still get through."""
        with district.District() as server:
            server.stop()
            self.folder = server.folder
            self.certificate("receipt-rsa", -20, -1)
            server.start()
            self.assertIn("warning: receipt.rsa_certificate", server.log.read_text())

    def test_a_receipt_certificate_without_the_host_is_found(self):
        for hosts in ((), ("other.example",)):
            self.certificate("receipt-rsa", -1, 200, hosts)
            done = self.check()
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertRegex(done.stderr, "error: receipt.rsa_certificate: .* does not name ")
            self.assertIn("--receipt-certificate", done.stderr)
        self.certificate("receipt-rsa", -1, 200)
        done = self.check('[listen]\npublic_url = "https://a.example/services/aggregation"\n')
        self.assertEqual(done.returncode, 2, done.stderr)
        for key in ("tls.certificate", "receipt.rsa_certificate", "receipt.ecdsa_certificate"):
            self.assertRegex(done.stderr, f"error: {key}: .* does not name a.example")

    def test_a_data_folder_that_cannot_be_used_is_found_and_nothing_left_behind(self):
        (self.folder / "file").write_text("x")
        (self.folder / "link").symlink_to(self.folder / "nowhere")
        before = sorted(self.folder.rglob("*"))
        for folder, said in (("file", "is not a folder"), ("file/data", "is not a folder"), ("link", "is not a folder")):
            with self.subTest(folder):
                done = self.check(f'[data]\nfolder = "{folder}"\n')
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertRegex(done.stderr, f"error: data.folder: .*{said}")
        done = self.check('[data]\nfolder = "new/folder"\n')  # it will be made
        self.assertEqual(done.returncode, 0, done.stderr)
        (self.folder / "district.toml").unlink()
        self.assertEqual(sorted(self.folder.rglob("*")), before)
        (self.folder / "data" / "district.db").write_bytes(b"no database at all, but long enough" * 9)
        done = self.check()
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("district.db is not a District database", done.stderr)
        (self.folder / "data" / "district.db").unlink()
        (self.folder / "data" / "district.db").mkdir()
        self.assertIn("district.db is a folder", self.check().stderr)

    def test_a_data_folder_of_another_user_is_found(self):
        if os.geteuid() != 0:
            self.skipTest("only root can act for another user")
        nobody = 65534
        for path in [self.folder, *self.folder.rglob("*")]:
            os.chmod(path, 0o755 if path.is_dir() else 0o644)
        (self.folder / "district.toml").write_text("[listen]\nport = 0\n")
        def check():
            return subprocess.run([BIN / "districtd", "--config", self.folder / "district.toml", "--check-config"],
                                  capture_output=True, text=True, timeout=20, user=nobody, group=nobody)
        self.assertRegex(check().stderr, r"error: data.folder: .*Permission denied")
        os.chown(self.folder / "data", nobody, nobody)
        self.assertNotIn("error: data.folder", check().stderr)
        (self.folder / "data" / "district.db").write_bytes(b"")  # made by root, say by districtctl
        os.chmod(self.folder / "data" / "district.db", 0o644)
        self.assertRegex(check().stderr, r"error: data.folder: .*district.db: Permission denied")

    def test_a_running_server_is_named_and_may_be_reloaded(self):
        with district.District() as server:
            done = run(BIN / "districtd", "--demo", server.folder, "--check-config")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("warning: data.folder: another server uses the folder", done.stderr)

    def test_unknown_option(self):
        done = run(BIN / "districtd", "--bogus")
        self.assertEqual(done.returncode, 2)
        self.assertIn("error: The following argument was not expected: --bogus", done.stderr)

    def test_missing_configuration_file(self):
        done = run(BIN / "districtd", "--config", self.folder / "none.toml")
        self.assertEqual(done.returncode, 2)
        self.assertIn("none.toml", done.stderr)

    def test_missing_key_file(self):
        (self.folder / "pki" / "receipt-rsa.key").unlink()
        self.refuses(2, "receipt-rsa.key")
        self.refuses(2, "receipt-rsa.key", options=("--check-config",))

    def test_key_of_another_certificate(self):
        shutil.copy(self.folder / "pki" / "server.key", self.folder / "pki" / "receipt-rsa.key")
        self.refuses(2, "receipt-rsa.key")
        self.refuses(2, "receipt-rsa.key", options=("--check-config",))

    def test_tls_key_of_another_certificate(self):
        for other in ("receipt-ecdsa.key", "receipt-rsa.key"):  # of the same type and of another
            shutil.copy(self.folder / "pki" / other, self.folder / "pki" / "server.key")
            self.refuses(2, "server.key does not belong to", "server.pem", options=("--check-config",))

    def test_files_of_another_kind_are_named(self):
        pki = self.folder / "pki"
        good = {name: (pki / name).read_bytes() for name in ("server.pem", "server.key", "receipt-rsa.pem")}
        def make(name, *command):
            (pki / name).write_bytes(subprocess.run(["openssl", *command], cwd=pki, check=True, capture_output=True).stdout)
        make("p12", "pkcs12", "-export", "-in", "server.pem", "-inkey", "server.key", "-passout", "pass:x")
        make("p7b", "crl2pkcs7", "-nocrl", "-certfile", "server.pem")
        make("der", "x509", "-in", "receipt-rsa.pem", "-outform", "DER")
        make("encrypted", "pkcs8", "-topk8", "-in", "server.key", "-passout", "pass:x")
        for place, other, *says in (("server.pem", "p12", "tls.certificate", "PKCS#12"), ("server.pem", "p7b", "PKCS#7"),
                                    ("receipt-rsa.pem", "der", "a certificate in DER", "openssl x509 -inform DER"),
                                    ("server.key", "encrypted", "under a pass phrase", "openssl pkey")):
            with self.subTest(other):
                (pki / place).write_bytes((pki / other).read_bytes())
                self.refuses(2, *says, options=("--check-config",))
                (pki / place).write_bytes(good[place])
        (pki / "server.pem").write_bytes((pki / "ca.pem").read_bytes() + good["server.pem"])
        self.refuses(2, "put the server's own certificate first", options=("--check-config",))

    def test_content_schema_that_is_none_is_found_before_the_start(self):
        (self.folder / "data" / "content").mkdir()
        (self.folder / "data" / "content" / "009-001.xsd").write_text("no schema")
        self.refuses(2, "009-001.xsd", "districtctl content check", options=("--check-config",))

    def test_good_configuration_is_checked_without_starting(self):
        (self.folder / "district.toml").write_text('[listen]\nport = 0\n')
        done = run(BIN / "districtd", "--config", self.folder / "district.toml", "--check-config")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse((self.folder / "data" / "district.db").exists())

    def test_busy_port(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.refuses(3, str(port), options=("--port", str(port)))

    def test_data_folder_of_a_running_server(self):
        with district.District() as server:
            for port in (0, server.port):
                done = run(*server.command(port), timeout=20)
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertIn("another server uses the folder", done.stderr)

    def test_address_of_another_machine(self):
        pki = "".join(f'{key} = "pki/{file}"\n' for key, file in (("[tls]\ncertificate", "server.pem"), ("key", "server.key"),
                      ("[receipt]\nrsa_certificate", "receipt-rsa.pem"), ("rsa_key", "receipt-rsa.key"),
                      ("ecdsa_certificate", "receipt-ecdsa.pem"), ("ecdsa_key", "receipt-ecdsa.key")))
        self.refuses(3, "192.0.2.1", config='[listen]\naddress = "192.0.2.1"\n' + pki)

    def test_database_that_is_not_ours(self):
        with sqlite3.connect(self.folder / "data" / "district.db") as other:
            other.execute("CREATE TABLE t (x)")
        other.close()
        self.refuses(3, "district.db")
        done = run(BIN / "districtctl", "--data", self.folder / "data", "tenant", "list")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("district.db", done.stderr)

    def test_file_that_is_no_database(self):
        (self.folder / "data" / "district.db").write_bytes(b"no database at all, but long enough for a header " * 40)
        self.refuses(3, "district.db")

    def test_database_of_a_newer_version(self):
        district.checked(BIN / "districtctl", "--data", self.folder / "data", "tenant", "add", "--file",
                         district.ROOT / "truststore" / "20" / "tenant.toml")
        with sqlite3.connect(self.folder / "data" / "district.db") as db:
            db.execute("PRAGMA user_version = 9999")
        db.close()
        self.refuses(3, "newer")


class MemoryTest(unittest.TestCase):
    """33 kB of gzip that are 8 million elements, 1 GB as a tree, from somebody unknown."""

    def test_nobody_unknown_makes_us_read_more_than_a_header(self):
        start = b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        end = b"</s:Body></s:Envelope>"
        element = b"<a/>"
        count = (32 * 1024 * 1024 - len(start) - len(end)) // len(element)
        bomb = gzip.compress(start + count * element + end)
        with district.District() as server:
            def send(_):
                return server.post(bomb, headers={"Content-Encoding": "gzip"})[0]
            with concurrent.futures.ThreadPoolExecutor(4) as senders:
                answers = list(senders.map(send, range(4)))
            self.assertEqual(answers, [500] * 4)
            self.assertEqual(server.post(sign(server, "20", BARCELONA))[0], 200)
            if os.environ.get("DISTRICT_SANITIZE"):
                return  # a sanitizer keeps freed memory for a while
            status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
            highest = int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1))
            self.assertLess(highest, 100 * 1024, "refused envelopes were read on")


class LogPipeTest(unittest.TestCase):
    def test_the_server_outlives_the_reader_of_its_log(self):
        with district.District() as server:
            self.assertEqual(server.stop(), 0)
            reading, writing = os.pipe()
            server.process = subprocess.Popen(
                [BIN / "districtd", "--demo", server.folder, "--port", str(server.port)],
                stdout=writing, stderr=writing, stdin=subprocess.DEVNULL,
                preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_DFL))
            os.close(writing)
            with os.fdopen(reading) as log:
                self.assertIn("started", log.readline())
            for _ in range(2):
                self.assertEqual(server.post(sign(server, "20", BARCELONA.replace("12.3", "7.5")))[0], 200)


class FullDiskTest(unittest.TestCase):
    """The database lies on a small file system of its own."""

    def test_a_full_disk_loses_nothing_and_acknowledges_nothing(self):
        with district.District() as server:
            server.stop()
            mount = server.folder / "small"
            mount.mkdir()
            if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", mount], capture_output=True).returncode:
                self.skipTest("a tmpfs cannot be mounted here")
            try:
                self.fill(server, mount)
            finally:
                server.kill()
                subprocess.run(["umount", mount], check=True)
                server.process = None

    def fill(self, server, mount):
        for file in server.data.iterdir():
            shutil.copy(file, mount)
        shutil.rmtree(server.data)
        server.data.symlink_to(mount)
        server.start()
        self.assertEqual(server.post(sign(server, "20", BARCELONA))[0], 200)
        ballast = mount / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(os.urandom(4096))
            except OSError:
                pass
        refused = []
        for hour in range(500):
            request = sign(server, "20", BARCELONA.replace("12.3", f"{hour}.5"))
            status, answer = server.post(request)
            self.assertIn(status, (200, 503), answer)
            if status == 503:
                self.assertIn(b":Server<", answer)
                refused.append(request)
                break
        self.assertTrue(refused, "the disk never got full")
        ballast.unlink()
        status, answer = server.post(refused[0])
        self.assertEqual(status, 200, "the same bytes are accepted once there is room: " + answer.decode())
        server.wait_for_kpis()
        self.assertIn("intact", server.ctl("log", "verify"))
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    district.main()
