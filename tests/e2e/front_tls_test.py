"""TLS as clients of all ages speak it: the modern profile, the legacy listener, both types of server
certificates, client certificates, and new certificates without a restart."""
import contextlib
import hashlib
import http.client
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

import district
from xmlsec1_test import BARCELONA, sign

MODERN = ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
          "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
          "DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-GCM-SHA384"]
LEGACY = ["ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA",
          "AES128-SHA"]

JAVA = """
import java.io.*; import java.security.*; import java.security.cert.X509Certificate; import javax.net.ssl.*;
public class OldClient {
  public static void main(String[] args) throws Exception {
    Security.setProperty("jdk.tls.disabledAlgorithms", "");
    Security.setProperty("jdk.certpath.disabledAlgorithms", "");
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {new X509TrustManager() {
      public void checkClientTrusted(X509Certificate[] chain, String type) {}
      public void checkServerTrusted(X509Certificate[] chain, String type) {}
      public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }}}, null);
    SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("localhost", Integer.parseInt(args[0]));
    socket.setEnabledProtocols(new String[] {args[1]});
    socket.setEnabledCipherSuites(args[2].split(","));
    OutputStream out = socket.getOutputStream();
    out.write("GET /health HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n".getBytes());
    String line = new BufferedReader(new InputStreamReader(socket.getInputStream())).readLine();
    System.out.println(socket.getSession().getProtocol() + " " + socket.getSession().getCipherSuite() + " " + line);
  }
}
"""
# What Java 7 offers in TLS 1.0, in its order.
JAVA_7_SUITES = ",".join([
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"])


class FrontDistrict(district.District):
    """A districtd with a configuration file: both types of certificates, and what `more` adds."""

    def __init__(self, listen="", more=""):
        super().__init__()
        self.listen, self.more = listen, more

    def command(self, port):
        for name, key in (("rsa", ["rsa:2048"]), ("stranger", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"])):
            if not (self.pki / f"{name}.pem").exists():
                self.make_certificate(name, key)
        text = f'[data]\nfolder = "data"\n[listen]\nport = {port}\n{self.listen}\n' \
               '[tls]\nsecond_certificate = "pki/rsa.pem"\nsecond_key = "pki/rsa.key"\n' + self.more
        (self.folder / "district.toml").write_text(text)
        return [district.BIN / "districtd", "--config", self.folder / "district.toml"]

    def make_certificate(self, name, key=("rsa:2048",)):
        request = self.folder / "request.pem"
        district.checked("openssl", "req", "-newkey", *key, "-nodes", "-subj", "/CN=localhost",
                         "-keyout", self.pki / f"{name}.key", "-out", request)
        extensions = self.folder / "extensions.cnf"
        extensions.write_text("subjectAltName = DNS:localhost, IP:127.0.0.1\nkeyUsage = digitalSignature, keyEncipherment\n")
        district.checked("openssl", "x509", "-req", "-in", request, "-CA", self.pki / "ca.pem", "-CAkey",
                         self.pki / "ca.key", "-days", "30", "-extfile", extensions, "-set_serial",
                         str(int.from_bytes(os.urandom(8), "big")), "-out", self.pki / f"{name}.pem")

    def legacy_port(self):
        return int(re.findall(r"event=legacy_tls .*port=(\d+)", self.log.read_text())[-1])

    def wait_for_log(self, text, count=1):
        deadline = time.monotonic() + 10
        while self.log.read_text().count(text) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"no {text} in the log:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.05)


def s_client(port, *options, send=b""):
    """What openssl s_client says; its security level is 0, so that it offers whatever is asked."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"localhost:{port}", *options], input=send,
                          capture_output=True, timeout=30)
    return (done.stdout + done.stderr).decode(errors="replace")


def suite_of(text):
    """The suite agreed on, or None."""
    found = re.search(r"^New, .*, Cipher is (\S+)$", text, re.M)
    return found.group(1) if found and found.group(1) != "(NONE)" else None


class FrontTlsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.district = cls.enterClassContext(FrontDistrict(more="[legacy]\nenabled = true\nport = 0\n"))

    # -- what is offered ------------------------------------------------------------------------

    def all_suites(self):
        text = district.checked("openssl", "ciphers", "-s", "-tls1_2", "ALL:COMPLEMENTOFALL:@SECLEVEL=0")
        return [name for name in text.strip().split(":") if not name.startswith("TLS_")]

    def test_the_modern_profile_takes_its_suites_and_no_other(self):
        for name in self.all_suites():
            with self.subTest(name):
                text = s_client(self.district.port, "-tls1_2", "-cipher", f"{name}:@SECLEVEL=0")
                self.assertEqual(suite_of(text), name if name in MODERN else None)
        for version in ("-tls1", "-tls1_1"):
            with self.subTest(version):
                self.assertIsNone(suite_of(s_client(self.district.port, version, "-cipher", "ALL:@SECLEVEL=0")))

    def test_the_legacy_listener_takes_a_few_more_and_no_others(self):
        port = self.district.legacy_port()
        for name in self.all_suites():
            with self.subTest(name):
                text = s_client(port, "-tls1_2", "-cipher", f"{name}:@SECLEVEL=0")
                self.assertEqual(suite_of(text), name if name in MODERN + LEGACY else None)
        for version, protocol in (("-tls1", "TLSv1"), ("-tls1_1", "TLSv1.1")):
            for name in LEGACY:
                with self.subTest(version=version, name=name):
                    text = s_client(port, version, "-cipher", f"{name}:@SECLEVEL=0")
                    self.assertEqual(suite_of(text), name)
                    self.assertRegex(text, rf"Protocol *: {re.escape(protocol)}\n")
        self.assertIn("TLSv1.3", s_client(port))
        # Forward secrecy first, whatever the client prefers.
        text = s_client(port, "-tls1", "-cipher", "AES128-SHA:ECDHE-RSA-AES256-SHA:@SECLEVEL=0")
        self.assertEqual(suite_of(text), "ECDHE-RSA-AES256-SHA")

    def test_who_falls_back_without_need_is_told(self):
        """RFC 7507: a downgrade by someone on the way."""
        text = s_client(self.district.legacy_port(), "-tls1", "-fallback_scsv", "-cipher", "ALL:@SECLEVEL=0")
        self.assertIn("inappropriate fallback", text)

    def test_each_client_gets_the_certificate_that_it_can_verify(self):
        for options, kind in ((("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"), "rsaEncryption"),
                              (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"), "id-ecPublicKey"),
                              (("-tls1_3", "-sigalgs", "rsa_pss_rsae_sha256"), "rsaEncryption"),
                              (("-tls1_3", "-sigalgs", "ecdsa_secp256r1_sha256"), "id-ecPublicKey"),
                              (("-noservername",), "id-ecPublicKey"),
                              (("-servername", "other.example"), "id-ecPublicKey")):
            with self.subTest(options):
                text = s_client(self.district.port, *options)
                certificate = re.search(r"-----BEGIN CERT.*?END CERTIFICATE-----", text, re.S)
                self.assertIsNotNone(certificate, text)
                shown = subprocess.run(["openssl", "x509", "-noout", "-text"], input=certificate.group(0), text=True,
                                       capture_output=True, check=True).stdout
                self.assertIn(f"Public Key Algorithm: {kind}", shown)

    def test_groups_and_signatures_are_those_of_the_list(self):
        for group, taken in (("X25519", True), ("P-256", True), ("P-384", True), ("P-521", True),
                             ("X448", False), ("ffdhe8192", False)):
            with self.subTest(group):
                self.assertEqual(suite_of(s_client(self.district.port, "-tls1_3", "-groups", group)) is not None, taken)
        for group in ("secp256k1", "brainpoolP256r1"):
            with self.subTest(group):
                text = s_client(self.district.port, "-tls1_2", "-groups", group, "-cipher", "ECDHE+AESGCM")
                self.assertIsNone(suite_of(text))
        for port in (self.district.port, self.district.legacy_port()):
            text = s_client(port, "-tls1_2", "-sigalgs", "RSA+SHA1:ECDSA+SHA1", "-cipher", "ECDHE:@SECLEVEL=0")
            self.assertIsNone(suite_of(text))
        text = s_client(self.district.port, "-tls1_2", "-cipher", "DHE-RSA-AES256-GCM-SHA384")
        bits = int(re.search(r"Server Temp Key: DH, (\d+) bits", text).group(1))
        self.assertGreaterEqual(bits, 2048)

    def test_no_compression_and_no_renegotiation(self):
        """RFC 5746 is spoken; nobody may renegotiate even so."""
        for port in (self.district.port, self.district.legacy_port()):
            text = s_client(port, "-tls1_2", "-comp")
            self.assertIn("Secure Renegotiation IS supported", text)
            self.assertIn("Compression: NONE", text)
            client = subprocess.Popen(["openssl", "s_client", "-connect", f"localhost:{port}", "-tls1_2"],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            time.sleep(0.5)
            client.stdin.write(b"R\n")
            client.stdin.flush()
            said = client.communicate(timeout=20)[0].decode(errors="replace")
            self.assertIn("RENEGOTIATING", said)
            self.assertIn("no renegotiation", said)

    def test_only_http_1_1_is_negotiated(self):
        """RFC 7301; RFC 9325 section 3.8 (ALPACA)."""
        self.assertIn("ALPN protocol: http/1.1", s_client(self.district.port, "-alpn", "h2,http/1.1"))
        for offered in ("h2", "ftp", "h2,smtp"):
            with self.subTest(offered):
                self.assertIn("no application protocol", s_client(self.district.port, "-alpn", offered))
        self.assertIn("No ALPN negotiated", s_client(self.district.port))
        self.assertIn("ALPN protocol: http/1.0", s_client(self.district.port, "-alpn", "h2,http/1.0"))
        self.assertIn("ALPN protocol: http/1.1", s_client(self.district.port, "-alpn", "http/1.0,http/1.1"))

    def test_sessions_are_resumed_by_tickets_but_not_on_another_listener(self):
        with tempfile.TemporaryDirectory() as folder:
            session = os.path.join(folder, "session")
            s_client(self.district.port, "-tls1_2", "-sess_out", session)
            self.assertIn("Reused, ", s_client(self.district.port, "-tls1_2", "-sess_in", session))
            self.assertIn("New, ", s_client(self.district.legacy_port(), "-tls1_2", "-sess_in", session))

    def test_a_java_client_of_the_old_days_comes_in_by_the_legacy_listener_only(self):
        java = shutil.which("java")
        if not java or "jdk.compiler" not in district.run(java, "--list-modules").stdout:
            self.skipTest("no Java compiler")
        source = self.district.folder / "OldClient.java"
        source.write_text(JAVA)
        def ask(port, protocol, suites):
            return district.run(java, "-Djdk.tls.client.protocols=" + protocol, source, port, protocol, suites)
        done = ask(self.district.legacy_port(), "TLSv1", JAVA_7_SUITES)
        self.assertRegex(done.stdout, r"TLSv1 TLS_ECDHE_(ECDSA|RSA)_WITH_AES_128_CBC_SHA HTTP/1.1 200 OK", done.stderr)
        done = ask(self.district.legacy_port(), "TLSv1", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA,TLS_RSA_WITH_AES_128_CBC_SHA")
        self.assertIn("TLSv1 TLS_RSA_WITH_AES_128_CBC_SHA HTTP/1.1 200 OK", done.stdout, done.stderr)
        done = ask(self.district.port, "TLSv1", JAVA_7_SUITES)
        self.assertIn("protocol_version", done.stderr)

    def test_the_legacy_listener_judges_messages_alike_and_is_warned_about(self):
        self.assertIn("level=warning event=legacy_tls", self.district.log.read_text())
        context = self.district.tls()
        connection = http.client.HTTPSConnection("localhost", self.district.legacy_port(), timeout=30, context=context)
        with contextlib.closing(connection):
            for body, status in ((sign(self.district, "20", BARCELONA), 200), (b"<a/>", 500)):
                connection.request("POST", district.SERVICE, body, {"Content-Type": "text/xml; charset=utf-8"})
                answer = connection.getresponse()
                answer.read()
                self.assertEqual(answer.status, status)

    # -- new certificates -----------------------------------------------------------------------

    def served(self):
        text = s_client(self.district.port, "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")
        return ssl.PEM_cert_to_DER_cert(re.search(r"-----BEGIN CERT.*?END CERTIFICATE-----", text, re.S).group(0))

    def on_disk(self):
        return ssl.PEM_cert_to_DER_cert((self.district.pki / "rsa.pem").read_text())

    def reload(self, event):
        before = self.district.log.read_text().count(f"event={event}")
        self.district.process.send_signal(signal.SIGHUP)
        self.district.wait_for_log(f"event={event}", before + 1)

    def test_certificates_are_renewed_without_a_restart(self):
        old = self.served()
        self.assertEqual(old, self.on_disk())
        running = http.client.HTTPSConnection("localhost", self.district.port, timeout=30, context=self.district.tls())
        with contextlib.closing(running):
            def ask():
                running.request("GET", "/health")
                return running.getresponse().read()
            self.assertEqual(ask(), b"ok\n")
            socket_before = running.sock
            self.district.make_certificate("rsa")
            self.assertEqual(self.served(), old)  # not yet asked to
            self.reload("certificates_loaded")
            self.assertNotEqual(self.served(), old)
            self.assertEqual(self.served(), self.on_disk())
            self.assertEqual(ask(), b"ok\n")
            self.assertIs(running.sock, socket_before)

    def test_certificates_of_receipts_are_renewed_with_them(self):
        def accepted():
            connection = http.client.HTTPSConnection("localhost", self.district.port, timeout=30, context=self.district.tls())
            with contextlib.closing(connection):
                request = sign(self.district, "20", BARCELONA)
                connection.request("POST", district.SERVICE, request, {"Content-Type": "text/xml; charset=utf-8"})
                district.check_receipt(self, self.district, request, connection.getresponse().read())
        accepted()
        old = (self.district.pki / "receipt-rsa.pem").read_bytes()
        self.district.make_certificate("receipt-rsa")
        self.reload("receipt_certificates_loaded")
        accepted()
        new = (self.district.pki / "receipt-rsa.pem").read_bytes()
        (self.district.pki / "receipt-rsa.pem").write_bytes(old)  # not that of the key
        self.reload("receipt_certificates_kept")
        (self.district.pki / "receipt-rsa.pem").write_bytes(new)
        accepted()

    def test_broken_new_files_are_told_and_the_old_ones_kept(self):
        pki, before = self.district.pki, self.served()
        files = {name: (pki / name).read_bytes() for name in ("rsa.pem", "rsa.key")}
        for name, octets in (("rsa.pem", b""), ("rsa.pem", b"nonsense"), ("rsa.key", b"nonsense"),
                             ("rsa.key", (pki / "server.key").read_bytes()),
                             ("rsa.pem", (pki / "receipt-rsa.pem").read_bytes()), ("rsa.key", None)):
            with self.subTest(name=name):
                if octets is None:
                    (pki / name).unlink()
                else:
                    (pki / name).write_bytes(octets)
                self.reload("certificates_kept")
                self.assertEqual(self.served(), before)
                (pki / name).write_bytes(files[name])
        self.assertRegex(self.district.log.read_text(), r"level=error event=certificates_kept detail=\"[^\"]*rsa\.")
        self.reload("certificates_loaded")
        self.assertEqual(self.served(), before)


class HandshakeTest(unittest.TestCase):
    """With a server of its own: each peer has so many lines a minute."""

    def test_each_handshake_that_fails_leaves_its_reason_in_the_log(self):
        self.district = self.enterContext(FrontDistrict())
        port = self.district.port
        with socket.create_connection(("localhost", port), timeout=10) as plain:
            plain.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                plain.recv(100)
        with socket.create_connection(("localhost", port), timeout=10) as noise:
            noise.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            with contextlib.suppress(ConnectionResetError):
                noise.recv(100)
        s_client(port, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
        s_client(port, "-tls1_2", "-cipher", "AES128-SHA")
        s_client(port, "-tls1_3", "-groups", "X448")
        s_client(port, "-alpn", "h2")
        with self.assertRaises(ssl.SSLError):  # it does not know our authority
            with socket.create_connection(("localhost", port), timeout=10) as raw:
                ssl.create_default_context().wrap_socket(raw, server_hostname="localhost")
        context = self.district.tls()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with socket.create_connection(("localhost", port), timeout=10) as raw:
            context.wrap_socket(raw, server_hostname="localhost").close()
        for reason in ("plain HTTP on the TLS port: the client must use https", "what came is no TLS handshake",
                       "the client's TLS is older than this listener takes",
                       "client and server have no cipher suite in common",
                       "client and server have no group for the key exchange in common",
                       "the client speaks neither HTTP/1.1 nor HTTP/1.0 (ALPN)",
                       "the client does not trust the server's certificate"):
            with self.subTest(reason):
                self.district.wait_for_log(f'level=info event=handshake_failed peer=127.0.0.1 detail="{reason}')
        self.district.wait_for_log('event=connection_unused peer=127.0.0.1 detail="the client ended it after the handshake')


class LogTest(unittest.TestCase):
    """What logrotate does, and to see more for a while."""

    def log(self, server, name, text):
        """Waits for the text in a log file of that name."""
        deadline = time.monotonic() + 10
        written = lambda: (server.folder / name).read_text() if (server.folder / name).exists() else ""
        while text not in written():
            self.assertLess(time.monotonic(), deadline, written()[-2000:])
            time.sleep(0.05)

    def hang_up(self, server, config):
        (server.folder / "district.toml").write_text(config)
        server.process.send_signal(signal.SIGHUP)

    def test_a_hangup_opens_the_log_anew_and_takes_its_level(self):
        server = FrontDistrict()
        # It says where it listens on standard error: the log comes to a file later.
        self.enterContext(server)
        config = (server.folder / "district.toml").read_text()
        to_file = config + '[log]\nfile = "server.log"\n'
        self.hang_up(server, to_file)
        self.log(server, "server.log", "event=log_opened level=info")
        for i in range(3):
            (server.folder / "server.log").rename(server.folder / f"server.log.{i}")
            server.process.send_signal(signal.SIGHUP)
            self.log(server, "server.log", "event=certificates_loaded")
            self.assertEqual((server.folder / f"server.log.{i}").read_text().count("log_opened"), 1)
        # At `error` a refusal is not told, at `info` again.
        def refused():
            with contextlib.closing(http.client.HTTPSConnection("localhost", server.port, timeout=30, context=server.tls())) as connection:
                connection.request("GET", "/nowhere")
                self.assertEqual(connection.getresponse().status, 404)
        refused()
        self.log(server, "server.log", "event=request_refused")
        self.hang_up(server, to_file.replace("server.log", "errors.log") + 'level = "error"\n')
        deadline = time.monotonic() + 10
        while not (server.folder / "errors.log").exists():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        # Of a broken file, and of a changed key that a reload does not take, there is a line at least.
        self.hang_up(server, to_file.replace("[listen]", "[listen]\naddress = 7"))
        self.log(server, "errors.log", "event=configuration_kept")
        refused()
        self.assertNotIn("level=info", (server.folder / "errors.log").read_text())
        self.hang_up(server, to_file + "[limits]\nqueue = 7\n")
        self.log(server, "server.log", "event=log_opened level=info")
        self.log(server, "server.log", "event=configuration_kept key=limits.queue")
        before = (server.folder / "server.log").read_text().count("request_refused")
        refused()
        deadline = time.monotonic() + 10
        while (server.folder / "server.log").read_text().count("request_refused") == before:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        # A file that cannot be opened: the old one goes on.
        self.hang_up(server, config + '[log]\nfile = "pki"\n')
        self.log(server, "server.log", "event=log_kept")


class ClientCertificateTest(unittest.TestCase):
    """Mutual TLS: trust is the enrolled certificate, not who issued it."""

    def district(self, mode):
        return self.enterContext(FrontDistrict(listen=f'client_certificates = "{mode}"'))

    @contextlib.contextmanager
    def connection(self, server, pilot=None, version=ssl.TLSVersion.TLSv1_3):
        context = server.tls()
        context.maximum_version = version
        if pilot:
            folder = server.pki if pilot == "stranger" else server.pki / "pilots"
            context.load_cert_chain(folder / f"{pilot}.pem", folder / f"{pilot}.key")
        connection = http.client.HTTPSConnection("localhost", server.port, timeout=30, context=context)
        with contextlib.closing(connection):
            yield connection

    def ask(self, connection, method="GET", target="/health", body=None):
        connection.request(method, target, body, {"Content-Type": "text/xml; charset=utf-8"} if body else {})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def test_required_certificates(self):
        server = FrontDistrict(listen='client_certificates = "required"')
        # The helper asks for /health without a certificate, which is what is refused here.
        server._healthy = lambda: True
        self.enterContext(server)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version):
                with self.connection(server, None, version) as connection:
                    with self.assertRaises((ssl.SSLError, OSError, http.client.HTTPException)):
                        self.ask(connection)
                with self.connection(server, "barcelona", version) as connection:
                    self.assertEqual(self.ask(connection), (200, b"ok\n"))
                    self.assertEqual(self.ask(connection, "POST", district.SERVICE, b"<a/>")[0], 500)
                    self.assertEqual(self.ask(connection, "POST", district.SERVICE, sign(server, "20", BARCELONA))[0], 200)
                # Issued by the same authority as the server's, but not enrolled.
                with self.connection(server, "stranger", version) as connection:
                    self.assertEqual(self.ask(connection), (403, b"forbidden\n"))
        server.wait_for_log('event=handshake_failed peer=127.0.0.1 detail="the client has sent no certificate', 2)
        fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert((server.pki / "stranger.pem").read_text())).hexdigest()
        server.wait_for_log(f"the certificate with SHA-256 {fingerprint} is not enrolled, or not in force now", 2)
        # Who resumes a session has proved its key before.
        context = server.tls()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(server.certificate("eibar"), server.key("eibar"))
        session = None
        for reused in (False, True):
            plain = socket.create_connection(("localhost", server.port), timeout=10)
            with context.wrap_socket(plain, server_hostname="localhost", session=session) as connection:
                self.assertEqual(connection.session_reused, reused)
                connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertTrue(connection.recv(100).startswith(b"HTTP/1.1 200 "))
                session = connection.session
        # Revocation acts on the next request of a connection that is open.
        with self.connection(server, "barcelona") as connection:
            self.assertEqual(self.ask(connection)[0], 200)
            socket_before = connection.sock
            fingerprint = district.checked("openssl", "x509", "-in", server.certificate("barcelona"), "-noout",
                                           "-fingerprint", "-sha256").strip().split("=")[1]
            server.ctl("revoke", fingerprint, "--reason", "stolen")
            self.assertIs(connection.sock, socket_before)
            self.assertEqual(self.ask(connection), (403, b"forbidden\n"))
        with self.connection(server, "eibar") as connection:
            self.assertEqual(self.ask(connection)[0], 200)

    def test_optional_certificates(self):
        server = self.district("optional")
        for pilot in (None, "barcelona", "stranger"):
            with self.subTest(pilot), self.connection(server, pilot) as connection:
                self.assertEqual(self.ask(connection), (200, b"ok\n"))
                self.assertEqual(self.ask(connection, "POST", district.SERVICE, sign(server, "20", BARCELONA))[0], 200)

    def test_no_certificate_is_asked_for_otherwise(self):
        server = self.district("off")
        self.assertIn("No client certificate CA names sent", s_client(server.port, "-tls1_2"))
        self.assertNotIn("Requested Signature Algorithms", s_client(server.port, "-tls1_2"))


if __name__ == "__main__":
    district.main()
