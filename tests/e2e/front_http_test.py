"""HTTP as an attacker speaks it: octets in, status out, and whether the connection ends.

Source: RFC 9110, RFC 9112. 500 stands for "the application was asked": it answers with a SOAP fault,
since the body is not signed.
"""
import concurrent.futures
import contextlib
import gzip
import re
import socket
import time
import unittest
import zlib

import district
from xmlsec1_test import BARCELONA, sign

CLOSES, STAYS = True, False
ASKED = 500
LINE = b"POST /services/aggregation HTTP/1.1\r\n"
HEAD = LINE + b"Host: x\r\nContent-Type: text/xml\r\n"
AFTER = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"  # smuggled, or asked to see that it goes on


def get(target, method=b"GET", fields=b""):
    return method + b" " + target + b" HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n"


def post(body=b"<a/>", fields=b""):
    return HEAD + fields + b"Content-Length: %d\r\n\r\n" % len(body) + body


def length(value):
    return HEAD + b"Content-Length:" + value + b"\r\n\r\n"


def chunked(body, coding=b"chunked"):
    return HEAD + b"Transfer-Encoding: " + coding + b"\r\n\r\n" + body


def field(octets):
    return get(b"/health", fields=octets)


def host(value):
    return b"GET /health HTTP/1.1\r\nHost:" + value + b"\r\n\r\n"


def first_line(octets):
    return octets + b"\r\nHost: x\r\n\r\n"


