"""Requests with one thing wrong each. All but the broken signatures are signed over what is wrong,
so that nothing but the check in question can refuse them."""
import base64
import re

from accepted import addressing
from envelope import (CREATED, DS, EIBAR, ENVELOPED, EXC, EXPIRES, INC, KALUNDBORG, MESSAGE, MORE,
                      MORE2, OTHER_BODY, SIGNATURES, SOAP11, SOAP12, THUMBPRINT, WSA, WSSE, WSSE11,
                      X509, XENC, Spec, binary_token, build, direct, issuer_serial, key_identifier,
                      make, prefix_list, reference, short_ecdsa, sign, str_transform, timestamp,
                      token_reference, transform, with_value)

PATH = X509 + "X509PKIPathv1"
ASSERTION = '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="A1" Version="2.0"/>'
ENCRYPTED = f'<xenc:EncryptedData xmlns:xenc="{XENC}"><xenc:CipherData><xenc:CipherValue>AAAA</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>'


def replaced(old, new, count=1):
    def change(text):
        assert old in text, old
        return text.replace(old, new, count)
    return change


def security_only(keys, **options):
    """Everything up to the end of the Header, and the signed Body, of a good request."""
    text = make(keys, **options)
    head, body = text.split("<soap:Body", 1)
    body, tail = body.split("</soap:Body>", 1)
    return head, f"<soap:Body{body}</soap:Body>", tail


def evil_body(name="Evil"):
    attributes = f' wsu:Id="{name}"' if name else ""
    return f"<soap:Body{attributes}>{OTHER_BODY}</soap:Body>"


def wrapping(keys):
    """McIntosh and Austel 2005; Gajek et al. 2009; Somorovsky et al. 2011 and 2012: the signed part
    is moved to where it still verifies, and something else stands where it is processed."""
    head, body, tail = security_only(keys)
    header_end = "</soap:Header>"
    wrapper = f'<x:Wrapper xmlns:x="http://example.org/x">{body}</x:Wrapper>'
    yield "2001-wrapped-body-in-header", head.replace(header_end, wrapper + header_end) + evil_body() + tail
    yield "2001-wrapped-body-in-header-no-new-id", head.replace(header_end, wrapper + header_end) + evil_body(None) + tail
    yield "2001-wrapped-body-is-header-block", head.replace(header_end, body + header_end) + evil_body() + tail
    optional = wrapper.replace("<x:Wrapper ", '<x:Wrapper soap:mustUnderstand="0" soap:actor="http://schemas.xmlsoap.org/soap/actor/next" ')
    yield "2001-wrapped-body-in-optional-header", head.replace(header_end, optional + header_end) + evil_body() + tail
    yield "2001-wrapped-body-in-security", head.replace("</wsse:Security>", wrapper + "</wsse:Security>") + evil_body() + tail
    yield "2001-wrapped-body-directly-in-security", head.replace("</wsse:Security>", body + "</wsse:Security>") + evil_body() + tail
    yield "2001-wrapped-body-in-signature-object", head.replace("</ds:Signature>", f"<ds:Object>{body}</ds:Object></ds:Signature>") + evil_body() + tail
    yield "2001-wrapped-body-in-key-info", head.replace("</ds:KeyInfo>", wrapper + "</ds:KeyInfo>") + evil_body() + tail
    yield "2001-wrapped-body-in-token", head.replace("</wsse:BinarySecurityToken>", body + "</wsse:BinarySecurityToken>") + evil_body() + tail
    yield "2001-wrapped-body-in-body", head + evil_body().replace("</soap:Body>", f"{wrapper}</soap:Body>") + tail
    yield "2001-wrapped-body-in-new-body-deep", head + evil_body().replace("<gcontent>", f"<gcontent>{body}") + tail
    yield "2001-wrapped-body-duplicate-id", head.replace(header_end, wrapper + header_end) + evil_body("Body") + tail
    yield "2001-wrapped-body-duplicate-id-plain", head.replace(header_end, wrapper + header_end) + evil_body(None).replace("<soap:Body", '<soap:Body Id="Body"') + tail
    yield "2001-wrapped-body-duplicate-id-xml-id", head.replace(header_end, wrapper + header_end) + evil_body(None).replace("<soap:Body", '<soap:Body xml:id="Body"') + tail
    yield "2001-sibling-body-first", head + evil_body() + body + tail
    yield "1004-sibling-body-last", head + body + evil_body() + tail
    yield "1004-wrapped-body-beside-header", head + wrapper + evil_body() + tail
    yield "2001-wrapped-body-after-new-body", head + evil_body() + wrapper + tail
    yield "1004-second-header", head + f"<soap:Header/>{body}" + tail
    stamp = re.search("<wsu:Timestamp.*?</wsu:Timestamp>", head)[0]
    old_wrapper = f'<x:Wrapper xmlns:x="http://example.org/x">{stamp}</x:Wrapper>'
    for name, new_stamp in (("", timestamp(name="New")), ("-duplicate-id", timestamp())):
        fresh = head.replace(stamp, new_stamp)
        yield f"2001-wrapped-timestamp-in-header{name}", fresh.replace(header_end, old_wrapper + header_end) + body + tail
        yield f"2001-wrapped-timestamp-in-security{name}", fresh.replace("</wsse:Security>", old_wrapper + "</wsse:Security>") + body + tail
        yield f"2001-timestamp-as-header-block{name}", fresh.replace(header_end, stamp + header_end) + body + tail
    yield "2001-two-timestamps", head.replace(stamp, timestamp(name="New") + stamp) + body + tail
    yield "2001-timestamp-wrapped-alone", head.replace(stamp, old_wrapper) + body + tail
    both = f'<wsse:Security xmlns:wsse="{WSSE}">{timestamp(name="New")}</wsse:Security>'
    yield "2001-two-security-headers", head.replace(header_end, both + header_end) + body + tail
    moved = head.replace("<wsse:Security ", '<wsse:Security soap:actor="http://example.org/x" ')
    yield "2001-security-for-another-actor-beside-ours", moved.replace(header_end, both + header_end) + evil_body() + tail
    yield "2001-security-for-another-actor", moved + body + tail


