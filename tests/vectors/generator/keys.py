"""Throw-away keys and certificates by the openssl command line. Keys live in a temporary folder."""
import base64
import hashlib
import hmac
import pathlib
import subprocess

CA_CONFIG = """
[ca]
default_ca = test
[test]
database = {work}/index.txt
new_certs_dir = {work}
serial = {work}/serial
default_md = sha256
unique_subject = no
policy = any
x509_extensions = leaf
certificate = {work}/ca.pem
private_key = {work}/ca.key
[any]
countryName = optional
organizationName = optional
commonName = supplied
[req]
distinguished_name = none
[none]
[ca_extensions]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
subjectKeyIdentifier = hash
[encipherment]
keyUsage = critical,keyEncipherment
subjectKeyIdentifier = hash
[bare]
subjectKeyIdentifier = none
"""

RSA = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]


def curve(name):
    return ["-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{name}"]


# name: (genpkey arguments or whose key, common name, not before, not after, extensions)
CERTIFICATES = {
    "kalundborg": (RSA, "Kalundborg gateway", "251101", "281101", "leaf"),
    "barcelona": (RSA, "Barcelona gateway", "251101", "281101", "leaf"),
    "eibar": (curve("P-256"), "Eibar gateway", "251101", "281101", "leaf"),
    "p384": (curve("P-384"), "Gateway on P-384", "251101", "281101", "leaf"),
    "p521": (curve("P-521"), "Gateway on P-521", "251101", "281101", "leaf"),
    "p521-short": (curve("P-521"), "Gateway that cuts zeros", "251101", "281101", "leaf"),
    "no-extensions": (RSA, "Gateway without key usage", "251101", "281101", "bare"),
    "legacy": (RSA, "First gateway, SHA-1", "251101", "281101", "leaf"),
    "legacy-ended": (RSA, "First gateway, SHA-1 ended", "251101", "281101", "leaf"),
    "revoked": (RSA, "Revoked gateway", "251101", "281101", "leaf"),
    "expired": (RSA, "Expired gateway", "251101", "260115", "leaf"),
    "renewed": ("expired", "Expired gateway", "260101", "281101", "leaf"),
    "reissued": ("revoked", "Revoked gateway", "260101", "281101", "leaf"),
    "not-yet-valid": (RSA, "Gateway of tomorrow", "260116", "281101", "leaf"),
    "enrolled-later": (RSA, "Gateway enrolled from tomorrow", "251101", "281101", "leaf"),
    "stranger": (RSA, "Nobody we know", "251101", "281101", "leaf"),
    "encipherment": (RSA, "For encipherment only", "251101", "281101", "encipherment"),
    "weak": (["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"], "Weak", "251101", "281101", "leaf"),
    "big-exponent": (RSA + ["-pkeyopt", "rsa_keygen_pubexp:18446744073709551629"], "Big exponent",
                     "251101", "281101", "leaf"),
    "secp256k1": (curve("secp256k1"), "Other curve", "251101", "281101", "leaf"),
    "ed25519": (["-algorithm", "ED25519"], "Other algorithm", "251101", "281101", "leaf"),
    "explicit-curve": (curve("P-256") + ["-pkeyopt", "ec_param_enc:explicit"], "P-256 by its parameters",
                       "251101", "281101", "leaf"),
    "sect571r1": (curve("sect571r1"), "Binary curve", "251101", "281101", "leaf"),
    "rsa-pss": (["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"], "Key for RSA-PSS only",
                "251101", "281101", "leaf"),
    "rsa-16384": (["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:16384", "-pkeyopt", "rsa_keygen_primes:5"],
                  "Long key", "251101", "281101", "leaf"),
}