END = b"0\r\n\r\n"
# name of the case: octets, status, whether the connection ends after the answer
CASES = {
    # -- Content-Length (RFC 9112 section 6.3) -------------------------------------------------
    "length": (length(b" 4") + b"<a/>", ASKED, STAYS),
    "length without space": (length(b"4") + b"<a/>", ASKED, STAYS),
    "length with leading zeros": (length(b" 0004") + b"<a/>", ASKED, STAYS),
    "length twice, equal": (HEAD + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\n<a/>" + AFTER, 400, CLOSES),
    "length twice, different": (HEAD + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\n<a/>" + AFTER, 400, CLOSES),
    "length list, equal": (length(b" 4, 4") + b"<a/>" + AFTER, 400, CLOSES),
    "length list, different": (length(b" 4, 5") + b"<a/>" + AFTER, 400, CLOSES),
    "length list, empty element": (length(b" 4,") + b"<a/>" + AFTER, 400, CLOSES),
    "length empty": (length(b"") + AFTER, 400, CLOSES),
    "length negative": (length(b" -4") + b"<a/>" + AFTER, 400, CLOSES),
    "length with plus": (length(b" +4") + b"<a/>" + AFTER, 400, CLOSES),
    "length hexadecimal": (length(b" 0x4") + b"<a/>" + AFTER, 400, CLOSES),
    "length with fraction": (length(b" 4.0") + b"<a/>" + AFTER, 400, CLOSES),
    "length with exponent": (length(b" 4e0") + b"<a/>" + AFTER, 400, CLOSES),
    "length in quotes": (length(b' "4"') + b"<a/>" + AFTER, 400, CLOSES),
    "length with a space in it": (length(b" 4 4") + b"<a/>" + AFTER, 400, CLOSES),
    "length with a word": (length(b" 4 octets") + b"<a/>" + AFTER, 400, CLOSES),
    "length of 2^63": (length(b" 9223372036854775808") + AFTER, 413, CLOSES),
    "length of 2^64 + 4": (length(b" 18446744073709551620") + b"<a/>" + AFTER, 400, CLOSES),
    "length of 100 digits": (length(b" " + b"9" * 100) + AFTER, 400, CLOSES),
    "length beyond the limit": (length(b" 536870913"), 413, CLOSES),
    "length in other digits": (length(" ４".encode()) + b"<a/>" + AFTER, 400, CLOSES),
    "length, space before the colon": (HEAD + b"Content-Length : 4\r\n\r\n<a/>" + AFTER, 400, CLOSES),
    "length, folded": (HEAD + b"Content-Length:\r\n 4\r\n\r\n<a/>" + AFTER, 400, CLOSES),
    # -- Transfer-Encoding (6.1) -------------------------------------------------------------
    "chunked": (chunked(b"4\r\n<a/>\r\n" + END), ASKED, STAYS),
    "chunked, odd case": (chunked(b"4\r\n<a/>\r\n" + END, b"ChUnKeD"), ASKED, STAYS),
    "chunked, spaces and tabs around": (chunked(b"4\r\n<a/>\r\n" + END, b" \tchunked\t "), ASKED, STAYS),
    "length then chunked": (HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + END + AFTER, 400, CLOSES),
    "chunked then length": (HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" + END + AFTER, 400, CLOSES),
    "chunked twice in a list": (chunked(END + AFTER, b"chunked, chunked"), 400, CLOSES),
    "chunked twice in two fields": (HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + END + AFTER, 400, CLOSES),
    "identity": (chunked(AFTER, b"identity"), 400, CLOSES),
    "identity then chunked": (chunked(END + AFTER, b"identity, chunked"), 400, CLOSES),
    "chunked then identity": (chunked(END + AFTER, b"chunked, identity"), 400, CLOSES),
    "gzip then chunked": (chunked(END + AFTER, b"gzip, chunked"), 400, CLOSES),
    "chunked then gzip": (chunked(END + AFTER, b"chunked, gzip"), 400, CLOSES),
    "unknown coding": (chunked(END + AFTER, b"cow"), 400, CLOSES),
    "almost chunked": (chunked(END + AFTER, b"xchunked"), 400, CLOSES),
    "chunked with parameter": (chunked(END + AFTER, b"chunked;q=1"), 400, CLOSES),
    "chunked in quotes": (chunked(END + AFTER, b'"chunked"'), 400, CLOSES),
    "chunked after vertical tab": (chunked(END + AFTER, b"\x0bchunked"), 400, CLOSES),
    "empty coding": (chunked(END + AFTER, b""), 400, CLOSES),
    "chunked, comma behind": (chunked(END + AFTER, b"chunked,"), 400, CLOSES),
    "chunked, folded": (HEAD + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + END + AFTER, 400, CLOSES),
    "chunked, space before the colon": (HEAD + b"Transfer-Encoding : chunked\r\n\r\n" + END + AFTER, 400, CLOSES),
    "chunked of HTTP/1.0": (chunked(END + AFTER).replace(b"HTTP/1.1", b"HTTP/1.0", 1), 400, CLOSES),
    "chunked GET": (get(b"/health", fields=b"Transfer-Encoding: chunked\r\n") + END + AFTER, 200, CLOSES),
    # -- chunks (7.1) ------------------------------------------------------------------------
    "chunk size with leading zeros": (chunked(b"0004\r\n<a/>\r\n000\r\n\r\n"), ASKED, STAYS),
    "chunk extensions": (chunked(b'4;a=b;c;d="e;\\"f" ; g\r\n<a/>\r\n0;a=b\r\n\r\n'), ASKED, STAYS),
    "trailer fields": (chunked(b"4\r\n<a/>\r\n0\r\nChecksum: 1\r\n\r\n"), ASKED, STAYS),
    "trailer that means something to a header": (chunked(b"4\r\n<a/>\r\n0\r\nContent-Encoding: gzip\r\nHost: y\r\n\r\n"), ASKED, STAYS),
    "trailer with a length": (chunked(b"4\r\n<a/>\r\n0\r\nContent-Length: 9\r\n\r\n" + AFTER), 400, CLOSES),
    "trailer with a coding": (chunked(b"4\r\n<a/>\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n" + AFTER), 400, CLOSES),
    "trailer without colon": (chunked(b"4\r\n<a/>\r\n0\r\nx\r\n\r\n" + AFTER), 400, CLOSES),
    "trailers too large": (chunked(b"4\r\n<a/>\r\n0\r\n" + b"A: b\r\n" * 4000), 400, CLOSES),
    "chunk size 0x": (chunked(b"0x4\r\n<a/>\r\n" + END + AFTER), 400, CLOSES),
    "chunk size with plus": (chunked(b"+4\r\n<a/>\r\n" + END + AFTER), 400, CLOSES),
    "chunk size negative": (chunked(b"-4\r\n<a/>\r\n" + END + AFTER), 400, CLOSES),
    "chunk size empty": (chunked(b"\r\n<a/>\r\n" + END + AFTER), 400, CLOSES),
    "chunk size with h": (chunked(b"4h\r\n<a/>\r\n" + END + AFTER), 400, CLOSES),
    "chunk size with underscore": (chunked(b"0_4\r\n<a/>\r\n" + END + AFTER), 400, CLOSES),
    "chunk size after a space": (chunked(b" 4\r\n<a/>\r\n" + END + AFTER), 400, CLOSES),
    "chunk size before a space": (chunked(b"4 \r\n<a/>\r\n" + END + AFTER), 400, CLOSES),
    "chunk size of 2^64 + 4": (chunked(b"10000000000000004\r\n<a/>\r\n" + END + AFTER), 400, CLOSES),
    "chunk size of 2^64 - 1": (chunked(b"FFFFFFFFFFFFFFFF\r\n<a/>\r\n"), 413, CLOSES),
    "chunk size beyond the limit": (chunked(b"20000001\r\n<a/>"), 413, CLOSES),
    "chunk longer than its size": (chunked(b"3\r\n<a/>\r\n" + END + AFTER), 400, CLOSES),
    "chunk shorter than its size": (chunked(b"6\r\n<a/>\r\n0\r\n\r\n\r\n" + AFTER), 400, CLOSES),
    "chunk without CRLF": (chunked(b"4\r\n<a/>" + END + AFTER), 400, CLOSES),
    "chunk followed by LF": (chunked(b"4\r\n<a/>\n" + END + AFTER), 400, CLOSES),
    "chunk size followed by LF": (chunked(b"4\n<a/>\r\n" + END + AFTER), 400, CLOSES),
    "chunk size followed by CR": (chunked(b"4\r<a/>\r\n" + END + AFTER), 400, CLOSES),
    "chunk extension with LF": (chunked(b"4;a\nb\r\n<a/>\r\n" + END + AFTER), 400, CLOSES),
    "chunk extension with LF in quotes": (chunked(b'4;a="\nb"\r\n<a/>\r\n' + END + AFTER), 400, CLOSES),
    "chunk extension with NUL in quotes": (chunked(b'4;a="\0"\r\n<a/>\r\n' + END + AFTER), 400, CLOSES),
    "chunk extension without name": (chunked(b"4;\r\n<a/>\r\n" + END + AFTER), 400, CLOSES),
    "chunk extension, quote not closed": (chunked(b'4;a="b\r\n<a/>\r\n' + END + AFTER), 400, CLOSES),
    "one huge chunk extension": (chunked(b"4;" + b"a" * 20000 + b"\r\n<a/>\r\n" + END + AFTER), 400, CLOSES),
    "many chunk extensions": (chunked((b"1;" + b"a" * 1000 + b"\r\nx\r\n") * 20 + END + AFTER), 400, CLOSES),
    "last chunk followed by LF": (chunked(b"4\r\n<a/>\r\n0\n\n" + AFTER), 400, CLOSES),
    # -- versions (2.3) ----------------------------------------------------------------------
    "HTTP/1.0": (b"GET /health HTTP/1.0\r\n\r\n", 200, CLOSES),
    "HTTP/1.0 that wants to stay": (b"GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, STAYS),
    "HTTP/0.9": (b"GET /health\r\n", 400, CLOSES),
    "HTTP/0.9 with version": (first_line(b"GET /health HTTP/0.9"), 505, CLOSES),
    "HTTP/1.2": (first_line(b"GET /health HTTP/1.2"), 505, CLOSES),
    "HTTP/2.0": (first_line(b"GET /health HTTP/2.0"), 505, CLOSES),
    "HTTP/2's preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 505, CLOSES),
    "version in lower case": (first_line(b"GET /health http/1.1"), 400, CLOSES),
    "version with leading zero": (first_line(b"GET /health HTTP/01.1"), 400, CLOSES),
    "version with two digits": (first_line(b"GET /health HTTP/1.10"), 400, CLOSES),
    "version without minor": (first_line(b"GET /health HTTP/1"), 400, CLOSES),
    "version of another protocol": (first_line(b"GET /health ICY/1.1"), 400, CLOSES),
    "space behind the version": (first_line(b"GET /health HTTP/1.1 "), 400, CLOSES),
    # -- request line (3) --------------------------------------------------------------------
    "two spaces": (first_line(b"GET  /health HTTP/1.1"), 400, CLOSES),
    "a tab instead of a space": (first_line(b"GET\t/health HTTP/1.1"), 400, CLOSES),
    "space in the target": (first_line(b"GET /hea lth HTTP/1.1"), 400, CLOSES),
    "leading space": (first_line(b" GET /health HTTP/1.1"), 400, CLOSES),
    "one empty line before": (b"\r\n" + AFTER, 200, STAYS),
    "two empty lines before": (b"\r\n\r\n" + AFTER, 400, CLOSES),
    "LF before": (b"\n" + AFTER, 400, CLOSES),
    "lines end with LF": (b"GET /health HTTP/1.1\nHost: x\n\n", 400, CLOSES),
    "lines end with CR": (b"GET /health HTTP/1.1\rHost: x\r\r", 400, CLOSES),
    "CR in the target": (first_line(b"GET /hea\rlth HTTP/1.1"), 400, CLOSES),
    "NUL in the target": (first_line(b"GET /health\0 HTTP/1.1"), 400, CLOSES),
    "DEL in the target": (first_line(b"GET /health\x7f HTTP/1.1"), 400, CLOSES),
    "UTF-8 in the target": (first_line("GET /hëalth HTTP/1.1".encode()), 400, CLOSES),
    "fragment": (first_line(b"GET /health#x HTTP/1.1"), 400, CLOSES),
    "markup in the target": (first_line(b"GET /<script> HTTP/1.1"), 400, CLOSES),
    "backslash in the target": (first_line(b"GET \\health HTTP/1.1"), 400, CLOSES),
    "relative target": (first_line(b"GET health HTTP/1.1"), 400, CLOSES),
    "NUL in the method": (first_line(b"G\0T /health HTTP/1.1"), 400, CLOSES),
    "long target": (first_line(b"GET /" + b"a" * 8000 + b" HTTP/1.1"), 414, CLOSES),
    "endless target": (b"GET /" + b"a" * 60000, 414, CLOSES),
    "endless method": (b"A" * 60000, 501, CLOSES),
    "TLS in TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, CLOSES),
    "absolute form": (get(b"https://x:8443/health"), 200, STAYS),
    "absolute form, odd case": (get(b"HTTPS://x/health"), 200, STAYS),
    "absolute form of another host": (get(b"https://other.example/health"), 200, STAYS),
    "absolute form without path": (get(b"https://x"), 404, STAYS),
    "absolute form with query only": (get(b"https://x?wsdl"), 404, STAYS),
    "absolute form without host": (get(b"https:///health"), 400, CLOSES),
    "absolute form with a user": (get(b"https://u:p@x/health"), 400, CLOSES),
    "absolute form with port 65536": (get(b"https://x:65536/health"), 400, CLOSES),
    "absolute form of another scheme": (get(b"file:///etc/passwd"), 400, CLOSES),
    "authority form": (get(b"x:443", b"CONNECT"), 405, STAYS),
    "authority form with GET": (get(b"x:443"), 400, CLOSES),
    "asterisk": (get(b"*", b"OPTIONS"), 405, STAYS),
    "asterisk with GET": (get(b"*"), 400, CLOSES),
    # -- fields (5) --------------------------------------------------------------------------
    "empty value": (field(b"A:\r\n"), 200, STAYS),
    "octets above 127 in a value": (field("A: ü\r\n".encode()), 200, STAYS),
    "space before the colon": (field(b"A : b\r\n"), 400, CLOSES),
    "tab before the colon": (field(b"A\t: b\r\n"), 400, CLOSES),
    "space in a name": (field(b"A B: c\r\n"), 400, CLOSES),
    "no name": (field(b": b\r\n"), 400, CLOSES),
    "no colon": (field(b"A\r\n"), 400, CLOSES),
    "folded value": (field(b"A: b\r\n c\r\n"), 400, CLOSES),
    "folded by a tab": (field(b"A: b\r\n\tc\r\n"), 400, CLOSES),
    "folded to nothing": (field(b"A: b\r\n \r\n"), 400, CLOSES),
    "first field folded": (b"GET /health HTTP/1.1\r\n Host: x\r\n\r\n", 400, CLOSES),
    "NUL in a name": (field(b"A\0: b\r\n"), 400, CLOSES),
    "NUL in a value": (field(b"A: b\0\r\n"), 400, CLOSES),
    "control character in a value": (field(b"A: b\x01\r\n"), 400, CLOSES),
    "DEL in a value": (field(b"A: b\x7f\r\n"), 400, CLOSES),
    "CR in a value": (field(b"A: b\rc\r\n"), 400, CLOSES),
    "LF in a value": (field(b"A: b\nTransfer-Encoding: chunked\r\n"), 400, CLOSES),
    "CR CR LF": (field(b"A: b\r\r\n"), 400, CLOSES),
    "UTF-8 in a name": (field("Ä: b\r\n".encode()), 400, CLOSES),
    "100 fields": (field(b"A: b\r\n" * 99), 200, STAYS),
    "101 fields": (field(b"A: b\r\n" * 100), 431, CLOSES),
    "one large field": (field(b"A: " + b"b" * 20000 + b"\r\n"), 431, CLOSES),
    "an endless name": (b"GET /health HTTP/1.1\r\n" + b"a" * 60000, 431, CLOSES),
    "Content-Type twice": (post(fields=b"Content-Type: text/xml\r\n"), 400, CLOSES),
    "Content-Encoding twice": (post(fields=b"Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n"), 400, CLOSES),
    "SOAPAction twice": (post(fields=b"SOAPAction: a\r\nsoapaction: b\r\n"), 400, CLOSES),
    "close among other options": (field(b"Connection: te, close\r\n"), 200, CLOSES),
    "close in a second field": (field(b"Connection: keep-alive\r\nConnection: close\r\n"), 200, CLOSES),
    "upgrade to h2c": (field(b"Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"), 200, STAYS),
    # -- Host (3.2) --------------------------------------------------------------------------
    "host": (host(b" localhost:8443"), 200, STAYS),
    "host as address": (host(b" 127.0.0.1"), 200, STAYS),
    "host as IPv6 address": (host(b" [::1]:8443"), 200, STAYS),
    "host with empty port": (host(b" localhost:"), 200, STAYS),
    "no host": (b"GET /health HTTP/1.1\r\n\r\n", 400, CLOSES),
    "two hosts": (host(b" x\r\nHost: x"), 400, CLOSES),
    "two hosts in HTTP/1.0": (host(b" x\r\nHost: x").replace(b"1.1", b"1.0"), 400, CLOSES),
    "empty host": (host(b""), 400, CLOSES),
    "host list": (host(b" x, y"), 400, CLOSES),
    "host with path": (host(b" x/y"), 400, CLOSES),
    "host with user": (host(b" u@x"), 400, CLOSES),
    "host with markup": (host(b" <x>"), 400, CLOSES),
    "host with a port out of range": (host(b" x:99999"), 400, CLOSES),
    "host with a port that is none": (host(b" x:y"), 400, CLOSES),
    "host with a bad IPv6 address": (host(b" [::g]"), 400, CLOSES),
    "host with IPv6 not closed": (host(b" [::1"), 400, CLOSES),
    "host in UTF-8": (host(" ü".encode()), 400, CLOSES),
    # -- methods and paths -------------------------------------------------------------------
    "WSDL": (get(b"/services/aggregation?wsdl"), 200, STAYS),
    "schema": (get(b"/services/aggregation?xsd=aggregation.xsd"), 200, STAYS),
    "query unknown": (get(b"/services/aggregation?x"), 404, STAYS),
    "no query": (get(b"/services/aggregation"), 404, STAYS),
    "schema outside": (get(b"/services/aggregation?xsd=../../../etc/passwd"), 404, STAYS),
    "schema absolute": (get(b"/services/aggregation?xsd=/etc/passwd"), 404, STAYS),
    "schema with NUL": (get(b"/services/aggregation?xsd=aggregation.xsd%00"), 404, STAYS),
    "unknown path": (get(b"/etc/passwd"), 404, STAYS),
    "path above": (get(b"/services/../services/aggregation?wsdl"), 404, STAYS),
    "path above, encoded": (get(b"/%2e%2e/%2e%2e/etc/passwd"), 404, STAYS),
    "path encoded": (get(b"/services/aggregatio%6e?wsdl"), 404, STAYS),
    "path with double slash": (get(b"//services/aggregation?wsdl"), 404, STAYS),
    "path with slash behind": (get(b"/services/aggregation/?wsdl"), 404, STAYS),
    "path in capitals": (get(b"/SERVICES/AGGREGATION?wsdl"), 404, STAYS),
    "percent without digits": (get(b"/%zz"), 404, STAYS),
    "POST elsewhere": (post().replace(b"/services/aggregation", b"/other"), 404, CLOSES),
    "POST to health": (post().replace(b"/services/aggregation", b"/health"), 405, CLOSES),
    **{f"{method} is no method for it": (get(b"/services/aggregation", method.encode()), 405, STAYS)
       for method in ("OPTIONS", "TRACE", "PUT", "DELETE", "PATCH", "PROPFIND", "post", "FOO", "CONNECT")},
    "PUT with a body": (get(b"/services/aggregation", b"PUT", b"Content-Length: 4\r\n") + b"<a/>" + AFTER, 405, CLOSES),
    "GET with a body": (get(b"/health", fields=b"Content-Length: 4\r\n") + b"<a/>" + AFTER, 200, CLOSES),
    "POST without a length": (HEAD + b"\r\n", ASKED, STAYS),
    # -- Expect (RFC 9110 section 10.1.1) -----------------------------------------------------
    "unknown expectation": (post(fields=b"Expect: tea\r\n"), 417, CLOSES),
    "100-continue and another": (post(fields=b"Expect: 100-continue, tea\r\n"), 417, CLOSES),
    "100-continue and the body at once": (post(fields=b"Expect: 100-Continue\r\n"), ASKED, STAYS),
    "expectation of HTTP/1.0": (post(fields=b"Expect: 100-continue\r\n").replace(b"1.1", b"1.0"), ASKED, CLOSES),
    # -- media types and codings ---------------------------------------------------------------
    **{f"content type {name}": (post().replace(b"Content-Type: text/xml", b"Content-Type: " + value), status, STAYS)
       for name, value, status in (
           ("of SOAP 1.1 with charset", b"text/xml; charset=utf-8", ASKED),
           ("with quoted charset", b'text/xml;charset="UTF-8"', ASKED),
           ("in capitals", b"TEXT/XML", ASKED),
           ("of SOAP 1.2", b"application/soap+xml", 400),
           ("with charset twice", b"text/xml; charset=utf-8; charset=utf-16", 415),
           ("with charset twice, equal", b"text/xml; charset=utf-8; charset=utf-8", 415),
           ("empty", b"", 415),
           ("application/xml", b"application/xml", 415),
           ("plain", b"text/plain", 415),
           ("JSON", b"application/json", 415),
           ("form", b"application/x-www-form-urlencoded", 415),
           ("MTOM", b'multipart/related; type="application/xop+xml"; boundary=x', 415),
           ("malformed", b"text/xml charset=utf-8", 415),
           ("with a space about =", b"text/xml; charset = utf-8", 415),
           ("list", b"text/xml, text/plain", 415),
           ("quote not closed", b'text/xml; charset="utf-8', 415))},
    "no content type": (post().replace(b"Content-Type: text/xml\r\n", b""), 415, STAYS),
    **{f"content coding {value.decode() or 'empty'}": (post(fields=b"Content-Encoding: " + value + b"\r\n"), status, STAYS)
       for value, status in ((b"identity", ASKED), (b"", ASKED), (b"deflate", 415), (b"br", 415), (b"zstd", 415),
                             (b"compress", 415), (b"gzip, gzip", 415), (b"gzip, identity", 415),
                             (b"identity, gzip", 415), (b"cow", 415))},
    # -- pipelining ------------------------------------------------------------------------------
    "a body that holds a request": (post(AFTER), ASKED, STAYS),
}


class Answer:
    def __init__(self, octets):
        head, _, rest = octets.partition(b"\r\n\r\n")
        lines = head.decode("ascii").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 (\d{3}) [A-Za-z ]+", lines[0])
        self.status = int(match.group(1)) if match else 0
        self.fields = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
        size = int(self.fields.get("Content-Length", 0))
        self.body, self.rest = rest[:size], rest[size:]
        self.whole = bool(octets) and len(rest) >= size


class FrontTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.district = cls.enterClassContext(district.District())

    def connect(self, source=None, timeout=10):
        raw = socket.create_connection(("localhost", self.district.port), timeout=timeout,
                                       source_address=(source, 0) if source else None)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.district.tls().wrap_socket(raw, server_hostname="localhost")

    def read(self, connection, pending=b""):
        """The next answer, or None where the connection ends before."""
        while True:
            if b"\r\n\r\n" in pending:
                answer = Answer(pending)
                if answer.whole:
                    return answer
            try:
                more = connection.recv(65536)
            except OSError:
                more = b""
            if not more:
                return None
            pending += more

    def exchange(self, octets, source=None):
        """(first answer, whether the connection ended after it)"""
        with contextlib.closing(self.connect(source)) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(octets)
            answer = self.read(connection)
            if answer is None:
                return None, True
            if answer.fields.get("Connection") == "close":
                return answer, not answer.rest and self.read(connection) is None
            connection.sendall(AFTER)
            after = self.read(connection, answer.rest)
            return answer, after is None or after.body != b"ok\n"

    def check_case(self, name):
        octets, status, closes = CASES[name]
        answer, ended = self.exchange(octets)
        if answer is None:
            return f"{name}: no answer"
        if answer.status != status:
            return f"{name}: {answer.status} instead of {status}"
        if ended != closes:
            return f"{name}: the connection {'ends' if ended else 'stays'}"
        if "Server" in answer.fields or "Date" not in answer.fields:
            return f"{name}: fields {answer.fields}"
        if answer.status == 405 and answer.fields.get("Allow") not in ("GET, HEAD, POST", "GET, HEAD"):
            return f"{name}: no Allow"
        for leak in (b"script", b"passwd", b"other.example", b"/src/", b"boost", b"beast", b"OpenSSL"):
            if leak in answer.body:
                return f"{name}: {leak} in {answer.body}"
        return None

    def test_each_case(self):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            wrong = [text for text in pool.map(self.check_case, CASES) if text]
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))

    def test_octet_by_octet_it_is_the_same(self):
        for name in ("chunk extensions", "trailer fields", "one empty line before", "folded value",
                     "HTTP/2.0", "host as IPv6 address", "length"):
            octets, status, _ = CASES[name]
            with self.subTest(name), contextlib.closing(self.connect()) as connection:
                for octet in octets:
                    try:
                        connection.sendall(bytes((octet,)))
                    except OSError:
                        break
                self.assertEqual(self.read(connection).status, status)

    def test_refused_codings_are_named_and_media_types_are_not_confused_with_them(self):
        answer, _ = self.exchange(post(fields=b"Content-Encoding: br\r\n"))
        self.assertEqual(answer.fields.get("Accept-Encoding"), "gzip")
        answer, _ = self.exchange(post().replace(b"text/xml", b"text/plain"))
        self.assertNotIn("Accept-Encoding", answer.fields)

    def test_head_is_get_without_the_body(self):
        for target, status in ((b"/health", 200), (b"/services/aggregation?wsdl", 200), (b"/nowhere", 404),
                               (b"/services/aggregation?nothing", 404)):
            with self.subTest(target), contextlib.closing(self.connect()) as connection:
                connection.sendall(get(target, b"HEAD") + AFTER)
                seen = b""
                while not seen.endswith(b"ok\n"):
                    more = connection.recv(65536)
                    self.assertTrue(more, seen)
                    seen += more
                self.assertTrue(seen.startswith(b"HTTP/1.1 %d " % status), seen)
                self.assertRegex(seen, rb"\r\n\r\nHTTP/1\.1 200 OK\r\n")

    def test_pipelined_requests_are_answered_in_order(self):
        with contextlib.closing(self.connect()) as connection:
            connection.sendall(AFTER + post() + get(b"/nowhere") + post(b"<b/>") + AFTER)
            pending, statuses = b"", []
            for _ in range(5):
                answer = self.read(connection, pending)
                statuses.append(answer.status)
                pending = answer.rest
            self.assertEqual(statuses, [200, 500, 404, 500, 200])

    def test_what_is_pipelined_behind_a_refusal_is_not_done(self):
        before = self.district.log.read_text().count("envelope_rejected")
        answer, ended = self.exchange(length(b" +4") + b"<a/>" + post())
        self.assertEqual((answer.status, ended), (400, True))
        self.assertEqual(self.district.log.read_text().count("envelope_rejected"), before)

    def test_100_continue_is_sent_when_the_body_is_wanted_and_only_then(self):
        with contextlib.closing(self.connect()) as connection:
            connection.sendall(HEAD + b"Content-Length: 4\r\nExpect: 100-continue\r\n\r\n")
            self.assertEqual(connection.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.sendall(b"<a/>")
            self.assertEqual(self.read(connection).status, ASKED)
        for octets, status in ((length(b" 999999999"), 413), (CASES["unknown path"][0], 404),
                               (length(b" 4").replace(b"text/xml", b"text/plain"), 415),
                               (length(b" 4\r\nContent-Encoding: br"), 415), (length(b" 4\r\nSOAPAction: urn:x"), ASKED)):
            octets = octets[:-2] + b"Expect: 100-continue\r\n\r\n"
            with self.subTest(status), contextlib.closing(self.connect()) as connection:
                connection.sendall(octets)
                self.assertEqual(self.read(connection).status, status)

    def test_who_is_refused_while_sending_can_read_the_answer(self):
        """RFC 9112 section 9.6: the connection is not reset under the answer."""
        body = b"x" * (8 << 20)
        for octets, status in ((length(b" 999999999") + body, 413), (b"GET /\0" + body, 400),
                               (post(body).replace(b"/services", b"/other"), 404)):
            with self.subTest(status), contextlib.closing(self.connect()) as connection:
                connection.sendall(octets)  # all of it before anything is read
                answer = self.read(connection)
                self.assertIsNotNone(answer)
                self.assertEqual(answer.status, status)

    def test_good_envelopes_come_through_in_every_framing(self):
        def send(octets):
            answer, _ = self.exchange(octets)
            self.assertEqual(answer.status, 200, answer.body)
        envelopes = [sign(self.district, "20", BARCELONA) for _ in range(5)]
        def head(fields):
            return (LINE + b"Host: localhost\r\nContent-Type: text/xml; charset=utf-8\r\n"
                    b'SOAPAction: "' + district.ACTION.encode() + b'"\r\n' + fields + b"\r\n")
        def whole(body, fields=b""):
            return head(fields + b"Content-Length: %d\r\n" % len(body)) + body
        send(whole(envelopes[0]))
        send(whole(gzip.compress(envelopes[1]), b"Content-Encoding: gzip\r\n"))
        send(whole(envelopes[2], b"Content-Encoding: Identity\r\n"))
        parts = b"".join(b"%x;n=1\r\n%c\r\n" % (1, octet) for octet in envelopes[3][:50])
        rest = envelopes[3][50:]
        send(head(b"Transfer-Encoding: chunked\r\n") + parts + b"%X\r\n" % len(rest) + rest + b"\r\n" + END)
        packed = gzip.compress(envelopes[4])
        send(head(b"Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n") +
             b"%x\r\n" % len(packed) + packed + b"\r\n" + END)

    def test_gzip_that_is_no_single_whole_member_is_refused(self):
        packed = gzip.compress(b"<a/>")
        bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
        bombed = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(600)) + bomb.flush()
        cases = {"two members": packed + packed, "garbage behind": packed + b"x", "zeros behind": packed + bytes(8),
                 "cut off": packed[:-1], "without trailer": packed[:-8], "head only": packed[:10],
                 "wrong checksum": packed[:-8] + b"\0\0\0\0" + packed[-4:],
                 "wrong size": packed[:-4] + b"\5\0\0\0", "raw deflate": zlib.compress(b"<a/>")[2:-4],
                 "zlib": zlib.compress(b"<a/>"), "not gzip": b"<a/>", "nothing": b"",
                 "gzip in gzip": gzip.compress(packed), "bomb": bombed}
        for name, body in cases.items():
            with self.subTest(name):
                answer, _ = self.exchange(post(body, b"Content-Encoding: gzip\r\n"))
                self.assertIn(answer.status, (500, 413) if name == "bomb" else (500,))
                self.assertIn(b"soap:Client", answer.body.replace(b"SOAP-ENV:", b"soap:"))

    def test_plaintext_on_the_tls_port_learns_nothing(self):
        with socket.create_connection(("localhost", self.district.port), timeout=10) as plain:
            plain.sendall(AFTER)
            seen = b""
            with contextlib.suppress(ConnectionResetError):
                while more := plain.recv(4096):
                    seen += more
            self.assertNotIn(b"HTTP", seen)
            self.assertLess(len(seen), 16)  # an alert at most

    def test_each_refusal_names_its_rule_and_leaves_a_line(self):
        source = "127.0.3.1"  # who has not been refused yet: each peer has so many lines a minute
        for name, rule in (("length twice, equal", "Content-Length twice"),
                           ("length list, equal", "Content-Length with more than one value"),
                           ("gzip then chunked", "a Transfer-Encoding other than chunked"),
                           ("no host", "no Host"), ("lines end with LF", "the request line does not end with HTTP/1.1 and CR LF"),
                           ("trailer with a length", "a trailer field is malformed, too long or one that must not be there"),
                           ("SOAPAction twice", "SOAPAction twice")):
            with self.subTest(name):
                answer, _ = self.exchange(CASES[name][0], source)
                self.assertTrue(answer.body.decode().startswith(f"bad request: {rule}"), answer.body)
                # The path is known unless the request line or the end of the head is at fault.
                path = '(""|/services/aggregation)'
                self.wait_for_log(f'event=request_refused peer={source} status=400 path=', path,
                                  re.escape(f' detail="{rule}'))
        for octets, line in ((get(b"/nowhere?key=secret"), 'status=404 path=/nowhere detail="there is nothing at this path"'),
                             (get(b"/health", b"DELETE"), 'status=405 path=/health detail="this path takes GET, HEAD"'),
                             (CASES["one large field"][0], 'status=431 path="" detail="the head is larger than'),
                             (CASES["unknown expectation"][0], "status=417 path=/services/aggregation ")):
            with self.subTest(line):
                self.exchange(octets, source)
                self.wait_for_log(f"event=request_refused peer={source} {line}")
        self.assertNotIn("secret", self.district.log.read_text())

    def wait_for_log(self, text, *patterns):
        deadline = time.monotonic() + 10
        pattern = re.escape(text) + "".join(patterns)
        while not re.search(pattern, self.district.log.read_text()):
            self.assertLess(time.monotonic(), deadline, pattern)
            time.sleep(0.05)

    def test_500_slow_clients_stop_nobody(self):
        """Each within its caps, silent or dripping in another phase; a good client is served at once."""
        slow = []
        try:
            for i in range(500):
                source = f"127.0.1.{1 + i % 10}"
                if i % 4 == 0:  # no handshake
                    slow.append(socket.create_connection(("127.0.0.1", self.district.port), timeout=10,
                                                         source_address=(source, 0)))
                    continue
                connection = self.connect(source)
                slow.append(connection)
                connection.sendall((b"", LINE + b"Host: ", length(b" 1000000"), chunked(b"5\r\nx"))[i % 4])
            taken = []
            for _ in range(20):
                begin = time.monotonic()
                answer, _ = self.exchange(post())
                taken.append(time.monotonic() - begin)
                self.assertEqual(answer.status, ASKED)
                for connection in slow[1::4][:50]:
                    with contextlib.suppress(OSError):
                        connection.sendall(b"a")
            self.assertLess(max(taken), 2, taken)
        finally:
            for connection in slow:
                connection.close()

    def test_connections_of_one_peer_are_counted(self):
        with contextlib.ExitStack() as stack:
            def open_one(source):
                plain = stack.enter_context(socket.create_connection(
                    ("127.0.0.1", self.district.port), timeout=5, source_address=(source, 0)))
                return plain
            held = [open_one("127.0.2.1") for _ in range(64)]
            refused = [open_one("127.0.2.1") for _ in range(3)]
            for plain in refused:
                with contextlib.suppress(ConnectionResetError):
                    self.assertEqual(plain.recv(1), b"")
            other = stack.enter_context(contextlib.closing(self.connect("127.0.2.2")))
            other.sendall(AFTER)
            self.assertEqual(self.read(other).status, 200)
            held.pop().close()
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline:
                with contextlib.suppress(OSError), contextlib.closing(self.connect("127.0.2.1")) as again:
                    again.sendall(AFTER)
                    if self.read(again):
                        return
            self.fail("a place that was given back is not free")


if __name__ == "__main__":
    district.main()