def structure(keys):
    good = make(keys)
    yield "2001-no-header", re.sub("<soap:Header>.*</soap:Header>", "", good)
    yield "2001-no-security-header", re.sub("<wsse:Security .*</wsse:Security>", "", good)
    yield "2001-empty-security-header", re.sub("(<wsse:Security [^>]*>).*(</wsse:Security>)", r"\1\2", good)
    yield "2001-no-signature", re.sub("<ds:Signature .*</ds:Signature>", "", good)
    yield "2001-two-signatures", make(keys, after=lambda t: re.sub("(<ds:Signature .*</ds:Signature>)", r"\1\1", t))
    yield "2001-security-with-text", make(keys, after=replaced("</wsse:Security>", "x</wsse:Security>"))
    yield "2001-security-with-unknown-element", make(keys, security_extra="<wsse:Nonce>AAAA</wsse:Nonce>")
    yield "2001-security-in-another-namespace", make(keys, security_attributes="").replace(WSSE, "http://schemas.xmlsoap.org/ws/2002/12/secext")
    yield "2001-no-timestamp", make(keys, order="BS", references=[reference("#Body")])
    yield "2001-body-not-signed", make(keys, references=[reference("#TS")])
    yield "2001-timestamp-not-signed", make(keys, references=[reference("#Body")])
    yield "2001-nothing-signed", make(keys, references=[])
    yield "2001-only-token-signed", make(keys, references=[reference("#X509")])
    yield "2001-body-content-signed-not-body", make(keys, body_attributes="", body=KALUNDBORG.replace("<urb:AggregateMessageRequest", '<urb:AggregateMessageRequest wsu:Id="Body"'))
    yield "2001-envelope-signed", make(keys, envelope_attributes=' wsu:Id="All"', references=[
        reference("#All", transforms=f"<ds:Transforms>{transform(ENVELOPED)}{transform()}</ds:Transforms>"), reference("#TS"), reference("#Body")])
    yield "2001-security-signed", make(keys, security_attributes=' wsu:Id="Sec"', references=[
        reference("#Sec", transforms=f"<ds:Transforms>{transform(ENVELOPED)}{transform()}</ds:Transforms>"), reference("#TS"), reference("#Body")])
    yield "2001-header-block-content-signed", make(keys, before_security='<x:Trace xmlns:x="urn:x"><x:Id wsu:Id="Inner">7</x:Id></x:Trace>',
                                                   references=[reference("#Inner"), reference("#TS"), reference("#Body")])
    yield "2001-signed-info-twice", make(keys, after=lambda t: re.sub("(<ds:SignedInfo>.*</ds:SignedInfo>)", r"\1\1", t))
    yield "2001-signature-value-twice", make(keys, after=lambda t: re.sub("(<ds:SignatureValue>.*</ds:SignatureValue>)", r"\1\1", t))
    yield "2001-signature-order", make(keys, after=lambda t: re.sub("(<ds:SignedInfo>.*</ds:SignedInfo>)(<ds:SignatureValue>.*</ds:SignatureValue>)", r"\2\1", t))
    yield "2001-no-signature-value", make(keys, after=lambda t: re.sub("<ds:SignatureValue>.*</ds:SignatureValue>", "", t))
    yield "2001-no-key-info", make(keys, after=lambda t: re.sub("<ds:KeyInfo>.*</ds:KeyInfo>", "", t))
    yield "2001-object-in-signature", make(keys, signature_extra="<ds:Object>hello</ds:Object>")
    manifest = f'<ds:Object><ds:Manifest wsu:Id="M">{reference("#Body")}</ds:Manifest></ds:Object>'
    yield "2001-manifest", make(keys, signature_extra=manifest, references=[reference("#M"), reference("#TS")])
    yield "2001-manifest-reference-type", make(keys, references=[reference("#Body").replace("<ds:Reference ", f'<ds:Reference Type="{DS}Manifest" '), reference("#TS")])
    yield "2001-unknown-attribute-in-reference", make(keys, references=[reference("#TS"), reference("#Body").replace("<ds:Reference ", '<ds:Reference Uri="#x" ')])
    yield "2001-comment-in-digest-value", make(keys, after=lambda t: re.sub(r"<ds:DigestValue>(.{10})", r"<ds:DigestValue>\1<!-- -->", t))
    yield "2001-comment-in-signature-value", make(keys, after=lambda t: re.sub(r"<ds:SignatureValue>(.{10})", r"<ds:SignatureValue>\1<!-- -->", t))
    yield "2001-element-in-signature-value", make(keys, after=lambda t: re.sub(r"<ds:SignatureValue>(.{10})", r"<ds:SignatureValue>\1<x/>", t))
    yield "2001-two-digest-values", make(keys, after=lambda t: re.sub(r"(<ds:DigestValue>.*?</ds:DigestValue>)", r"\1\1", t, count=1))
    yield "2001-digest-value-too-short", make(keys, after=lambda t: re.sub(r"<ds:DigestValue>[^<]*", "<ds:DigestValue>AAAA", t, count=1))
    yield "2001-digest-value-empty", make(keys, after=lambda t: re.sub(r"<ds:DigestValue>[^<]*", "<ds:DigestValue>", t, count=1))
    yield "2001-signature-value-not-base64", make(keys, after=lambda t: re.sub(r"<ds:SignatureValue>.", "<ds:SignatureValue>*", t))
    yield "2001-signature-value-base64-bits-after-end", make(keys, after=lambda t: re.sub(r".==</ds:SignatureValue>", "B==</ds:SignatureValue>", t))
    yield "2001-signature-value-without-padding", make(keys, after=replaced("==</ds:SignatureValue>", "</ds:SignatureValue>"))
    yield "2001-signature-value-empty", make(keys, after=lambda t: re.sub(r"<ds:SignatureValue>[^<]*", "<ds:SignatureValue>", t))


def references_and_ids(keys):
    def body_by(uri, **options):
        return make(keys, references=[reference("#TS"), reference(uri, **options)])
    yield "2001-reference-empty-uri", body_by("", transforms=f"<ds:Transforms>{transform(ENVELOPED)}{transform()}</ds:Transforms>")
    yield "2001-reference-no-uri", make(keys, references=[reference("#TS"), reference("#Body").replace(' URI="#Body"', "")])
    yield "2001-reference-external", body_by("http://example.org/body.xml")
    yield "2001-reference-file", body_by("file:///etc/passwd")
    yield "2001-reference-attachment", body_by("cid:part1@example.org")
    yield "2001-reference-xpointer-id", body_by("#xpointer(id('Body'))")
    yield "2001-reference-xpointer-root", body_by("#xpointer(/)")
    yield "2001-reference-dangling", body_by("#Nowhere")
    yield "2001-reference-only-hash", body_by("#")
    yield "2001-reference-with-blank", body_by("#Body ")
    yield "2001-reference-twice-body", make(keys, references=[reference("#TS"), reference("#Body"), reference("#Body")])
    yield "2001-reference-twice-timestamp", make(keys, references=[reference("#TS"), reference("#TS", "soap"), reference("#Body")])
    yield "2001-reference-twice-header", make(keys, before_security=addressing(), references=[
        reference(u) for u in ("#TS", "#Body", "#To", "#To")])
    yield "2001-reference-twice-token", make(keys, references=[reference(u) for u in ("#X509", "#TS", "#X509", "#Body")])
    trace = "".join(f'<x:T xmlns:x="urn:x" wsu:Id="T{i}">7</x:T>' for i in range(20))
    yield "2001-seventeen-references", make(keys, before_security=trace, references=[reference("#TS"), reference("#Body")] + [reference(f"#T{i}") for i in range(15)])
    yield "2001-hundreds-of-references", make(keys, references=[reference("#TS"), reference("#Body")] * 200)
    yield "2001-id-plain", make(keys, body_attributes=' Id="Body"')
    yield "2001-id-plain-lower-case", make(keys, body_attributes=' id="Body"')
    yield "2001-id-xml-id", make(keys, body_attributes=' xml:id="Body"')
    yield "2001-id-in-other-namespace", make(keys, body_attributes=' x:Id="Body" xmlns:x="urn:x"')
    yield "2001-id-duplicate-wsu", make(keys, body=KALUNDBORG.replace("<messages>", '<messages wsu:Id="Body">'))
    yield "2001-id-duplicate-plain", make(keys, body=KALUNDBORG.replace("<messages>", '<messages Id="TS">'))
    yield "2001-id-duplicate-xml", make(keys, body=KALUNDBORG.replace("<messages>", '<messages xml:id="Body">'))
    yield "2001-id-duplicate-saml", make(keys, body=KALUNDBORG.replace("<messages>", '<messages AssertionID="Body">'))
    yield "2001-id-duplicate-of-unreferenced", make(keys, body=KALUNDBORG.replace("<messages>", '<messages wsu:Id="x" ID="x">'))
    yield "2001-id-no-name", make(keys, body_attributes=' wsu:Id="1 2"', references=[reference("#TS"), reference("#1 2")])
    for name in ("Signature", "SignedInfo", "Reference", "Transforms", "Transform", "DigestMethod", "SignatureMethod", "KeyInfo", "SecurityTokenReference"):
        text = re.sub(f"(<[a-z]+:{name}(?: [^>]*[^>/])?)(/>|>)",
                      lambda m: m[1] + ">text" + (f"</ds:{name}>" if m[2] == "/>" else ""), build(Spec(), keys), count=1)
        yield "2001-text-in-" + re.sub("([A-Z])", r"-\1", name).lower().strip("-"), sign(text, keys)
    yield "1003-header-elements-flood", make(keys, before_security='<x:Block xmlns:x="urn:x">' + "<a/>" * 4200 + "</x:Block>")
    yield "1003-header-attributes-flood", make(keys, before_security='<x:Block xmlns:x="urn:x">' + ("<a " + " ".join(f'a{i}=""' for i in range(50)) + "/>") * 85 + "</x:Block>")
    yield "1003-header-comments-flood", make(keys, before_security='<x:Block xmlns:x="urn:x">' + "<!---->" * 4200 + "</x:Block>")
    yield "1003-ids-flood", make(keys, body=KALUNDBORG.replace("<messages>", "<messages>" + "".join(f'<m id="n{i}"/>' for i in range(3000))))


