"""Envelopes as text with gaps for digests and signature values, and a signer that fills them.

A vector is made of text, so that it can have any layout and any fault; the signer reads the
finished text back and signs what it finds, so that a fault is the only thing wrong with it.
"""
import base64
import dataclasses
import hashlib
import re
from xml.dom import minidom

import canonical

SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
WSSE11 = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
WSA = "http://www.w3.org/2005/08/addressing"
DS = "http://www.w3.org/2000/09/xmldsig#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
INC = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = DS + "enveloped-signature"
MESSAGE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#"
X509 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#"
THUMBPRINT = "http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#ThumbprintSHA1"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
MORE2 = "http://www.w3.org/2007/05/xmldsig-more#"

DIGESTS = {"sha1": DS + "sha1", "sha256": XENC + "sha256", "sha384": MORE + "sha384", "sha512": XENC + "sha512",
           "md5": MORE + "md5", "sha224": MORE + "sha224"}
SIGNATURES = {
    "rsa-sha1": DS + "rsa-sha1", "rsa-sha256": MORE + "rsa-sha256", "rsa-sha384": MORE + "rsa-sha384",
    "rsa-sha512": MORE + "rsa-sha512", "rsa-md5": MORE + "rsa-md5", "ecdsa-sha1": MORE + "ecdsa-sha1",
    "ecdsa-sha256": MORE + "ecdsa-sha256", "ecdsa-sha384": MORE + "ecdsa-sha384",
    "ecdsa-sha512": MORE + "ecdsa-sha512", "hmac-sha1": DS + "hmac-sha1", "hmac-sha256": MORE + "hmac-sha256",
    "pss-sha256": MORE2 + "sha256-rsa-MGF1"}

CREATED = "2026-01-15T12:00:00Z"
EXPIRES = "2026-01-15T12:05:00Z"


def message(stamp, kind, version, source, content, position=""):
    return (f"<message><head><timestamp>{stamp}</timestamp><messageType><type>{kind}</type><version>{version}"
            f"</version></messageType><messageSource><messageSourceElement>{source}</messageSourceElement>"
            f"{position}</messageSource></head><content><gcontent>{content}</gcontent></content></message>")


def request(messages, tenant):
    return (f'<urb:AggregateMessageRequest xmlns:urb="http://urb-grade.eu"><messages>{messages}</messages>'
            f"<urb:tenantCode>{tenant}</urb:tenantCode></urb:AggregateMessageRequest>")


def place(x, y):
    return (f"<messagePosition><messagePositionX>{x}</messagePositionX><messagePositionY>{y}</messagePositionY>"
            "</messagePosition>")


def hour(start, end, energy):
    return message(f"2026-01-15T{end}:00:05Z", "001", "0.0.1", "BCN-SCHOOL",
                   f"<measure_timestamp_start>2026-01-15T{start}:00:00Z</measure_timestamp_start>"
                   f"<measure_timestamp_end>2026-01-15T{end}:00:00Z</measure_timestamp_end>"
                   f"<energy_measure>{energy}</energy_measure><energy_price>0.1123</energy_price>"
                   "<temperature_in>19.8</temperature_in><temperature_out>9.1</temperature_out>")


KALUNDBORG = request(message("2026-01-15T12:59:42.9000728+01:00", "001", "002", "SeasNve",
                             "<ID_Meter_consumption>KAL-W2</ID_Meter_consumption>"
                             "<Consumer_measure>99872</Consumer_measure>", place("41", "-4")), "10")
BARCELONA = request(hour("10", "11", "42.4") + hour("11", "12", "44.0"), "20")
EIBAR = request(message("2026-01-15T13:00:00+01:00", "001", "001", "EIB-L1",
                        "<consumer_measure>11760.4</consumer_measure>", place("43.185", "-2.471")), "30")
OTHER_BODY = KALUNDBORG.replace("99872", "11111")


def prefix_list(prefixes):
    if prefixes is None:
        return ""
    return f'<ec:InclusiveNamespaces xmlns:ec="{EXC}" PrefixList="{prefixes}"/>'


def transform(algorithm=EXC, content=""):
    return f'<ds:Transform Algorithm="{algorithm}">{content}</ds:Transform>'


def reference(uri, prefixes=None, digest="sha256", transforms=None):
    if transforms is None:
        transforms = f"<ds:Transforms>{transform(EXC, prefix_list(prefixes))}</ds:Transforms>"
    return (f'<ds:Reference URI="{uri}">{transforms}<ds:DigestMethod Algorithm="{DIGESTS[digest]}"/>'
            "<ds:DigestValue>@D@</ds:DigestValue></ds:Reference>")


def str_transform(prefixes=None):
    return (f'<ds:Transforms><ds:Transform Algorithm="{MESSAGE}STR-Transform"><wsse:TransformationParameters>'
            f'<ds:CanonicalizationMethod Algorithm="{EXC}">{prefix_list(prefixes)}</ds:CanonicalizationMethod>'
            "</wsse:TransformationParameters></ds:Transform></ds:Transforms>")


