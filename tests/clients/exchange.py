"""Exchanges with a client, and answers that are not from the server.

A client is a program that is started as

    CLIENT URL CA.pem RECEIPTS.pem

and reads exchanges from its standard input, one on a line, as words `name=value`:

    certificate, key   PEM files of the gateway
    request            a JSON file as those in messages/; beside it, for stacks that take XML, the
                       same as the element AggregateMessageRequest in a file whose name ends in .xml
    reference          how KeyInfo names the certificate: one of the stack's REFERENCES
    algorithm          rsa-sha256, ecdsa-sha256 or rsa-sha1
    record             writes what went over the wire to RECORD-request.xml, RECORD-answer.xml
    resend             sends the octets of that earlier RECORD-request.xml again

For each it prints a line of JSON:

    signature   "verified" by the stack itself with the certificates in RECEIPTS.pem, and over this
                answer's Body, Timestamp and SignatureConfirmation; "none"; or why it does not verify
    confirmed   whether the SignatureConfirmation is of the request's own signature
    receiptId   of a receipt that verifies and confirms this request
    fault       the local name of a fault's code; text: its faultstring
"""
import contextlib
import http.server
import json
import pathlib
import re
import ssl
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import district  # noqa: E402


class Client:
    """A client's process: `with Client(command, url, ca, receipts) as client: client.exchange(...)`."""

    def __init__(self, command, url, ca, receipts):
        self.words = [str(word) for word in (*command, url, ca, receipts)]

    def __enter__(self):
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(self.words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                                        text=True, preexec_fn=district._die_with_parent)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=20)
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.errors.close()

    def exchange(self, exchanges):
        """What the client says of each exchange, with the octets that it recorded."""
        watchdog = threading.Timer(100, self.process.kill)
        watchdog.start()
        try:
            return [self._one(exchange) for exchange in exchanges]
        finally:
            watchdog.cancel()

    def _one(self, exchange):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(" ".join(f"{name}={value}" for name, value in exchange.items()) + "\n")
            self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line.startswith("{"):
            self.process.kill()
            self.errors.seek(0)
            raise AssertionError(f"the client ends at {exchange}\n{line}{self.errors.read()[-4000:]}")
        result = json.loads(line)
        for part in ("request", "answer"):
            file = pathlib.Path(f"{exchange['record']}-{part}.xml")
            result[part] = file.read_bytes() if file.exists() else b""
        return result


@contextlib.contextmanager
def false_server(certificate, key, answers):
    """The URL of a server that serves the WSDL and gives prepared answers, (status, octets), in turn."""
    left = iter(answers)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status, content):
            self.send_response(status)
            kind = "application/soap+xml" if b"/2003/05/soap-envelope" in content[:200] else "text/xml"
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self):
            name = self.path.replace("?xsd=", "/").rpartition("/")[2]
            file = district.ROOT / ("xsd/" + name if name.endswith(".xsd") else "wsdl/aggregation.wsdl")
            self.answer(200, file.read_text().replace("PUBLIC_URL", url).encode())

        def do_POST(self):
            if self.headers.get("Transfer-Encoding") == "chunked":
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    self.rfile.read(size + 2)
                self.rfile.readline()
            else:
                self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(*next(left))

        def log_message(self, *_):
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = http.server.ThreadingHTTPServer(("localhost", 0), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    url = f"https://localhost:{server.server_port}{district.SERVICE}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def forgeries(receipt):
    """Answers that are not this server's receipt of the request: {how: octets}."""
    text = receipt.decode()
    body = re.search(r"<soap:Body.*</soap:Body>", text, re.S)[0]
    identity = re.search(r'wsu:Id="([^"]*)"', body)[1]
    forged = re.sub(r"<urb:receiptId>.{4}", "<urb:receiptId>7ZZZ", body)

    def wrapped(instead):
        moved = text.replace("</soap:Header>", f'<w:W xmlns:w="urn:w">{body}</w:W></soap:Header>')
        return moved[:moved.rindex("<soap:Body")] + instead + "</soap:Envelope>"

    return {name: answer.encode() for name, answer in {
        "changed": text.replace(body, forged),
        "wrapped": wrapped(forged.replace(identity, "Other")),
        "wrapped with the same id": wrapped(forged),
        "wrapped without an id": wrapped(forged.replace(f' wsu:Id="{identity}"', "")),
        "not signed": re.sub(r"<soap:Header>.*</soap:Header>", "", text, flags=re.S),
    }.items()}