def transforms(keys):
    def body_with(content, uri="#Body"):
        return make(keys, references=[reference("#TS"), reference(uri, transforms=content)])
    def one(algorithm, content=""):
        return body_with(f"<ds:Transforms>{transform(algorithm, content)}</ds:Transforms>")
    yield "2001-no-transforms", body_with("")
    yield "2001-empty-transforms", body_with("<ds:Transforms/>")
    yield "2001-three-transforms", body_with(f"<ds:Transforms>{transform(ENVELOPED)}{transform(ENVELOPED)}{transform()}</ds:Transforms>")
    yield "2001-transform-of-another-namespace", body_with(f'<ds:Transforms><x:Transform xmlns:x="urn:x" Algorithm="{EXC}"/></ds:Transforms>')
    yield "2001-transform-with-other-content", one(EXC, "<x/>")
    yield "2001-two-prefix-lists", one(EXC, prefix_list("soap") * 2)
    yield "2001-prefix-list-no-name", one(EXC, prefix_list("a:b"))
    yield "2001-prefix-list-flood", one(EXC, prefix_list(" ".join(f"p{i}" for i in range(5000))))
    yield "2002-transform-inclusive-c14n", one(INC)
    yield "2002-transform-inclusive-c14n11", one("http://www.w3.org/2006/12/xml-c14n11")
    yield "2002-transform-with-comments", one(EXC + "WithComments")
    yield "2002-transform-enveloped-alone", one(ENVELOPED)
    yield "2002-transform-twice", body_with(f"<ds:Transforms>{transform()}{transform()}</ds:Transforms>")
    yield "2002-transform-c14n-then-enveloped", body_with(f"<ds:Transforms>{transform()}{transform(ENVELOPED)}</ds:Transforms>")
    yield "2002-transform-xpath", one("http://www.w3.org/TR/1999/REC-xpath-19991116", "<ds:XPath>not(ancestor-or-self::x)</ds:XPath>")
    yield "2002-transform-xpath-then-c14n", body_with(f'<ds:Transforms>{transform("http://www.w3.org/TR/1999/REC-xpath-19991116", "<ds:XPath>1</ds:XPath>")}{transform()}</ds:Transforms>')
    yield "2002-transform-xpath-filter2", one("http://www.w3.org/2002/06/xmldsig-filter2")
    yield "2002-transform-xslt", one("http://www.w3.org/TR/1999/REC-xslt-19991116", '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"/>')
    yield "2002-transform-base64", one(DS + "base64")
    yield "2002-transform-decryption", one("http://www.w3.org/2002/07/decrypt#XML")
    yield "2002-transform-attachment", one("http://docs.oasis-open.org/wss/oasis-wss-SwAProfile-1.1#Attachment-Content-Signature-Transform")
    yield "2001-transform-without-algorithm", body_with("<ds:Transforms><ds:Transform/></ds:Transforms>").replace("@D@", "AAAA")
    yield "2002-canonicalization-method-inclusive", make(keys, c14n=f'<ds:CanonicalizationMethod Algorithm="{INC}"/>')
    yield "2002-canonicalization-method-with-comments", make(keys, c14n=f'<ds:CanonicalizationMethod Algorithm="{EXC}WithComments"/>')
    yield "2001-canonicalization-method-without-algorithm", make(keys, c14n="<ds:CanonicalizationMethod/>")
    yield "2001-canonicalization-method-prefix-list-flood", make(keys, c14n=f'<ds:CanonicalizationMethod Algorithm="{EXC}">{prefix_list(" ".join(f"p{i}" for i in range(5000)))}</ds:CanonicalizationMethod>')
    info = token_reference(direct(), ' wsu:Id="STR"')
    signed_str = [reference("#STR", transforms=str_transform()), reference("#TS"), reference("#Body")]
    yield "2001-str-transform-on-body", make(keys, references=[reference("#TS"), reference("#X509"), reference("#Body").replace(
        f"<ds:Transforms>{transform()}</ds:Transforms>", str_transform())], body=KALUNDBORG.replace("<messages>", f"<messages>{direct()}").replace("<wsse:Reference", f'<wsse:Reference xmlns:wsse="{WSSE}"'))
    yield "2001-str-without-str-transform", make(keys, key_info=info, references=[reference("#STR"), reference("#TS"), reference("#Body")])
    yield "2001-str-transform-elsewhere", make(keys, security_extra="", before_security=f'<x:Other xmlns:x="urn:x" xmlns:wsse="{WSSE}">{info}</x:Other>', references=signed_str)
    yield "2001-str-transform-without-parameters", make(keys, key_info=info, references=signed_str,
        after=lambda t: re.sub("<wsse:TransformationParameters>.*</wsse:TransformationParameters>", "", t))
    yield "2002-str-transform-then-c14n", make(keys, key_info=info, references=[signed_str[0].replace("</ds:Transforms>", transform() + "</ds:Transforms>")] + signed_str[1:])
    by_thumbprint = info.replace(direct(), key_identifier(keys.thumbprint("kalundborg"), THUMBPRINT))
    yield "2007-str-transform-of-another-certificate", make(keys, key_info=by_thumbprint, references=signed_str, order="TS", token_of="barcelona")
    yield "2007-str-transform-token-exchanged", make(keys, key_info=info, references=signed_str, after=replaced(keys.token("kalundborg"), keys.token("barcelona")))


