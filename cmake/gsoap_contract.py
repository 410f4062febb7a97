#!/usr/bin/env python3
"""Writes a copy of the contract for gSOAP's generators.

usage: gsoap_contract.py --wsdl FILE --xsd FOLDER --output FOLDER

What differs from the published contract, and why:
- no WS-Policy: it would draw gSOAP's own WS-Security types in, which are not used;
- one binding: the SOAP version is that of the envelope, so the second binding would only generate
  every function twice;
- schemas are found beside the WSDL;
- `messages` may be empty: the operation is dispatched without its bulk, which the compiled schemas
  have validated.
"""
import argparse
import pathlib
import re


def replaced(pattern: str, by: str, text: str, times: int) -> str:
    result, count = re.subn(pattern, by, text, flags=re.S)
    if count != times:
        raise SystemExit(f"gsoap_contract.py: expected {times} of {pattern!r}, found {count}")
    return result


def main() -> None:
    parser = argparse.ArgumentParser()
    for option in ("--wsdl", "--xsd", "--output"):
        parser.add_argument(option, required=True, type=pathlib.Path)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    wsdl = args.wsdl.read_text()
    wsdl = replaced(r"<wsp:Policy wsu:Id.*</wsp:Policy>\s*(?=<wsdl:types>)", "", wsdl, 1)
    wsdl = replaced(r"<wsp:PolicyReference[^>]*/>\s*", "", wsdl, 2)
    wsdl = replaced(r'<wsdl:binding name="AggregationBinding12".*?</wsdl:binding>\s*', "", wsdl, 1)
    wsdl = replaced(r'<wsdl:port name="AggregationPort12".*?</wsdl:port>\s*', "", wsdl, 1)
    wsdl = replaced(r'"PUBLIC_URL\?xsd=([^"]*)"', r'"\1"', wsdl, 1)
    (args.output / "aggregation.wsdl").write_text(wsdl)
    for name in ("aggregation.xsd", "messages.xsd"):
        text = (args.xsd / name).read_text()
        if name == "messages.xsd":
            text = replaced(r'(<xs:element name="message" [^>]*)minOccurs="1"', r'\1minOccurs="0"', text, 1)
        (args.output / name).write_text(text)


main()