def binary_token(value, value_type=X509 + "X509v3", attributes="", encoding=MESSAGE + "Base64Binary", name="X509"):
    encoding = f' EncodingType="{encoding}"' if encoding else ""
    value_type = f' ValueType="{value_type}"' if value_type else ""
    return (f'<wsse:BinarySecurityToken{encoding}{value_type} wsu:Id="{name}"{attributes}>{value}'
            "</wsse:BinarySecurityToken>")


def token_reference(content, attributes=""):
    return f"<wsse:SecurityTokenReference{attributes}>{content}</wsse:SecurityTokenReference>"


def direct(uri="#X509", value_type=X509 + "X509v3"):
    value_type = f' ValueType="{value_type}"' if value_type else ""
    return f'<wsse:Reference URI="{uri}"{value_type}/>'


def key_identifier(value, value_type, encoding=MESSAGE + "Base64Binary"):
    encoding = f' EncodingType="{encoding}"' if encoding else ""
    return f'<wsse:KeyIdentifier{encoding} ValueType="{value_type}">{value}</wsse:KeyIdentifier>'


def issuer_serial(issuer, serial):
    return (f"<ds:X509IssuerSerial><ds:X509IssuerName>{issuer}</ds:X509IssuerName><ds:X509SerialNumber>{serial}"
            "</ds:X509SerialNumber></ds:X509IssuerSerial>")


def timestamp(created=CREATED, expires=EXPIRES, name="TS"):
    return (f'<wsu:Timestamp wsu:Id="{name}"><wsu:Created>{created}</wsu:Created><wsu:Expires>{expires}'
            "</wsu:Expires></wsu:Timestamp>")


ECDSA_KEYS = ("eibar", "p384", "p521", "p521-short", "secp256k1")


@dataclasses.dataclass
class Spec:
    """One request. Texts replace what would be made otherwise; None means the default."""
    key: str = "kalundborg"            # signs, and is the token
    token_of: str = None               # a token of another than the key
    soap: str = SOAP11
    body: str = KALUNDBORG
    body_attributes: str = ' wsu:Id="Body"'
    order: str = "TBS"                 # T Timestamp, B token, S Signature
    method: str = None                 # by the key's family
    method_uri: str = None
    method_content: str = ""
    digest: str = "sha256"
    timestamp: str = None
    token: str = None
    key_info: str = None               # content of ds:KeyInfo
    references: list = None
    prefixes: str = None               # PrefixList of the references
    c14n: str = None                   # whole CanonicalizationMethod
    signature_extra: str = ""          # after KeyInfo
    before_security: str = ""
    after_security: str = ""
    security_attributes: str = ' soap:mustUnderstand="1"'
    security_extra: str = ""
    after_body: str = ""
    envelope_attributes: str = ""


def build(spec, keys):
    owner = spec.token_of or spec.key
    family = "ecdsa" if spec.key in ECDSA_KEYS else "rsa"
    method = spec.method or family + "-sha256"
    token = binary_token(keys.token(owner)) if spec.token is None else spec.token
    info = token_reference(direct()) if spec.key_info is None else spec.key_info
    references = spec.references
    if references is None:
        references = [reference("#TS", spec.prefixes, spec.digest), reference("#Body", spec.prefixes, spec.digest)]
    c14n = f'<ds:CanonicalizationMethod Algorithm="{EXC}"/>' if spec.c14n is None else spec.c14n
    signature = (
        f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>{c14n}<ds:SignatureMethod Algorithm="'
        f'{spec.method_uri or SIGNATURES[method]}">{spec.method_content}</ds:SignatureMethod>{"".join(references)}'
        f"</ds:SignedInfo><ds:SignatureValue>@S@</ds:SignatureValue><ds:KeyInfo>{info}</ds:KeyInfo>"
        f"{spec.signature_extra}</ds:Signature>")
    parts = {"T": timestamp() if spec.timestamp is None else spec.timestamp, "B": token, "S": signature}
    security = "".join(parts[letter] for letter in spec.order) + spec.security_extra
    return (
        f'<soap:Envelope xmlns:soap="{spec.soap}" xmlns:wsu="{WSU}"{spec.envelope_attributes}><soap:Header>'
        f'{spec.before_security}<wsse:Security xmlns:wsse="{WSSE}"{spec.security_attributes}>{security}'
        f"</wsse:Security>{spec.after_security}</soap:Header>"
        f"<soap:Body{spec.body_attributes}>{spec.body}</soap:Body>{spec.after_body}</soap:Envelope>")


def elements(node):
    for child in node.childNodes:
        if child.nodeType == child.ELEMENT_NODE:
            yield child
            yield from elements(child)