def key_info(keys):
    token = keys.token("kalundborg")
    good = token_reference(direct())
    data = f"<ds:X509Data><ds:X509Certificate>{token}</ds:X509Certificate></ds:X509Data>"
    def info(content, **options):
        return make(keys, key_info=content, **options)
    yield "2003-key-value", info("<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>")
    yield "2003-key-name", info("<ds:KeyName>kalundborg</ds:KeyName>")
    yield "2003-retrieval-method", info(f'<ds:RetrievalMethod URI="#X509" Type="{DS}rawX509Certificate"/>')
    yield "2003-x509-data-without-str", info(data)
    yield "2001-key-info-empty", info("")
    yield "2001-two-token-references", info(good + good)
    yield "2001-key-value-beside-token-reference", info(good + "<ds:KeyValue/>")
    yield "2001-x509-data-beside-token-reference", info(good + data)
    yield "2001-token-reference-empty", info(token_reference(""))
    yield "2001-two-references-in-token-reference", info(token_reference(direct() + direct()))
    yield "2001-reference-and-key-identifier", info(token_reference(direct() + key_identifier(keys.thumbprint("kalundborg"), THUMBPRINT)))
    yield "2003-embedded-token", info(token_reference(f"<wsse:Embedded>{binary_token(token, name='In')}</wsse:Embedded>"))
    yield "2003-key-name-in-token-reference", info(token_reference("<ds:KeyName>kalundborg</ds:KeyName>"))
    yield "2003-reference-to-timestamp", info(token_reference(direct("#TS", None)))
    yield "2004-reference-to-absent-token", info(token_reference(direct("#Other")))
    yield "2004-reference-to-external-token", info(token_reference(direct("http://example.org/token")))
    yield "2004-reference-to-token-by-plain-id", info(good, token=binary_token(token).replace("wsu:Id", "Id"))
    header = f'<x:Tokens xmlns:x="urn:x" xmlns:wsse="{WSSE}">{binary_token(token)}</x:Tokens>'
    yield "2004-token-outside-of-security", make(keys, before_security=header, order="TS")
    yield "2001-reference-without-uri", info(token_reference("<wsse:Reference/>"))
    yield "2001-reference-value-type-differs", info(token_reference(direct(value_type=PATH)))
    yield "2003-unknown-token-value-type", make(keys, token=binary_token(token, X509 + "PKCS7"), key_info=token_reference(direct(value_type=None)))
    yield "2003-token-without-value-type", make(keys, token=binary_token(token, None), key_info=token_reference(direct(value_type=None)))
    yield "2003-kerberos-token", make(keys, token=binary_token(token, "http://docs.oasis-open.org/wss/oasis-wss-kerberos-token-profile-1.1#GSS_Kerberosv5_AP_REQ"), key_info=token_reference(direct(value_type=None)))
    yield "2003-token-without-encoding-type", make(keys, token=binary_token(token, encoding=None))
    yield "2003-token-encoding-hex", make(keys, token=binary_token(base64.b64decode(token).hex(), encoding=MESSAGE + "HexBinary"))
    yield "2003-username-token", make(keys, security_extra="<wsse:UsernameToken><wsse:Username>a</wsse:Username></wsse:UsernameToken>")
    yield "2003-saml-assertion", make(keys, security_extra=ASSERTION)
    yield "2003-key-identifier-unknown-value-type", info(token_reference(key_identifier("AAAA", "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLID")))
    yield "2003-x509-data-with-subject-name", info(token_reference("<ds:X509Data><ds:X509SubjectName>CN=x</ds:X509SubjectName></ds:X509Data>"))
    yield "2003-x509-data-with-ski", info(token_reference(f"<ds:X509Data><ds:X509SKI>{keys.key_identifier('kalundborg')}</ds:X509SKI></ds:X509Data>"))
    yield "2001-x509-data-with-two-certificates", info(token_reference(data.replace("</ds:X509Data>", f"<ds:X509Certificate>{token}</ds:X509Certificate></ds:X509Data>")))
    yield "2001-x509-data-contradicts-itself", info(token_reference(data.replace("<ds:X509Certificate>", issuer_serial("CN=Other", "1") + "<ds:X509Certificate>")))
    yield "2001-issuer-serial-incomplete", info(token_reference("<ds:X509Data><ds:X509IssuerSerial><ds:X509SerialNumber>1</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data>"))
    yield "2004-issuer-serial-unknown", info(token_reference(f"<ds:X509Data>{issuer_serial('CN=Nobody', '1')}</ds:X509Data>"))
    yield "2004-issuer-known-serial-not", info(token_reference(f"<ds:X509Data>{issuer_serial('CN=Test CA,O=Pilots%s, Test,C=ES' % chr(92), '99')}</ds:X509Data>"))
    yield "2004-subject-key-identifier-unknown", info(token_reference(key_identifier(keys.key_identifier("stranger"), X509 + "X509SubjectKeyIdentifier")))
    yield "2004-thumbprint-unknown", info(token_reference(key_identifier(keys.thumbprint("stranger"), THUMBPRINT)))
    yield "2004-subject-key-identifier-empty-extension", make(keys, key="no-extensions", key_info=token_reference(key_identifier("AAAA", X509 + "X509SubjectKeyIdentifier")))


def algorithms(keys):
    yield "2002-hmac-sha1-with-the-certificate", make(keys, method="hmac-sha1")
    yield "2002-hmac-sha256-with-the-certificate", make(keys, method="hmac-sha256")
    yield "2002-hmac-output-length", make(keys, method="hmac-sha1", method_content="<ds:HMACOutputLength>0</ds:HMACOutputLength>")
    yield "2001-output-length-under-rsa", make(keys, method_content="<ds:HMACOutputLength>0</ds:HMACOutputLength>")
    yield "2002-rsa-pss", make(keys, method="pss-sha256")
    yield "2002-rsa-pss-with-parameters", make(keys, method="pss-sha256", method_uri=MORE2 + "rsa-pss")
    yield "2002-rsa-md5", make(keys, method="rsa-md5")
    yield "2002-rsa-sha224", make(keys, method="rsa-sha224", method_uri=MORE + "rsa-sha224")
    yield "2002-dsa-sha1", make(keys, method_uri=DS + "dsa-sha1")
    yield "2002-dsa-sha256", make(keys, method_uri="http://www.w3.org/2009/xmldsig11#dsa-sha256")
    yield "2002-eddsa", make(keys, method_uri="http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519")
    yield "2002-ecdsa-sha1", make(keys, key="eibar", method="ecdsa-sha1")
    yield "2002-signature-method-unknown", make(keys, method_uri="urn:none")
    yield "2002-signature-method-with-blank", make(keys, method_uri=SIGNATURES["rsa-sha256"] + " ")
    yield "2002-rsa-method-with-ec-key", make(keys, key="eibar", method="ecdsa-sha256", method_uri=SIGNATURES["rsa-sha256"])
    yield "2002-ecdsa-method-with-rsa-key", make(keys, method="rsa-sha256", method_uri=SIGNATURES["ecdsa-sha256"])
    yield "2002-rsa-sha1-not-allowed", make(keys, method="rsa-sha1")
    yield "2002-rsa-sha1-no-longer-allowed", make(keys, key="legacy-ended", method="rsa-sha1")
    yield "2002-sha1-digest-under-rsa-sha256", make(keys, digest="sha1")
    yield "2002-sha1-digest-of-timestamp-only", make(keys, references=[reference("#TS", digest="sha1"), reference("#Body")])
    yield "2002-sha1-digest-under-rsa-sha256-enrolled-for-sha1", make(keys, key="legacy", digest="sha1")
    yield "2002-sha512-digest-under-rsa-sha1", make(keys, key="legacy", method="rsa-sha1", digest="sha512")
    yield "2002-md5-digest", make(keys, digest="md5")
    yield "2002-sha224-digest", make(keys, digest="sha224")
    yield "2002-encrypted-body", make(keys, body=ENCRYPTED)
    yield "2002-encrypted-part-in-body", make(keys, body=KALUNDBORG.replace("<gcontent>", f"<gcontent>{ENCRYPTED}"))
    yield "2002-encrypted-key", make(keys, security_extra=f'<xenc:EncryptedKey xmlns:xenc="{XENC}"/>')
    yield "2002-encrypted-data-in-security", make(keys, security_extra=ENCRYPTED)
    yield "2002-reference-list", make(keys, security_extra=f'<xenc:ReferenceList xmlns:xenc="{XENC}"/>')


