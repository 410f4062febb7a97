"""Requests that real clients send, each signed with everything that is required of it."""
import re
import subprocess

from envelope import (BARCELONA, CREATED, DS, EIBAR, ENVELOPED, EXC, EXPIRES, KALUNDBORG, SOAP11,
                      SOAP12, THUMBPRINT, WSA, WSSE, WSSE11, WSU, X509, Spec, binary_token, build,
                      direct, issuer_serial, key_identifier, make, prefix_list, reference,
                      short_ecdsa, str_transform, timestamp, token_reference, transform)

WSS4J_ORDER, ZEEP_ORDER, NODE_SOAP_ORDER, GSOAP_ORDER = "BST", "SBT", "BTS", "TBS"


def lines(text, width):
    return "\n" + "\n".join(text[i:i + width] for i in range(0, len(text), width)) + "\n"


def fold_signature_value(text):
    return re.sub(r"(<ds:SignatureValue>)([^<]*)", lambda m: m[1] + lines(m[2], 64), text)


def rename_prefixes(text, names):
    for old, new in names.items():
        text = re.sub(rf"(</?){old}:", rf"\g<1>{new}:", text)
        text = re.sub(rf"\b{old}:(\w+=)", rf"{new}:\1", text)
        text = text.replace(f"xmlns:{old}=", f"xmlns:{new}=")
    return text


def addressing(must_understand='soap:mustUnderstand="1" ', action="http://urb-grade.eu/AggregateMessage"):
    return (f'<wsa:Action xmlns:wsa="{WSA}" {must_understand}wsu:Id="Action">{action}</wsa:Action>'
            f'<wsa:MessageID xmlns:wsa="{WSA}" {must_understand}wsu:Id="MessageID">urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8</wsa:MessageID>'
            f'<wsa:To xmlns:wsa="{WSA}" {must_understand}wsu:Id="To">https://example.org/services/aggregation</wsa:To>'
            f'<wsa:ReplyTo xmlns:wsa="{WSA}" {must_understand}wsu:Id="ReplyTo"><wsa:Address>{WSA}/anonymous</wsa:Address></wsa:ReplyTo>')


def enveloped_then_exclusive():
    return f"<ds:Transforms>{transform(ENVELOPED)}{transform()}</ds:Transforms>"