def text_of(node):
    return "".join(child.data for child in node.childNodes if child.nodeType in (child.TEXT_NODE, 4))


class Signer:
    def __init__(self, text, keys):
        self.text = text
        self.keys = keys

    def parse(self):
        document = minidom.parseString(self.text.encode("utf-8"))
        self.all = list(elements(document))

    def find(self, uri):
        name = uri.removeprefix("#")
        if match := re.search(r"id\('([^']*)'\)", name):
            name = match[1]
        for attribute in ("wsu", "plain", "xml"):
            for element in self.all:
                value = {"wsu": element.getAttributeNS(WSU, "Id"),
                         "plain": element.getAttribute("Id") or element.getAttribute("ID") or element.getAttribute("id"),
                         "xml": element.getAttribute("xml:id")}[attribute]
                if value == name:
                    return element
        return None

    def octets(self, node):
        """What the Reference covers, as its transforms say; as exclusive C14N where we have none."""
        uri = node.getAttribute("URI")
        element = self.all[0] if uri == "" else self.find(uri)
        if element is None:
            return b""
        options = {"inclusive": True}
        for child in elements(node):
            algorithm = child.getAttribute("Algorithm")
            if child.localName == "Transform" and algorithm == ENVELOPED:
                options["omit"] = node.parentNode.parentNode
            elif child.localName in ("Transform", "CanonicalizationMethod"):
                if algorithm == MESSAGE + "STR-Transform":
                    token = next((e for e in elements(element) if e.localName == "Reference"), None)
                    if token is None:
                        return self.made_token(element.prefix).encode()
                    found = self.find(token.getAttribute("URI"))
                    lists = [e for e in elements(child) if e.localName == "InclusiveNamespaces"]
                    return canonical.canonical_token(found, lists[0].getAttribute("PrefixList").split() if lists else ())
                options["inclusive"] = algorithm.startswith(INC)
                options["comments"] = algorithm.endswith("WithComments")
            elif child.localName == "InclusiveNamespaces":
                options["prefixes"] = child.getAttribute("PrefixList").split()
        return canonical.canonical(element, **options)

    def made_token(self, prefix):
        """What stands for a reference to a certificate that is no token of the message."""
        name = f"{prefix}:BinarySecurityToken" if prefix else "BinarySecurityToken"
        declared = f'xmlns="" xmlns:{prefix}="{WSSE}"' if prefix else f'xmlns="{WSSE}"'
        return f'<{name} {declared} ValueType="{X509}X509v3">{self.keys.token(self.token_of)}</{name}>'

    def fill(self, key, method, token_of=None):
        self.token_of = token_of or key
        self.parse()
        for element in [e for e in self.all if e.localName == "Reference" and e.namespaceURI == DS]:
            if "@D@" not in "".join(text_of(e) for e in elements(element)):
                continue
            name = next(k for k, v in DIGESTS.items() for e in elements(element)
                        if e.localName == "DigestMethod" and e.getAttribute("Algorithm") == v)
            value = hashlib.new(name, self.octets(element)).digest()
            self.text = self.text.replace("@D@", base64.b64encode(value).decode(), 1)
        self.parse()
        info = next((e for e in self.all if e.localName == "SignedInfo" and
                     any("@S@" in text_of(s) for s in elements(e.parentNode))), None)
        if info is not None:
            lists = [e for c in info.childNodes if c.localName == "CanonicalizationMethod" for e in elements(c)]
            data = canonical.canonical(info, prefixes=lists[0].getAttribute("PrefixList").split() if lists else ())
            value = base64.b64encode(self.keys.sign(key, method, data)).decode()
            self.text = self.text.replace("@S@", value, 1)
        return self.text


def sign(text, keys, key="kalundborg", method=None, token_of=None):
    family = "ecdsa" if key in ECDSA_KEYS else "rsa"
    return Signer(text, keys).fill(key, method or family + "-sha256", token_of)


def make(keys, before=lambda text: text, after=lambda text: text, **options):
    """Builds, changes by `before`, signs, changes by `after`."""
    spec = Spec(**options)
    return after(sign(before(build(spec, keys)), keys, spec.key, spec.method, spec.token_of))


def with_value(change):
    """Changes the octets of the SignatureValue, after signing."""
    def apply(text):
        return re.sub(r"(<ds:SignatureValue>)([^<]*)", lambda m: m[1] + base64.b64encode(change(base64.b64decode(m[2]))).decode(), text)
    return apply


def short_ecdsa(keys):
    """Signed on P-521 until r and s both begin with a zero octet, as one pair in four does; both are left out."""
    while True:
        text = make(keys, key="p521-short", body=EIBAR, method="ecdsa-sha512", digest="sha512")
        value = base64.b64decode(re.search(r"<ds:SignatureValue>([^<]*)", text)[1])
        if value[0] == value[66] == 0:
            return with_value(lambda v: v[1:66] + v[67:])(text)
