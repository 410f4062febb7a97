"""WSS4J 1.6, the stack of Rampart and WSO2, signs the pilots' messages and verifies what is answered."""
import hashlib
import pathlib
import shutil
import subprocess
import unittest

from lxml import etree

import clients
from clients import district

SOURCE = clients.HERE / "java-wss4j" / "Client.java"
JARS = [pathlib.Path("/usr/share/java") / f"{name}.jar"
        for name in ("wss4j", "xmlsec", "commons-logging", "slf4j-api", "slf4j-nop")]
CLASS_PATH = ":".join(map(str, JARS))


def compiled():
    """The folder with the client's class; compiled once for each source."""
    folder = clients.WORK / f"java-wss4j-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]}"
    if not (folder / "Client.class").exists():
        compiler = ["javac", "-nowarn"] if shutil.which("javac") else ["ecj", "-nowarn", "-11"]
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([*compiler, "-cp", CLASS_PATH, "-d", folder, SOURCE], check=True, timeout=100)
    return folder


class JavaWss4jTest(clients.StackTest, unittest.TestCase):
    REFERENCES = ("token", "issuer-serial", "key-identifier", "ski", "thumbprint")
    SIGNER = {**clients.StackTest.SIGNER, "kalundborg": ("kalundborg", "ecdsa-sha256")}
    ORDER = "BST"

    def check_habits(self, request):
        self.assertEqual(clients.transforms(request), {("xml-exc-c14n",)})
        root = etree.fromstring(request)
        security = root.find("soap:Header/wsse:Security", district.NS)
        self.assertEqual(security.get(f"{{{district.SOAP11}}}mustUnderstand"), "1")
        self.assertRegex(root.findtext(".//wsu:Created", namespaces=district.NS), r"\.\d{3}Z$")
        lists = root.findall(".//{http://www.w3.org/2001/10/xml-exc-c14n#}InclusiveNamespaces")
        self.assertTrue(lists)

    def test_a_signed_token_is_accepted(self):
        result, = self.site.exchange(self.COMMAND, self.sent_by("eibar") | {"sign-token": "yes"})
        self.check_receipt(result, "rsa-sha256")
        self.assertIn(("oasis-200401-wss-soap-message-security-1.0#STR-Transform".split("#")[-1],),
                      clients.transforms(result["request"]))


if __name__ == "__main__":
    reason = clients.missing("java", files=JARS) or (
        clients.missing("javac") if not shutil.which("ecj") else "")
    if reason:
        JavaWss4jTest = unittest.skip(reason)(JavaWss4jTest)
    else:
        # Short-lived: the second compiler of the virtual machine costs more than it gains.
        JavaWss4jTest.COMMAND = ("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto",
                                 "-cp", f"{compiled()}:{CLASS_PATH}", "Client")
    clients.main()