def layouts(keys):
    yield "kalundborg", make(keys)
    yield "barcelona", make(keys, key="barcelona", body=BARCELONA)
    yield "eibar-ecdsa-p256", make(keys, key="eibar", body=EIBAR)
    yield "wss4j-order", make(keys, order=WSS4J_ORDER, prefixes="", key_info=token_reference(direct(), ' wsu:Id="STR-1"'),
                              c14n=f'<ds:CanonicalizationMethod Algorithm="{EXC}">{prefix_list("soap")}</ds:CanonicalizationMethod>',
                              before=lambda t: t.replace("<ds:Signature ", '<ds:Signature Id="SIG-3" ').replace("<ds:KeyInfo>", '<ds:KeyInfo Id="KI-1">'))
    yield "wss4j-token-after-signature", make(keys, order="STB", references=[reference("#Body", ""), reference("#TS", "wsse soap"), reference("#X509", "")])
    yield "wss4j-str-transform", make(keys, order="SBT", key_info=token_reference(direct(), ' wsu:Id="STR-1"'), references=[
        reference("#STR-1", transforms=str_transform()), reference("#TS"), reference("#Body")])
    yield "wss4j-str-transform-prefix-list", make(keys, order="STB", key_info=token_reference(direct(), ' wsu:Id="STR-1"'), references=[
        reference("#STR-1", transforms=str_transform("soap wsu")), reference("#TS"), reference("#Body")])
    by_thumbprint = token_reference(key_identifier(keys.thumbprint("kalundborg"), THUMBPRINT), ' wsu:Id="STR-1"')
    signed_str = [reference("#STR-1", transforms=str_transform("soap")), reference("#TS"), reference("#Body")]
    yield "wss4j-str-transform-made-token-odd-prefix", make(keys, order="ST", key_info=by_thumbprint, references=signed_str,
                                                            before=lambda t: rename_prefixes(t, {"wsse": "ns7"}))
    yield "wss4j-str-transform-made-token-default-namespace", make(keys, order="ST", references=signed_str, key_info=by_thumbprint.replace(
        "wsse:", "").replace("<SecurityTokenReference", f'<SecurityTokenReference xmlns="{WSSE}"'))
    yield "zeep-order-odd-prefixes", rename_made(keys)
    yield "node-soap", make(keys, order=NODE_SOAP_ORDER, security_attributes=' soap:mustUnderstand="1"', references=[
        reference("#Body", transforms=enveloped_then_exclusive()), reference("#TS", transforms=enveloped_then_exclusive())],
        timestamp=timestamp("2026-01-15T12:00:00Z", "2026-01-15T12:10:00Z"))
    yield "gsoap-order", make(keys, order=GSOAP_ORDER, references=[reference("#TS", "wsse"), reference("#X509"), reference("#Body", "soap")])
    yield "php-line-breaks", make(keys, token=binary_token(lines(keys.token("kalundborg"), 76)),
                                  before=lambda t: t.replace("><", ">\n<"), after=fold_signature_value)
    yield "line-breaks-crlf", make(keys, token=binary_token(lines(keys.token("kalundborg"), 64).replace("\n", "\r\n")),
                                   after=lambda t: fold_signature_value(t).replace("\n", "\r\n"))
    yield "carriage-returns-by-reference", make(keys, after=lambda t: re.sub(r"(<ds:SignatureValue>.{40})", r"\1&#13;&#10;", t))
    yield "indented", make(keys, before=lambda t: re.sub(r"><", ">\n    <", t))
    yield "no-must-understand", make(keys, security_attributes="")
    yield "actor-next", make(keys, security_attributes=' soap:actor="http://schemas.xmlsoap.org/soap/actor/next"')
    yield "other-actors-security-header", make(keys, before_security=f'<wsse:Security xmlns:wsse="{WSSE}" soap:actor="http://example.org/proxy" soap:mustUnderstand="1"><wsse:UsernameToken/></wsse:Security>')
    yield "optional-header-with-white-space", make(keys, after_security='<x:Trace xmlns:x="http://example.org/x" soap:mustUnderstand=" 0 "/>')
    yield "token-type-of-a-thumbprint", make(keys, order="TS", key_info=token_reference(
        key_identifier(keys.thumbprint("kalundborg"), THUMBPRINT), f' xmlns:wsse11="{WSSE11}" wsse11:TokenType="{X509}X509v3"'))
    yield "unknown-optional-header", make(keys, before_security='<x:Trace xmlns:x="http://example.org/x">7</x:Trace>')
    yield "addressing-signed", make(keys, before_security=addressing(), references=[
        reference(f"#{name}", "soap") for name in ("Action", "MessageID", "To", "ReplyTo", "TS", "Body")])
    yield "addressing-2004-unsigned", make(keys, after_security=addressing().replace(WSA + "/anonymous", "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous").replace(WSA, "http://schemas.xmlsoap.org/ws/2004/08/addressing"))
    yield "soap12.soap12", make(keys, soap=SOAP12, security_attributes=' soap:mustUnderstand="true"')
    yield "soap12-role-ultimate-receiver.soap12", make(keys, soap=SOAP12, key="eibar", body=EIBAR,
                                                       security_attributes=' soap:mustUnderstand="1" soap:role="http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver"')
    yield "two-tokens-one-used", make(keys, token=binary_token(keys.token("stranger"), name="Other") + binary_token(keys.token("kalundborg")))
    yield "comments-everywhere", make(keys, before=lambda t: t.replace("99872", "99<!-- of 5 digits -->872").replace("<wsu:Created>", "<!-- c --><wsu:Created>").replace("<ds:Reference", "<!-- r --><ds:Reference"),
                                      after=lambda t: "<!-- before -->\n" + t.replace("<messages>", "<messages><!-- added later, which no signature covers -->") + "\n<!-- after -->\n")
    yield "cdata-in-body", make(keys, before=lambda t: t.replace("SeasNve", "<![CDATA[SeasNve]]>"))
    yield "signature-parts-as-cdata", make(keys, after=lambda t: re.sub(r"<ds:DigestValue>([^<]*)", r"<ds:DigestValue><![CDATA[\1]]>", t, count=1))
    yield "default-namespaces", default_namespaces(keys)
    yield "prefix-list-default", make(keys, envelope_attributes=' xmlns="http://example.org/default"', prefixes="#default soap",
                                      body=KALUNDBORG.replace("<messages>", '<messages xmlns="">'))
    yield "prefix-list-spacing", make(keys, prefixes="  wsu \t soap ", envelope_attributes=' xmlns:b="urn:b" xmlns:a="urn:a"')
    yield "prefix-list-unbound", make(keys, prefixes="soap nowhere")
    yield "same-prefix-rebound", make(keys, body=KALUNDBORG.replace("<urb:tenantCode", '<urb:tenantCode xmlns:urb="http://urb-grade.eu" xmlns:unused="urn:x"'))


def rename_made(keys):
    return make(keys, order=ZEEP_ORDER, security_attributes="", before=lambda t: rename_prefixes(t, {"wsu": "ns1", "soap": "soap-env", "urb": "ns0"}))


