"""Exclusive and inclusive XML canonicalisation over minidom: small, slow, and independent of
libxml2, so that a vector does not share its mistakes with the program that it tests.

Source: Exclusive XML Canonicalization 1.0; Canonical XML 1.0; WSS 1.1.1 section 8.3.
"""
from xml.dom import Node

XMLNS = "http://www.w3.org/2000/xmlns/"
XML = "http://www.w3.org/XML/1998/namespace"


def escape_text(text):
    return (text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            .replace("\r", "&#xD;"))


def escape_attribute(text):
    return (text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
            .replace("\t", "&#x9;").replace("\n", "&#xA;").replace("\r", "&#xD;"))


def declarations(element):
    found = {}
    for attribute in element.attributes.values():
        if attribute.namespaceURI == XMLNS:
            found["" if attribute.name == "xmlns" else attribute.localName] = attribute.value or ""
    return found


def scope_of(element):
    """Prefixes bound by the ancestors of the element."""
    chain = []
    node = element.parentNode
    while node is not None and node.nodeType == Node.ELEMENT_NODE:
        chain.append(node)
        node = node.parentNode
    bound = {}
    for ancestor in reversed(chain):
        bound.update(declarations(ancestor))
    return bound


class Writer:
    def __init__(self, prefixes=(), inclusive=False, comments=False, omit=None):
        self.prefixes = ["" if p == "#default" else p for p in prefixes]
        self.inclusive = inclusive
        self.comments = comments
        self.omit = omit
        self.parts = []

    def used(self, element, attributes, bound):
        if self.inclusive:
            return [p for p in bound if p != "xml"]
        names = {element.prefix or ""}
        names.update(a.prefix for a in attributes if a.prefix and a.prefix != "xml")
        names.update(p for p in self.prefixes if p in bound)
        return names - {"xml"}

    def element(self, element, bound, rendered):
        bound = {**bound, **declarations(element)}
        rendered = dict(rendered)
        attributes = [a for a in element.attributes.values() if a.namespaceURI != XMLNS]
        out = ["<", element.nodeName]
        for prefix in sorted(self.used(element, attributes, bound)):
            uri = bound.get(prefix, "")
            if rendered.get(prefix, "") == uri:
                continue
            rendered[prefix] = uri
            out.append(f' xmlns{":" if prefix else ""}{prefix}="{escape_attribute(uri)}"')
        for a in sorted(attributes, key=lambda a: (a.namespaceURI or "", a.localName or a.name)):
            out.append(f' {a.nodeName}="{escape_attribute(a.value)}"')
        self.parts.append("".join(out) + ">")
        for child in element.childNodes:
            self.node(child, bound, rendered)
        self.parts.append(f"</{element.nodeName}>")

    def node(self, node, bound, rendered):
        if node is self.omit:
            return
        if node.nodeType == Node.ELEMENT_NODE:
            self.element(node, bound, rendered)
        elif node.nodeType in (Node.TEXT_NODE, Node.CDATA_SECTION_NODE):
            self.parts.append(escape_text(node.data))
        elif node.nodeType == Node.COMMENT_NODE and self.comments:
            self.parts.append(f"<!--{node.data}-->")


def canonical(element, **options):
    writer = Writer(**options)
    writer.element(element, scope_of(element), {})
    return "".join(writer.parts).encode("utf-8")


def canonical_token(token, prefixes=()):
    """The octets that STR-Transform puts in place of a reference to the token: its apex always
    declares the default namespace."""
    text = canonical(token, prefixes=prefixes).decode("utf-8")
    tag, rest = text.split(">", 1)
    if " xmlns=" not in tag:
        name, blank, attributes = tag.partition(" ")
        tag = name + ' xmlns=""' + blank + attributes
    return (tag + ">" + rest).encode("utf-8")
