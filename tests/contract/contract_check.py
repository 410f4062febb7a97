#!/usr/bin/env python3
"""Checks the contract as its readers see it: other tools than those that the programs are made of.

usage: contract_check.py SOURCE examples|zeep

examples  every file of wsdl/examples against the schemas, by xmllint
zeep      the WSDL can be loaded by zeep, and gives the request's shape on the wire
"""
import pathlib
import re
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(sys.argv[1])
XSD = SOURCE / "xsd"
SOAP = ("{http://schemas.xmlsoap.org/soap/envelope/}", "{http://www.w3.org/2003/05/soap-envelope}")
URB = "{http://urb-grade.eu}"


def xmllint(schema, element, scratch, what):
    from lxml import etree
    file = scratch / "element.xml"
    file.write_bytes(etree.tostring(element, with_tail=False))
    run = subprocess.run(["xmllint", "--noout", "--nonet", "--schema", str(schema), str(file)],
                         capture_output=True, text=True, check=False)
    return [f"{what}: {run.stderr.strip()}"] if run.returncode else []


def check_example(path, scratch):
    from lxml import etree
    body = next(e for s in SOAP for e in etree.parse(str(path)).getroot().iter(s + "Body"))
    [child] = list(body.iterchildren(tag=etree.Element))
    problems = []
    if etree.QName(child).localname == "Fault":
        detail = next(e for e in child if etree.QName(e).localname.lower() == "detail")
        for entry in detail.iterchildren(tag=etree.Element):
            problems += xmllint(XSD / "aggregation.xsd", entry, scratch, path.name)
        return problems
    problems += xmllint(XSD / "aggregation.xsd", child, scratch, path.name)
    for message in child.iter("message"):
        kind = f'{message.findtext("head/messageType/type")}-{message.findtext("head/messageType/version")}'
        problems += xmllint(XSD / "content" / f"{kind}.xsd", message.find("content/gcontent"), scratch, path.name)
    return problems


def examples(scratch):
    files = sorted((SOURCE / "wsdl/examples").glob("*.xml"))
    problems = [] if len(files) >= 5 else ["too few examples"]
    for path in files:
        problems += check_example(path, scratch)
    print(f"{len(files)} examples")
    return problems


def zeep_client(scratch):
    import zeep
    wsdl = (SOURCE / "wsdl/aggregation.wsdl").read_text()
    wsdl = re.sub(r"PUBLIC_URL\?xsd=", XSD.as_uri()[len("file://"):] + "/", wsdl)
    copy = scratch / "aggregation.wsdl"
    copy.write_text(wsdl.replace("PUBLIC_URL", "https://localhost:8443/services/aggregation"))
    return zeep.Client(str(copy))


def zeep_shape(scratch):
    client = zeep_client(scratch)
    message = {
        "head": {"timestamp": "2018-03-01T00:00:00Z", "messageType": {"type": "001", "version": "001"},
                 "messageSource": {"messageSourceElement": "EIB-L1"}},
        "content": {"gcontent": {}},
    }
    problems = []
    for port in ("AggregationPort", "AggregationPort12"):
        service = client.bind("AggregationService", port)
        envelope = client.create_message(service, "AggregateMessage", messages={"message": [message]}, tenantCode="30")
        request = envelope.find(".//" + URB + "AggregateMessageRequest")
        tags = [child.tag for child in request]
        if tags != ["messages", URB + "tenantCode"]:
            problems.append(f"{port}: the request's children are {tags}")
        if any(element.tag.startswith("{") for element in request.find("messages").iter()):
            problems.append(f"{port}: an element below messages is in a namespace")
        problems += xmllint(XSD / "aggregation.xsd", request, scratch, port)
    return problems


def main():
    check = {"examples": examples, "zeep": zeep_shape}[sys.argv[2]]
    with tempfile.TemporaryDirectory() as folder:
        problems = check(pathlib.Path(folder))
    print("\n".join(problems))
    return 1 if problems else 0


sys.exit(main())