def default_namespaces(keys):
    """Signature and Body declare their namespace as the default one."""
    def plain(text):
        text = text.replace("<ds:", "<").replace("</ds:", "</").replace("xmlns:ds=", "xmlns=")
        text = text.replace("<urb:AggregateMessageRequest xmlns:urb=", "<AggregateMessageRequest xmlns=")
        text = text.replace("</urb:AggregateMessageRequest", "</AggregateMessageRequest").replace("urb:tenantCode", "tenantCode")
        return text.replace("<messages>", '<messages xmlns="">')
    return make(keys, before=plain)


def key_references(keys):
    def known(name, info, key="kalundborg", body=KALUNDBORG, order="TS"):
        return name, make(keys, key=key, body=body, order=order, key_info=token_reference(info))
    for name in ("kalundborg", "eibar"):
        yield known(f"thumbprint-{name}", key_identifier(keys.thumbprint(name), THUMBPRINT), name)
        yield known(f"subject-key-identifier-{name}", key_identifier(keys.key_identifier(name), X509 + "X509SubjectKeyIdentifier"), name)
    for name in ("renewed", "reissued"):
        yield known(f"subject-key-identifier-{name}-with-the-same-key", key_identifier(keys.key_identifier(name), X509 + "X509SubjectKeyIdentifier"), name)
    yield known("key-identifier-without-encoding", key_identifier(keys.thumbprint("kalundborg"), THUMBPRINT, None))
    yield known("key-identifier-whole-certificate", key_identifier(keys.token("kalundborg"), X509 + "X509v3"))
    serial = keys.serial("kalundborg")
    for name, issuer in (("rfc2253", "CN=Test CA,O=Pilots\\, Test,C=ES"), ("wss4j", 'CN=Test CA, O="Pilots, Test", C=ES'),
                         ("hex-escape", "CN=Test CA,O=Pilots\\2C Test,C=ES"), ("reversed", "C=ES, O=Pilots\\, Test, CN=Test CA"),
                         ("oids", "2.5.4.3=Test CA,OID.2.5.4.10=Pilots\\, Test,2.5.4.6=ES")):
        yield known(f"issuer-serial-{name}", f"<ds:X509Data>{issuer_serial(issuer, serial)}</ds:X509Data>")
    yield known("x509-certificate", f"<ds:X509Data><ds:X509Certificate>{keys.token('kalundborg')}</ds:X509Certificate></ds:X509Data>")
    yield known("x509-certificate-empty-issuer-serial", f"<ds:X509Data><ds:X509IssuerSerial/><ds:X509Certificate>{keys.token('kalundborg')}</ds:X509Certificate></ds:X509Data>")
    path = X509 + "X509PKIPathv1"
    yield "pki-path", make(keys, token=binary_token(keys.pki_path("ca", "kalundborg"), path), key_info=token_reference(direct(value_type=path), f' xmlns:wsse11="{WSSE11}" wsse11:TokenType="{path}"'))
    yield "pki-path-of-one", make(keys, token=binary_token(keys.pki_path("kalundborg"), path), key_info=token_reference(direct(value_type=path)))
    yield "reference-without-value-type", make(keys, key_info=token_reference(direct(value_type=None)))
    yield "token-signed", make(keys, references=[reference(u) for u in ("#X509", "#Body", "#TS")])
    yield "certificate-without-key-usage", make(keys, key="no-extensions")


def algorithms(keys):
    for size in ("256", "384", "512"):
        yield f"rsa-sha{size}", make(keys, method=f"rsa-sha{size}", digest=f"sha{size}")
        yield f"ecdsa-p256-sha{size}", make(keys, key="eibar", body=EIBAR, method=f"ecdsa-sha{size}", digest=f"sha{size}")
    yield "ecdsa-p384-sha384", make(keys, key="p384", method="ecdsa-sha384", digest="sha384")
    yield "ecdsa-p521-without-leading-zeros", short_ecdsa(keys)
    yield "ecdsa-p521-sha512", make(keys, key="p521", method="ecdsa-sha512", digest="sha512")
    yield "rsa-sha512-mixed-digests", make(keys, method="rsa-sha512", references=[reference("#TS", digest="sha384"), reference("#Body", digest="sha256")])
    yield "rsa-sha1-allowed", make(keys, key="legacy", method="rsa-sha1", digest="sha1")
    yield "rsa-sha1-sha256-digests-allowed", make(keys, key="legacy", method="rsa-sha1", digest="sha256")