def tokens(keys):
    der = keys.der("kalundborg")
    def coded(octets):
        return base64.b64encode(octets).decode()
    def token(text, value_type=X509 + "X509v3"):
        return make(keys, token=binary_token(text, value_type), key_info=token_reference(direct(value_type=value_type)))
    yield "2005-token-empty", token("")
    yield "2005-token-not-base64", token("*" + keys.token("kalundborg"))
    yield "2005-token-not-der", token("AAAA")
    yield "2005-token-truncated", token(coded(der[:-1]))
    yield "2005-token-with-trailing-octets", token(coded(der + b"\0"))
    yield "2005-token-twice", token(coded(der + der))
    pem = keys.pem("kalundborg").read_text()
    yield "2005-token-pem", token(pem)
    yield "2005-token-base64-of-pem", token(coded(pem.encode()))
    yield "2005-token-indefinite-length", token(coded(b"\x30\x80" + der[4:] + b"\0\0"))
    yield "2005-token-with-child", token(keys.token("kalundborg") + "<x/>")
    yield "2005-token-with-comment", token(keys.token("kalundborg")[:40] + "<!-- -->" + keys.token("kalundborg")[40:])
    yield "2005-token-too-long", token(coded(b"\x30\x83\x01\x00\x00" + bytes(65536)))
    yield "2005-token-public-key-only", token(coded(keys.run("x509", "-in", keys.pem("kalundborg"), "-noout", "-pubkey")))
    yield "2005-pki-path-order-reversed", token(keys.pki_path("kalundborg", "ca"), PATH)
    yield "2005-pki-path-not-a-chain", token(keys.pki_path("stranger", "kalundborg"), PATH)
    yield "2005-pki-path-empty", token(coded(b"\x30\x00"), PATH)
    yield "2005-pki-path-is-a-certificate", token(keys.token("kalundborg"), PATH)
    yield "2005-pki-path-too-long", token(keys.pki_path(*["ca"] * 9, "kalundborg"), PATH)
    yield "2005-pki-path-with-trailing-octets", token(coded(base64.b64decode(keys.pki_path("ca", "kalundborg")) + b"\0"), PATH)
    for issuer in ("weak", "big-exponent"):
        path = keys.pki_path(issuer, keys.issue_by(issuer, "stranger"))
        yield f"2005-pki-path-issuer-{issuer}", make(keys, key="stranger", token=binary_token(path, PATH), key_info=token_reference(direct(value_type=PATH)))
    yield "2005-x509v3-is-a-pki-path", token(keys.pki_path("kalundborg"))
    yield "2005-key-rsa-1024", make(keys, key="weak")
    yield "2005-key-rsa-1024-bad-signature", make(keys, key="weak", after=flip_signature)
    yield "2005-key-big-exponent", make(keys, key="big-exponent")
    yield "2005-key-secp256k1", make(keys, key="secp256k1")
    for name in ("explicit-curve", "sect571r1", "rsa-pss", "rsa-16384"):
        yield f"2005-key-{name}", make(keys, token=binary_token(keys.token(name)))
    yield "2005-certificate-serial-number-too-long", make(keys, token=binary_token(keys.token("long-serial")))
    yield "2005-key-ed25519", make(keys, token_of="ed25519")
    yield "2005-key-usage-without-digital-signature", make(keys, key="encipherment")


def flip_signature(text):
    return re.sub(r"(<ds:SignatureValue>.{20})(.)", lambda m: m[1] + ("A" if m[2] != "A" else "B"), text)


def trust(keys):
    """What of a certificate's standing is said only to who can sign with its key."""
    for code, name in ((2006, "stranger"), (2006, "enrolled-later"), (2005, "revoked"), (2005, "expired"), (2005, "not-yet-valid")):
        yield f"{code}-certificate-{name}", make(keys, key=name)
        yield f"2007-certificate-{name}-bad-signature", make(keys, key=name, after=flip_signature)
        yield f"2007-certificate-{name}-signed-by-another", make(keys, token_of=name)
    yield "2005-certificate-revoked-by-thumbprint", make(keys, key="revoked", order="TS", key_info=token_reference(key_identifier(keys.thumbprint("revoked"), THUMBPRINT)))
    der = keys.der("kalundborg")
    changed = base64.b64encode(der[:-1] + bytes([der[-1] ^ 1])).decode()
    yield "2006-certificate-with-a-flipped-bit", make(keys, token=binary_token(changed))
    yield "2006-certificate-stranger-with-sha1", make(keys, key="stranger", method="rsa-sha1")
    yield "2007-sha1-not-allowed-bad-signature", make(keys, method="rsa-sha1", after=flip_signature)
    yield "2006-certificate-stranger-expired-timestamp", make(keys, key="stranger", timestamp=timestamp("2026-01-14T12:00:00Z", "2026-01-14T12:05:00Z"))
    yield "2007-key-reference-to-another", make(keys, order="TS", key_info=token_reference(key_identifier(keys.thumbprint("barcelona"), THUMBPRINT)))
    yield "2007-issuer-serial-of-another", make(keys, order="TS", key_info=token_reference(f"<ds:X509Data>{issuer_serial('CN=Test CA,O=Pilots%s, Test,C=ES' % chr(92), keys.serial('barcelona'))}</ds:X509Data>"))


def broken(keys):
    """One thing changed after signing."""
    def changed(old, new, **options):
        return make(keys, after=replaced(old, new), **options)
    yield "2007-body-changed", changed("99872", "99873")
    yield "2007-body-tenant-changed", changed("<urb:tenantCode>10", "<urb:tenantCode>20")
    yield "2007-body-exchanged", changed(KALUNDBORG, OTHER_BODY)
    yield "2007-body-white-space-added", changed("<messages>", "<messages> ")
    yield "2007-body-attribute-added", changed("<messages>", '<messages a="b">')
    yield "2007-body-prefix-renamed", make(keys, after=lambda t: t.replace("urb:", "u:").replace("xmlns:urb", "xmlns:u"))
    yield "2007-body-empty", make(keys, after=lambda t: t.replace(KALUNDBORG, ""))
    yield "2007-body-with-xsi-type-added", changed("<Consumer_measure>", '<Consumer_measure xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="x">')
    yield "2007-timestamp-created-changed", changed("12:00:00Z", "12:00:01Z")
    yield "2007-timestamp-expires-changed", changed("12:05:00Z", "12:05:01Z")
    yield "2007-signed-info-digest-changed", make(keys, after=lambda t: re.sub(r"(<ds:DigestValue>)(.)", lambda m: m[1] + ("A" if m[2] != "A" else "B"), t, count=1))
    yield "2007-signed-info-prefix-list-added", changed(f'<ds:Transform Algorithm="{EXC}"></ds:Transform>', f'<ds:Transform Algorithm="{EXC}">{prefix_list("soap")}</ds:Transform>')
    yield "2007-prefix-list-binding-changed", make(keys, prefixes="q", body=KALUNDBORG, envelope_attributes=' xmlns:q="urn:one"', after=replaced('xmlns:q="urn:one"', 'xmlns:q="urn:two"'))
    yield "2007-signature-flipped", make(keys, after=flip_signature)
    yield "2007-signature-of-another-message", make(keys, after=lambda t: re.sub(r"<ds:SignatureValue>[^<]*", re.search(r"<ds:SignatureValue>[^<]*", make(keys, body=OTHER_BODY))[0], t))
    yield "2007-token-exchanged", make(keys, token_of="barcelona")
    yield "2007-ecdsa-token-exchanged", make(keys, key="eibar", token_of="p384", body=EIBAR)
    yield "2007-signed-token-changed", make(keys, references=[reference(u) for u in ("#X509", "#TS", "#Body")], after=replaced('<wsse:BinarySecurityToken ', '<wsse:BinarySecurityToken a="b" '))
    yield "2007-signed-header-changed", make(keys, before_security=addressing(), references=[reference(u) for u in ("#To", "#TS", "#Body")], after=replaced("https://example.org", "https://example.net"))

    value = with_value
    yield "2007-signature-leading-zero", make(keys, after=value(lambda v: b"\0" + v))
    yield "2007-signature-trailing-zero", make(keys, after=value(lambda v: v + b"\0"))
    yield "2007-signature-all-zero", make(keys, after=value(lambda v: bytes(len(v))))
    yield "2007-signature-one", make(keys, after=value(lambda v: bytes(len(v) - 1) + b"\1"))
    yield "2007-ecdsa-leading-zeros", make(keys, key="eibar", after=value(lambda v: b"\0" + v[:32] + b"\0" + v[32:]))
    yield "2007-ecdsa-all-zero", make(keys, key="eibar", after=value(lambda v: bytes(64)))
    yield "2007-ecdsa-r-zero", make(keys, key="eibar", after=value(lambda v: bytes(32) + v[32:]))
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    yield "2007-ecdsa-s-is-the-order", make(keys, key="eibar", after=value(lambda v: v[:32] + order.to_bytes(32, "big")))
    yield "2007-ecdsa-short-of-odd-length", value(lambda v: v[1:])(short_ecdsa(keys))
    yield "2007-ecdsa-short-by-one-octet-more", value(lambda v: v[1:65] + v[66:])(short_ecdsa(keys))
    yield "2007-ecdsa-short-with-halves-exchanged", value(lambda v: v[65:] + v[:65])(short_ecdsa(keys))
    yield "2007-ecdsa-short-with-zero-r", value(lambda v: bytes(65) + v[65:])(short_ecdsa(keys))
    yield "2007-ecdsa-r-only", make(keys, key="eibar", after=value(lambda v: v[:32]))
    yield "2007-ecdsa-two-zero-octets", make(keys, key="eibar", after=value(lambda v: bytes(2)))
    yield "2007-ecdsa-der", make(keys, key="eibar", after=value(ecdsa_der))


