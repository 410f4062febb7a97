"""Requests signed by the clients of tests/clients, each with its own stack, with the vectors' keys.

The clients run under faketime, so that they sign at 2026-01-15T12:00:00Z, and send to a server that
serves the WSDL and refuses everything with a fault that is not signed; what they sent is the vector.
"""
import contextlib
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "clients"))

import commands  # noqa: E402
import stacks  # noqa: E402

# The clock goes on from there.
FAKETIME = ["env", "TZ=UTC", "FAKETIME_DONT_FAKE_MONOTONIC=1", "faketime", "-f", "@2026-01-15 12:00:00"]

FAULT = (b'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><soap:Fault>'
         b"<faultcode>soap:Client</faultcode><faultstring>kept</faultstring></soap:Fault></soap:Body></soap:Envelope>")
FAULT12 = (b'<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Body><soap:Fault><soap:Code>'
           b'<soap:Value>soap:Sender</soap:Value></soap:Code><soap:Reason><soap:Text xml:lang="en">kept</soap:Text>'
           b"</soap:Reason></soap:Fault></soap:Body></soap:Envelope>")

COMMANDS = {"node-soap": commands.node_soap, "wss4j": commands.java_wss4j, "gsoap": commands.gsoap, "php": commands.php}

# stack: [(what it shows, key, pilot, algorithm, reference, the rest of the exchange)]
RSA, ECDSA, SHA1 = "rsa-sha256", "ecdsa-sha256", "rsa-sha1"
EXCHANGES = {
    "node-soap": [
        ("kalundborg", "kalundborg", "kalundborg", RSA, "token", {}),
        ("barcelona", "barcelona", "barcelona", RSA, "token", {})],
    "wss4j": [
        ("binary", "kalundborg", "kalundborg", RSA, "token", {}),
        ("pki-path", "barcelona", "barcelona", RSA, "pki-path", {"chain": True}),
        ("issuer-serial", "kalundborg", "kalundborg", RSA, "issuer-serial", {}),
        ("key-identifier", "barcelona", "barcelona", RSA, "key-identifier", {}),
        ("subject-key-identifier", "kalundborg", "kalundborg", RSA, "ski", {}),
        ("thumbprint", "barcelona", "barcelona", RSA, "thumbprint", {}),
        ("ecdsa", "eibar", "eibar", ECDSA, "token", {}),
        ("str-transform", "kalundborg", "kalundborg", RSA, "token", {"sign-token": "yes"}),
        ("str-transform-issuer-serial", "kalundborg", "kalundborg", RSA, "issuer-serial", {"sign-token": "yes"}),
        ("str-transform-subject-key-identifier", "barcelona", "barcelona", RSA, "ski", {"sign-token": "yes"}),
        ("str-transform-thumbprint", "kalundborg", "kalundborg", RSA, "thumbprint", {"sign-token": "yes"}),
        ("str-transform-key-identifier", "barcelona", "barcelona", RSA, "key-identifier", {"sign-token": "yes"}),
        ("defaults-rsa-sha1", "legacy", "kalundborg", SHA1, "issuer-serial", {})],
    "gsoap": [
        ("binary", "kalundborg", "kalundborg", RSA, "token", {}),
        ("issuer-serial", "barcelona", "barcelona", RSA, "issuer-serial", {}),
        ("subject-key-identifier", "kalundborg", "kalundborg", RSA, "ski", {}),
        ("thumbprint", "barcelona", "barcelona", RSA, "thumbprint", {}),
        ("rsa-sha1", "legacy", "kalundborg", SHA1, "token", {}),
        ("soap12.soap12", "barcelona", "barcelona", RSA, "token", {"soap": "1.2"})],
    "php": [
        ("binary", "kalundborg", "kalundborg", RSA, "token", {}),
        ("x509-data", "barcelona", "barcelona", RSA, "x509-data", {}),
        ("subject-key-identifier", "eibar", "eibar", ECDSA, "ski", {}),
        ("thumbprint", "kalundborg", "kalundborg", RSA, "thumbprint", {}),
        ("ecdsa", "eibar", "eibar", ECDSA, "token", {})],
}


def prepared():
    """{stack: command}; ends the program with what is missing, before any vector is touched."""
    try:
        commands.need("faketime")
        return {stack: FAKETIME + make() for stack, make in COMMANDS.items()}
    except commands.Missing as missing:
        raise SystemExit(f"make_vectors.py: {missing}")


@contextlib.contextmanager
def refusing_server(work):
    """With a certificate that is valid for the clients' clock."""
    subprocess.run([*FAKETIME[:-1], "@2026-01-15 00:00:00", "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                    "-keyout", work / "tls.key", "-out", work / "tls.pem", "-days", "3650", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    answers = [(400, FAULT12) if "soap" in more else (500, FAULT) for stack in COMMANDS for *_, more in EXCHANGES[stack]]
    with stacks.false_server(work / "tls.pem", work / "tls.key", answers) as url:
        yield url


def exchanges(keys, stack):
    for name, key, pilot, algorithm, reference, more in EXCHANGES[stack]:
        certificate = keys.pem(key)
        more = dict(more)
        if more.pop("chain", False):
            certificate = keys.work / f"{key}-chain.pem"
            certificate.write_text(keys.pem(key).read_text() + keys.pem("ca").read_text())
        request = stacks.write_request(keys.work, f"by-{stack}-{name}-messages", stacks.MESSAGES[pilot])
        yield {"certificate": certificate, "key": keys.key(key), "request": request, "algorithm": algorithm,
               "reference": reference, "record": keys.work / f"by-{stack}-{name}", **more}


def vectors(keys, prepared_commands):
    with refusing_server(keys.work) as url:
        for stack, command in prepared_commands.items():
            given = list(exchanges(keys, stack))
            with stacks.Client(command, url, keys.work / "tls.pem", keys.work / "tls.pem") as client:
                results = client.exchange(given)
            for exchange, result in zip(given, results):
                assert result["fault"] in ("Client", "Sender"), (exchange, result["text"])
                yield exchange["record"].name, result["request"]