def times(keys):
    for name, created, expires in (
            ("seven-fraction-digits", "2026-01-15T13:00:00.9000728+01:00", "2026-01-15T13:05:00.9000728+01:00"),
            ("thirty-fraction-digits", "2026-01-15T12:00:00.123456789012345678901234567890Z", EXPIRES),
            ("negative-offset", "2026-01-15T06:30:00-05:30", "2026-01-15T06:35:00-05:30"),
            ("offset-of-fourteen-hours", "2026-01-16T02:00:00+14:00", "2026-01-16T02:05:00+14:00"),
            ("expires-in-another-offset", CREATED, "2026-01-15T13:01:00+01:00"),
            ("expires-far-away", CREATED, "2099-12-31T23:59:59Z"),
            ("expires-year-of-six-digits", CREATED, "292277-01-09T04:00:54.775Z"),
            ("created-five-minutes-ago", "2026-01-15T11:55:30Z", EXPIRES),
            ("created-sixty-seconds-ahead", "2026-01-15T12:01:30Z", "2026-01-15T12:06:30Z"),
            ("expires-in-one-microsecond", CREATED, "2026-01-15T12:00:30.000001Z"),
            ("white-space", "\n 2026-01-15T12:00:00Z\t", EXPIRES)):
        yield "time-" + name, make(keys, timestamp=timestamp(created, expires))


def encodings(keys):
    text = make(keys, body=KALUNDBORG.replace("SeasNve", "Sæby Øst"))
    yield "encoding-utf-8-declared", f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{text}\n'
    yield "encoding-utf-8-with-byte-order-mark", b"\xef\xbb\xbf" + text.encode()
    yield "encoding-utf-8-none-declared", f"<?xml version='1.0'?>{text}"
    yield "encoding-iso-8859-1", f'<?xml version="1.0" encoding="ISO-8859-1"?>{text}'.encode("iso-8859-1")
    yield "encoding-us-ascii", f'<?xml version="1.0" encoding="US-ASCII"?>{text.replace("æ", "&#230;").replace("Ø", "&#xD8;")}'
    for mark, codec in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        yield f"encoding-{codec}", mark + f'<?xml version="1.0" encoding="UTF-16"?>{text}'.encode(codec)
    beyond = make(keys, body=KALUNDBORG.replace("SeasNve", "\U0001F50C meter"))
    yield "encoding-utf-16-surrogate-pair", b"\xff\xfe" + beyond.encode("utf-16-le")


def by_zeep(keys):
    """python3-zeep's own signing, as users add the Timestamp to it."""
    from lxml import etree
    import xmlsec
    from zeep.wsse import signature, utils

    for name, plugin in (("binary", signature.BinarySignature), ("x509-data", signature.Signature)):
        root = etree.fromstring(f'<soap-env:Envelope xmlns:soap-env="{SOAP11}"><soap-env:Body>{KALUNDBORG}</soap-env:Body></soap-env:Envelope>')
        security = utils.get_security_header(root)
        stamp = utils.WSU("Timestamp")
        stamp.append(utils.WSU("Created", "2026-01-15T12:00:00.123456Z"))
        stamp.append(utils.WSU("Expires", EXPIRES))
        security.append(stamp)
        signed, _ = plugin(str(keys.key("kalundborg")), str(keys.pem("kalundborg")), signature_method=xmlsec.Transform.RSA_SHA256,
                           digest_method=xmlsec.Transform.SHA256).apply(root, {})
        yield f"by-zeep-{name}", etree.tostring(signed, encoding="UTF-8")


def template(keys, **options):
    return build(Spec(**options), keys).replace("@D@", "").replace("@S@", "")


def by_xmlsec_python(keys):
    from lxml import etree
    import xmlsec

    root = etree.fromstring(template(keys, key="eibar", body=EIBAR, prefixes="soap"))
    for element in root.iter(f"{{{SOAP11}}}Body", f"{{{WSU}}}Timestamp"):
        xmlsec.tree.add_ids(element, ["Id"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_file(str(keys.key("eibar")), xmlsec.KeyFormat.PEM)
    context.sign(next(root.iter(f"{{{DS}}}Signature")))
    yield "by-python-xmlsec-ecdsa", etree.tostring(root, encoding="UTF-8")


def by_xmlsec1(keys):
    for name, options in (("kalundborg", {}), ("barcelona", {"body": BARCELONA, "order": "BST"})):
        file = keys.work / "template.xml"
        file.write_text(template(keys, key=name, **options))
        signed = subprocess.run(["xmlsec1", "--sign", "--privkey-pem", keys.key(name), "--id-attr:Id", SOAP11 + ":Body",
                                 "--id-attr:Id", WSU + ":Timestamp", file], capture_output=True, check=True).stdout
        yield f"by-xmlsec1-{name}", signed


def vectors(keys):
    for source in (layouts, key_references, algorithms, times, encodings, by_zeep, by_xmlsec_python, by_xmlsec1):
        yield from source(keys)