def ecdsa_der(value):
    numbers = b""
    for part in (value[:32], value[32:]):
        part = part.lstrip(b"\0")
        part = b"\0" + part if part[0] & 0x80 else part
        numbers += b"\x02" + bytes([len(part)]) + part
    return b"\x30" + bytes([len(numbers)]) + numbers


def times(keys):
    def stamp(text):
        return make(keys, timestamp=text)
    def pair(created, expires):
        return stamp(timestamp(created, expires))
    yield "2001-time-no-expires", stamp(f'<wsu:Timestamp wsu:Id="TS"><wsu:Created>{CREATED}</wsu:Created></wsu:Timestamp>')
    yield "2001-time-no-created", stamp(f'<wsu:Timestamp wsu:Id="TS"><wsu:Expires>{EXPIRES}</wsu:Expires></wsu:Timestamp>')
    yield "2001-time-two-created", stamp(timestamp().replace("<wsu:Expires>", f"<wsu:Created>{CREATED}</wsu:Created><wsu:Expires>"))
    yield "2001-time-two-expires", stamp(timestamp().replace("</wsu:Timestamp>", f"<wsu:Expires>{EXPIRES}</wsu:Expires></wsu:Timestamp>"))
    yield "2001-time-expires-before-created-element", stamp(f'<wsu:Timestamp wsu:Id="TS"><wsu:Expires>{EXPIRES}</wsu:Expires><wsu:Created>{CREATED}</wsu:Created></wsu:Timestamp>')
    yield "2001-time-other-element", stamp(timestamp().replace("</wsu:Timestamp>", "<wsu:Received>x</wsu:Received></wsu:Timestamp>"))
    yield "2001-time-text-beside", stamp(timestamp().replace("</wsu:Timestamp>", "x</wsu:Timestamp>"))
    yield "2001-time-created-with-child", stamp(timestamp("<x>2026-01-15T12:00:00Z</x>"))
    yield "2001-time-created-with-comment", stamp(timestamp("2026-01-15T12:0<!-- -->0:00Z"))
    yield "2001-time-empty", pair("", EXPIRES)
    for name in ("Created", "Expires"):
        yield f"2001-time-{name.lower()}-value-type", stamp(timestamp().replace(f"<wsu:{name}>", f'<wsu:{name} ValueType="xsd:dateTime">'))
    yield "2001-time-created-year-with-leading-zero", pair("02026-01-15T12:00:00Z", EXPIRES)
    yield "2001-time-expires-february-29-of-year-10001", pair(CREATED, "10001-02-29T12:00:00Z")
    yield "2008-created-before-our-era", pair("-2026-01-15T12:00:00Z", EXPIRES)
    yield "2008-created-year-of-five-digits", pair("12026-01-15T12:00:00Z", "12026-01-15T12:05:00Z")
    for name, created in (("without-zone", "2026-01-15T12:00:00"), ("day-only", "2026-01-15Z"), ("second-60", "2026-01-15T11:59:60Z"),
                          ("february-30", "2026-02-30T12:00:00Z"), ("hour-25", "2026-01-15T25:00:00Z"), ("offset-15", "2026-01-15T12:00:00+15:00"),
                          ("empty-fraction", "2026-01-15T12:00:00.Z"), ("comma", "2026-01-15T12:00:00,5Z"), ("lower-case", "2026-01-15t12:00:00z"),
                          ("year-zero", "0000-01-15T12:00:00Z"), ("year-of-five-digits", "12026-01-15T12:00:00Z"), ("year-minus-zero", "-0000-01-15T12:00:00Z"),
                          ("plus-sign", "+2026-01-15T12:00:00Z"), ("number", "1768478400"), ("words", "now")):
        yield f"2001-time-created-{name}", pair(created, EXPIRES)
    yield "2001-time-expires-without-zone", pair(CREATED, "2026-01-15T12:05:00")
    yield "2001-time-created-is-expires", pair(CREATED, CREATED)
    yield "2001-time-created-after-expires", pair("2026-01-15T12:00:10Z", "2026-01-15T12:00:05Z")
    yield "2001-time-created-after-expires-by-offset", pair("2026-01-15T12:00:00-01:00", "2026-01-15T12:30:00Z")
    yield "2008-created-too-old", pair("2026-01-15T11:55:29Z", EXPIRES)
    yield "2008-created-too-old-by-a-microsecond", pair("2026-01-15T11:55:29.999999Z", EXPIRES)
    yield "2008-created-too-old-expires-far-away", pair("2026-01-15T11:55:29Z", "2099-01-01T00:00:00Z")
    yield "2008-created-in-the-future", pair("2026-01-15T12:01:31Z", "2026-01-15T12:06:00Z")
    yield "2008-created-in-the-future-by-offset", pair("2026-01-15T12:00:00-01:00", "2026-01-15T12:05:00-01:00")
    yield "2008-expired", pair(CREATED, "2026-01-15T12:00:29Z")
    yield "2008-expired-this-instant", pair(CREATED, "2026-01-15T12:00:30Z")
    yield "2008-year-one", pair("0001-01-01T00:00:00+14:00", EXPIRES)
    yield "2008-year-9999", pair("9999-12-31T00:00:00-14:00", "9999-12-31T23:59:59-14:00")


def soap(keys):
    good = make(keys)
    yield "1004-not-an-envelope", "<hello/>"
    yield "1004-body-is-root", f'<soap:Body xmlns:soap="{SOAP11}">{KALUNDBORG}</soap:Body>'
    yield "1004-no-body", re.sub("<soap:Body.*</soap:Body>", "", good)
    yield "2001-body-before-header", re.sub("(<soap:Header>.*</soap:Header>)(<soap:Body.*</soap:Body>)", r"\2\1", good)
    yield "1004-element-after-body", make(keys, after_body='<x:After xmlns:x="urn:x"/>')
    yield "1004-element-before-header", good.replace("<soap:Header>", '<x:Before xmlns:x="urn:x"/><soap:Header>')
    yield "1004-text-in-envelope", good.replace("<soap:Body", "text<soap:Body")
    yield "1004-cdata-in-envelope", good.replace("<soap:Body", "<![CDATA[text]]><soap:Body")
    yield "1004-text-in-header", good.replace("<soap:Header>", "<soap:Header>text")
    yield "1004-text-in-body", make(keys, body="text" + KALUNDBORG)
    yield "1004-body-in-another-namespace", good.replace("<soap:Body", f'<s:Body xmlns:s="{SOAP12}"').replace("</soap:Body", "</s:Body")
    yield "1004-envelope-of-other-version-than-transport", make(keys, soap=SOAP12)
    yield "1004-envelope-of-other-version-than-transport.soap12", good
    yield "1005-unknown-soap-version", good.replace(SOAP11, "http://www.w3.org/2001/12/soap-envelope")
    yield "1005-no-namespace", "<Envelope><Body/></Envelope>"
    def mandatory(value, soap=SOAP11, extra=""):
        return make(keys, soap=soap, before_security=f'<x:Routing xmlns:x="urn:x" soap:mustUnderstand="{value}"{extra}/>')
    yield "1006-unknown-mandatory-header", mandatory("1")
    yield "1006-unknown-mandatory-header-true.soap12", mandatory("true", SOAP12)
    yield "1006-unknown-mandatory-header-1.soap12", mandatory("1", SOAP12)
    yield "1006-unknown-mandatory-header-next", mandatory("1", SOAP11, ' soap:actor="http://schemas.xmlsoap.org/soap/actor/next"')
    yield "1006-unknown-mandatory-header-role-next.soap12", mandatory("1", SOAP12, ' soap:role="http://www.w3.org/2003/05/soap-envelope/role/next"')
    yield "1006-addressing-reply-to-elsewhere", make(keys, before_security=addressing().replace(WSA + "/anonymous", "http://example.org/reply"))
    yield "1006-addressing-fault-to", make(keys, before_security=f'<wsa:FaultTo xmlns:wsa="{WSA}" soap:mustUnderstand="1"/>')
    yield "1006-security-2002-mandatory", good.replace(WSSE, "http://schemas.xmlsoap.org/ws/2002/12/secext")