class Keys:
    def __init__(self, work, certificates):
        self.work = pathlib.Path(work)
        self.folder = pathlib.Path(certificates)
        (self.work / "index.txt").write_text("")
        (self.work / "serial").write_text("00C0FFEE01\n")
        (self.work / "ca.cnf").write_text(CA_CONFIG.format(work=self.work))
        self.make_ca()
        for name in CERTIFICATES:
            self.make(name)
        self.run("x509", "-req", "-in", self.work / "stranger.csr", "-CA", self.work / "ca.pem", "-CAkey",
                 self.work / "ca.key", "-set_serial", "0x" + "7f" * 40, "-days", "1000", "-out",
                 self.pem("long-serial"))

    def run(self, *arguments, data=None):
        done = subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True)
        if done.returncode != 0:
            raise SystemExit(f"openssl {' '.join(map(str, arguments))}\n{done.stderr.decode()}")
        return done.stdout

    def make_ca(self):
        self.run("genpkey", *RSA, "-out", self.work / "ca.key")
        self.run("req", "-new", "-x509", "-config", self.work / "ca.cnf", "-extensions", "ca_extensions",
                 "-key", self.work / "ca.key", "-subj", "/C=ES/O=Pilots, Test/CN=Test CA", "-days", "3650",
                 "-out", self.work / "ca.pem")

    def make(self, name):
        algorithm, common_name, start, end, extensions = CERTIFICATES[name]
        key, request, pem = (self.work / f"{name}.{kind}" for kind in ("key", "csr", "pem"))
        if isinstance(algorithm, str):
            key.write_bytes(self.key(algorithm).read_bytes())
        else:
            self.run("genpkey", *algorithm, "-out", key)
        self.run("req", "-new", "-config", self.work / "ca.cnf", "-key", key, "-subj",
                 f"/C=ES/O=Pilots, Test/CN={common_name}", "-out", request)
        self.run("ca", "-batch", "-config", self.work / "ca.cnf", "-in", request, "-notext",
                 "-startdate", f"{start}000000Z", "-enddate", f"{end}000000Z",
                 "-extensions", extensions, "-out", pem)
        (self.folder / f"{name}.pem").write_bytes(self.run("x509", "-in", pem))

    def issue_by(self, issuer, name):
        """Another certificate for the key of `name`, by a key that is no authority's."""
        issued = f"{name}-by-{issuer}"
        self.run("x509", "-req", "-in", self.work / f"{name}.csr", "-CA", self.pem(issuer), "-CAkey", self.key(issuer),
                 "-set_serial", "7", "-days", "1000", "-out", self.pem(issued))
        return issued

    def key(self, name):
        return self.work / f"{name}.key"

    def pem(self, name):
        return self.work / f"{name}.pem"

    def der(self, name):
        return self.run("x509", "-in", self.pem(name), "-outform", "DER")

    def token(self, name):
        return base64.b64encode(self.der(name)).decode()

    def pki_path(self, *names):
        content = b"".join(self.der(name) for name in names)
        length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
        return base64.b64encode(b"\x30" + bytes([0x80 | len(length)]) + length + content).decode()

    def thumbprint(self, name):
        return base64.b64encode(hashlib.sha1(self.der(name)).digest()).decode()

    def key_identifier(self, name):
        text = self.run("x509", "-in", self.pem(name), "-noout", "-ext", "subjectKeyIdentifier").decode()
        return base64.b64encode(bytes.fromhex(text.split("\n")[1].strip().replace(":", ""))).decode()

    def serial(self, name):
        return str(int(self.run("x509", "-in", self.pem(name), "-noout", "-serial").decode().split("=")[1], 16))

    def sign(self, name, method, data):
        """Signature value in the form that XML Signature wants of the algorithm."""
        if method.startswith("hmac"):
            # The classic confusion of algorithms: the public certificate as the secret.
            return hmac.new(self.der(name), data, method.split("-")[1]).digest()
        family, hash_name = method.split("-", 1)
        options = []
        if family == "pss":
            options = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]
        value = self.run("dgst", f"-{hash_name}", "-sign", self.key(name), *options, data=data)
        if family == "ecdsa":
            value = self.fixed_width(name, value)
        return value

    def fixed_width(self, name, der):
        width = {"eibar": 32, "p384": 48, "p521": 66, "p521-short": 66, "secp256k1": 32}[name]
        position = 2 if der[1] < 0x80 else 3
        numbers = []
        for _ in range(2):
            length = der[position + 1]
            numbers.append(int.from_bytes(der[position + 2:position + 2 + length], "big"))
            position += 2 + length
        return b"".join(n.to_bytes(width, "big") for n in numbers)