def documents(keys):
    good = make(keys)
    envelope = "<soap:Envelope"
    def doctype(text):
        return good.replace(envelope, text + envelope, 1)
    bomb = "".join(f'<!ENTITY l{i} "{("&l%d;" % (i - 1)) * 10 if i else "ha"}">' for i in range(12))
    yield "1002-doctype", doctype("<!DOCTYPE soap:Envelope>")
    yield "1002-doctype-entity-bomb", doctype(f"<!DOCTYPE x [{bomb}]>").replace("99872", "&l11;")
    yield "1002-doctype-external-entity", doctype('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>').replace("99872", "&e;")
    yield "1002-doctype-external-subset", doctype('<!DOCTYPE x SYSTEM "http://example.org/x.dtd">')
    yield "1002-doctype-parameter-entity", doctype('<!DOCTYPE x [<!ENTITY % p SYSTEM "http://example.org/x"> %p;]>')
    yield "1002-doctype-quadratic-entity", doctype(f'<!DOCTYPE x [<!ENTITY q "{"q" * 5000}">]>').replace("99872", "&q;" * 500)
    yield "1002-doctype-id-attribute", doctype("<!DOCTYPE x [<!ATTLIST urb:AggregateMessageRequest a ID #IMPLIED>]>")
    yield "1002-doctype-default-attribute", doctype('<!DOCTYPE x [<!ATTLIST message a CDATA "b">]>')
    for mark, codec in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        yield f"1002-doctype-{codec}", mark + doctype("<!DOCTYPE x>").encode(codec)
    yield "1002-doctype-iso-8859-1", b'<?xml version="1.0" encoding="ISO-8859-1"?>' + doctype("<!DOCTYPE x>").encode()
    yield "1002-doctype-after-comment", doctype("<!-- > --><!DOCTYPE x>")
    yield "1002-entity-declaration-in-content", good.replace("<messages>", '<messages><!ENTITY e "x">')
    yield "1002-processing-instruction-before", "<?xml-stylesheet href='http://example.org/x.xsl'?>" + good
    yield "1002-processing-instruction-in-body", make(keys, after=replaced("99872", "99<?x y?>872"))
    yield "1002-processing-instruction-after", good + "<?x?>"
    yield "1002-second-xml-declaration", '<?xml version="1.0"?><?xml version="1.0"?>' + good
    yield "1002-blank-before-xml-declaration", ' <?xml version="1.0"?>' + good
    yield "1002-comment-before-xml-declaration", '<!-- made by x -->\n<?xml version="1.0"?>' + good
    yield "1002-blank-between-mark-and-xml-declaration", b"\xef\xbb\xbf\n" + ('<?xml version="1.0"?>' + good).encode()
    yield "1002-xml-declaration-in-body", good.replace("<messages>", '<messages><?xml version="1.0"?>')
    yield "1003-depth", good.replace("<messages>", "<messages>" + "<a>" * 80 + "</a>" * 80)
    yield "1003-depth-thousands", "<a>" * 100000
    unsigned = re.sub("<wsse:Security .*</wsse:Security>", "", good)
    yield "1003-depth-unsigned", unsigned.replace("<messages>", "<messages>" + "<a>" * 100000)
    yield "1003-attributes-in-one-tag", good.replace("<messages>", "<messages " + " ".join(f'a{i}=""' for i in range(70)) + ">")
    yield "1003-attribute-too-long", good.replace("<messages>", f'<messages a="{"x" * 70000}">')
    yield "1003-name-too-long", good.replace("<messages>", f'<messages><{"x" * 2000}/>')
    yield "1003-names-flood", good.replace("<messages>", "<messages>" + "".join(f"<n{i}/>" for i in range(2000)))
    yield "1003-attribute-names-flood", good.replace("<messages>", "<messages>" + "".join(f'<n a{i}=""/>' for i in range(2000)))
    yield "1003-namespace-names-flood", good.replace("<messages>", "<messages>" + "".join(f'<n xmlns="urn:{i}"/>' for i in range(2000)))
    nested = "".join("<n " + " ".join(f'xmlns:p{i}="urn:{i}"' for i in range(40)) + ">" for _ in range(40))
    yield "1003-namespaces-in-scope", good.replace("<messages>", "<messages>" + nested + "</n>" * 40)
    yield "1001-empty", b""
    yield "1001-blank", b" \n"
    yield "1001-not-xml", b"POST / HTTP/1.1\r\n\r\n"
    yield "1001-json", b'{"messages": []}'
    yield "1001-truncated", good[:-10]
    yield "1001-truncated-unsigned", unsigned[:-10]
    yield "1001-truncated-in-tag", good[:good.index("<messages>") + 5]
    yield "1001-open-comment", good + "<!--"
    yield "1001-open-attribute", good.replace("<messages>", '<messages a="')
    yield "1001-undeclared-prefix", good.replace("<messages>", "<messages><q:x/>")
    yield "1001-undeclared-attribute-prefix", good.replace("<messages>", '<messages q:x="">')
    yield "1001-duplicate-attribute", good.replace("<messages>", '<messages a="1" a="2">')
    yield "1001-duplicate-attribute-by-namespace", good.replace("<messages>", '<messages xmlns:p="urn:x" xmlns:q="urn:x" p:a="1" q:a="2">')
    yield "1001-xmlns-rebound", good.replace("<messages>", '<messages xmlns:xmlns="urn:x">')
    yield "1001-xml-rebound", good.replace("<messages>", '<messages xmlns:xml="urn:x">')
    yield "1001-prefix-undeclared-by-empty", good.replace("<messages>", '<messages xmlns:q="">')
    yield "1001-undefined-entity", make(keys, after=replaced("99872", "&nbsp;"))
    yield "1001-less-than-in-attribute", good.replace("<messages>", '<messages a="<">')
    yield "1001-text-after-document", good + "text"
    yield "1001-text-before-document", "text" + good
    yield "1001-second-root", good + "<x/>"
    yield "1001-second-envelope", good + good
    yield "1001-character-reference-to-nul", good.replace("99872", "&#0;")
    yield "1001-character-reference-to-surrogate", good.replace("99872", "&#xD800;")
    yield "1001-control-character", good.replace("99872", "99\x01872")
    yield "1001-nul-in-text", good.replace("99872", "99\0872")
    yield "1001-nul-after-document", good + "\0"
    yield "1001-nul-and-more-after-document", good + "\0<!-- hidden -->" + "<x/>"
    yield "1001-nul-before-document", "\0" + good
    yield "1001-xml-1.1", '<?xml version="1.1"?>' + good
    yield "1001-xml-1.1-with-line-separator", '<?xml version="1.1"?>' + good.replace("<messages>", "<messages>\x85")
    yield "1001-xml-2.0", '<?xml version="2.0"?>' + good
    yield "1001-declaration-without-version", '<?xml encoding="UTF-8"?>' + good
    yield "1001-declaration-without-end", '<?xml version="1.0"' + good


def encodings_refused(keys):
    good = make(keys, body=KALUNDBORG.replace("SeasNve", "Sæby"))
    def declared(name):
        return f'<?xml version="1.0" encoding="{name}"?>'
    for name in ("UTF-7", "UTF-32", "UCS-4", "IBM037", "windows-1252", "ISO-8859-15", "SHIFT_JIS", "x-user-defined"):
        yield f"1001-encoding-{name.lower()}-declared", declared(name) + good
    yield "1001-encoding-utf-16-declared-is-utf-8", declared("UTF-16") + good
    yield "1001-encoding-utf-8-declared-is-utf-16", b"\xff\xfe" + (declared("UTF-8") + good).encode("utf-16-le")
    yield "1001-encoding-iso-8859-1-declared-is-utf-16", b"\xfe\xff" + (declared("ISO-8859-1") + good).encode("utf-16-be")
    yield "1001-encoding-iso-8859-1-declared-with-utf-8-mark", b"\xef\xbb\xbf" + (declared("ISO-8859-1") + good).encode()
    yield "2007-encoding-iso-8859-1-declared-is-utf-8", declared("ISO-8859-1") + good
    yield "1001-encoding-ascii-declared-is-utf-8", declared("US-ASCII") + good
    yield "1001-encoding-is-iso-8859-1-undeclared", good.encode("iso-8859-1")
    yield "1001-encoding-utf-16-without-mark", good.encode("utf-16-le")
    yield "1001-encoding-utf-16-odd", b"\xff\xfe" + good.encode("utf-16-le") + b"\n"
    yield "1001-encoding-utf-16-wrong-mark", b"\xfe\xff" + good.encode("utf-16-le")
    at = good.index("Sæby")
    for name, unit in (("high", b"\x3d\xd8"), ("low", b"\x0c\xdd")):
        yield f"1001-encoding-utf-16-lone-{name}-surrogate", b"\xff\xfe" + good[:at].encode("utf-16-le") + unit + good[at:].encode("utf-16-le")
    for codec in ("utf-32-le", "utf-32-be"):
        yield f"1001-encoding-{codec}", good.encode(codec)
        yield f"1001-encoding-{codec}-with-mark", "\ufeff".encode(codec) + good.encode(codec)
    yield "1001-encoding-utf-7", good.replace("<", "+ADw-")
    yield "1001-encoding-ebcdic", (declared("IBM037") + make(keys)).encode("cp037")
    yield "1001-encoding-two-marks", b"\xef\xbb\xbf\xef\xbb\xbf" + good.encode()
    yield "1001-encoding-mark-after-declaration", (declared("UTF-8") + "\ufeff" + good).encode()
    raw = good.encode()
    place = raw.index(b"S\xc3\xa6by")
    for name, octets in (("overlong-two", b"\xc1\xa1"), ("overlong-three", b"\xe0\x81\xa1"), ("overlong-less-than", b"\xc0\xbc"),
                         ("overlong-nul", b"\xc0\x80"), ("surrogate", b"\xed\xa0\xbd\xed\xb4\x8c"), ("beyond-unicode", b"\xf4\x90\x80\x80"),
                         ("lone-continuation", b"\x80"), ("truncated", b"\xe2\x82"), ("five-octets", b"\xf8\x88\x80\x80\x80"), ("fffe", b"\xef\xbf\xbe")):
        yield f"1001-encoding-utf-8-{name}", raw[:place] + octets + raw[place:]
    comment = raw.replace(b"<messages>", b"<messages><!-- \xff -->")
    yield "1001-encoding-utf-8-bad-in-comment", comment


def encrypted(keys):
    """Encrypted parts wherever they stand: in what we read ourselves, and as header blocks for us."""
    def part(name, namespace=XENC):
        return f'<e:{name} xmlns:e="{namespace}"/>'
    data = part("EncryptedData")
    header = f'<wsse11:EncryptedHeader xmlns:wsse11="{WSSE11}"%s>{data}</wsse11:EncryptedHeader>'
    yield "2002-encrypted-data-as-header-block", make(keys, after_security=data)
    yield "2002-encrypted-header", make(keys, after_security=header % "")
    yield "2002-encrypted-header-mandatory", make(keys, before_security=header % ' soap:mustUnderstand="1"')
    yield "2002-encrypted-assertion", make(keys, security_extra=f'<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">{data}</saml:EncryptedAssertion>')
    yield "2002-encrypted-data-instead-of-signature", make(keys, after=lambda t: re.sub("<ds:Signature .*</ds:Signature>", data, t))
    yield "2002-encrypted-data-instead-of-timestamp", make(keys, after=lambda t: re.sub("<wsu:Timestamp .*</wsu:Timestamp>", data, t))
    for name, end in (("timestamp", "</wsu:Timestamp>"), ("token", "</wsse:BinarySecurityToken>"), ("signature-value", "</ds:SignatureValue>"),
                      ("key-info", "</ds:KeyInfo>"), ("signature", "</ds:Signature>")):
        yield f"2002-encrypted-data-in-{name}", make(keys, after=replaced(end, data + end))
    yield "2002-encrypted-key-in-key-info", make(keys, key_info=part("EncryptedKey"))
    yield "2002-encryption-1.1-in-security", make(keys, security_extra=part("DerivedKey", "http://www.w3.org/2009/xmlenc11#"))
    yield "2002-encryption-1.1-in-body", make(keys, body=KALUNDBORG.replace("<gcontent>", "<gcontent>" + part("DerivedKey", "http://www.w3.org/2009/xmlenc11#")))


def other_tokens(keys):
    """Tokens that are not of X.509 beside one that is."""
    for name, token in (
            ("security-context-token", '<c:SecurityContextToken xmlns:c="http://docs.oasis-open.org/ws-sx/ws-secureconversation/200512"/>'),
            ("derived-key-token", '<c:DerivedKeyToken xmlns:c="http://schemas.xmlsoap.org/ws/2005/02/sc"/>'),
            ("license", '<r:license xmlns:r="urn:mpeg:mpeg21:2003:01-REL-R-NS"/>'),
            ("kerberos-token", binary_token("AAAA", "http://docs.oasis-open.org/wss/oasis-wss-kerberos-token-profile-1.1#GSS_Kerberosv5_AP_REQ", name="Other"))):
        yield f"2003-{name}-beside-ours", make(keys, security_extra=token)
    saml = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV2.0"
    yield "2003-token-reference-says-saml", make(keys, key_info=token_reference(direct(), f' xmlns:wsse11="{WSSE11}" wsse11:TokenType="{saml}"'))


def other_ids(keys):
    """Ids that are the same to those who collapse white space, or who look at the local name only."""
    draft = "http://schemas.xmlsoap.org/ws/2003/06/utility"
    for name, attribute in (("wsu-white-space", 'wsu:Id=" Body "'), ("xml-id-white-space", 'xml:id="\tBody"'), ("wsu-upper-case", 'wsu:ID="Body"'),
                            ("wsu-lower-case", 'wsu:id="Body"'), ("wsu-of-a-draft", f'xmlns:d="{draft}" d:Id="Body"'),
                            ("any-namespace", 'xmlns:d="urn:d" d:id="Body"'), ("saml-request", 'RequestID="Body"'), ("saml-response", 'ResponseID="Body"')):
        yield f"2001-id-duplicate-{name}", make(keys, after_security=f'<x:H xmlns:x="urn:x" {attribute}/>')
    yield "2001-id-duplicate-white-space-in-body", make(keys, body=KALUNDBORG.replace("<message>", '<message wsu:Id="Body ">'))


def vectors(keys):
    for source in (encrypted, other_tokens, other_ids, wrapping, structure, references_and_ids, transforms, key_info, algorithms, tokens, trust, broken, times, soap,
                   documents, encodings_refused):
        yield from source(keys)
