#!/usr/bin/python3
"""Every page that a comment, a string or another page cites by name exists, and has the section that
is cited: by number (PAGE section 4; sections 2 and 5 to 7 of PAGE), by title (PAGE, "Title"), or in the
text of a link ([section 4](PAGE#4-title)). A page is named by its path from the root of the source, or
from the citing file's folder. Citations may be broken over lines.

usage: citations_resolve.py SOURCE_FOLDER
"""
import functools
import pathlib
import re
import sys

FOLDERS = ("src", "tests", "tools", "wsdl", "xsd", "cmake", "certs", "docs")
PAGES = ("README.md", "SECURITY.md", "CONTRIBUTING.md", "CMakeLists.txt")

NUMBERS = r"\d+(?:\.\d+)*(?:(?:, +(?:and +)?| +and +| +or +| +to +)\d+(?:\.\d+)*)*"
TITLE = r"\"[^\"]+\""
PAGE = r"(?<![\w/.-])(?P<page>[\w./-]*[\w-]\.md)\b(?!\.\w)"
AFTER = re.compile(PAGE + r"(?:#[\w-]*)?(?P<closing>[`)\]\"']*)[,:;]? +"
                   rf"(?:[Ss]ections? +(?P<numbers>{NUMBERS})|(?P<titles>{TITLE}(?:(?:, +| +and +|, +and +){TITLE})*))")
BEFORE = re.compile(rf"\b[Ss]ections? +(?P<numbers>{NUMBERS}) +of +`?" + PAGE)
LINK = re.compile(r"\[[^\]\n]*\b[Ss]ections? (?P<number>\d+(?:\.\d+)*)[^\]\n]*\]\((?:[^)#\s]*\.md)?#(?P<anchor>[^)\s]+)\)")


def plain(text):
    """The same, line by line, without what is no citation or hides one."""
    text = re.sub(r"https?://[^\s)\"'>]+", "", text)
    text = re.sub(r"\[([\w.-]+\.md)\](?=\((?:[^)\s]*/)?\1[)#])", "[]", text)  # a link that is called as its page
    return text.replace('\\"', '"').replace('" / "', "/")  # the latter: paths in Python


def flat(text):
    """The same, as long, with neither line breaks nor what begins a line of a comment, and strings of
    C++ or Python that follow each other as one."""
    text = re.sub(r"(?<=[\w,.:;]) ?\"[ \t]*\n[ \t]*f?\"", lambda m: " " * len(m[0]), text)
    return re.sub(r"(?<=\S)[ \t]*\n[ \t]*(?://+|#+(?= )|--|\*(?= ))?[ \t]*(?=\S)", lambda m: " " * len(m[0]), text)


@functools.cache
def headings(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    return [heading.strip() for heading in re.findall(r"^#+ (.+)$", text, re.M)]


def numbers_of(text):
    """"2, 5 to 7" are 2, 5, 6 and 7."""
    found = []
    parts = re.findall(r"(\d+(?:\.\d+)*)( +to )?", text)
    for i, (number, until) in enumerate(parts):
        found.append(number)
        if until and "." not in number and i + 1 < len(parts) and "." not in parts[i + 1][0]:
            found += [str(n) for n in range(int(number) + 1, int(parts[i + 1][0]))]
    return found


def page_of(root, file, match):
    """From the root of the source, or from where the citing file is. Links in strings are printed into
    pages of the reference."""
    name = match["page"].lstrip("/")
    is_link = match.string[:match.start("page")].endswith("](")
    folders = [root, file.parent] + ([root / "docs/reference"] if is_link else [])
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def missing(page, numbers, titles):
    known = headings(page)
    return ([f"section {n}" for n in numbers if not any(re.match(rf"{re.escape(n)}\.? ", h) for h in known)] +
            [f'"{t}"' for t in titles if t not in {re.sub(r"^[\d.]+ ", "", h) for h in known}])


def problems(root, file, text):
    """Of the text of one file: (line, what is wrong)."""
    text = plain(text)
    one = flat(text)

    def line(at):
        return text.count("\n", 0, at) + 1

    for match in re.finditer(PAGE, one):
        if page_of(root, file, match) is None:
            yield line(match.start()), f"no {match['page']}"
    for match in [*AFTER.finditer(one), *BEFORE.finditer(one)]:
        page = page_of(root, file, match)
        titles = match.groupdict().get("titles")
        # What ends in a quote was a string, and what follows it is another one.
        if page is None or (titles and re.search("[\"')]", match["closing"])):
            continue
        titles = [" ".join(title.split()) for title in re.findall(r"\"([^\"]+)\"", titles or "")]
        for section in missing(page, numbers_of(match["numbers"] or ""), titles):
            yield line(match.start()), f"{match['page']} has no {section}"
    for match in LINK.finditer(text):
        if not re.match(match["number"].replace(".", "") + "-", match["anchor"]):
            yield line(match.start()), f"section {match['number']} is a link to #{match['anchor']}"


def files_of(root):
    for folder in FOLDERS:
        yield from (f for f in sorted((root / folder).rglob("*"))
                    if f.is_file() and "__pycache__" not in f.parts and "node_modules" not in f.parts)
    yield from (root / page for page in PAGES)


def check_itself(root):
    """That this can fail, and where it must not. "@" stands for ".md", lest it finds its own samples."""
    file = root / "src/base/error.h"
    wrong = ["// no-such-page@.", "// architecture@ \"Layout\"", "docs/reference/contract@ section 99",
             "// docs/reference/contract@\n// section 99.", "// docs/reference/contract@ section\n  // 99",
             "# sections 1 and 99 of docs/reference/contract@", "-- docs/reference/kpi-rules@ sections 14 to 17",
             "// docs/reference/errors@ \"What nobody sees\"", "// docs/reference/errors@,\n// \"What a sender\n// hears\"",
             "\"docs/reference/errors@ \\\"What nobody sees\\\"\"", "\"docs/reference/contract@ \"\n    \"section 99\"",
             "[section 3](docs/reference/contract@#4-rules-for-message-headers)", "(contract@ section 1)",
             "ROOT / \"docs\" / \"how-to\" / \"no-such-page@\""]
    right = ["docs/reference/contract@ section 1", "// docs/reference/contract@ sections 2, 3 and 5 to\n// 7.",
             "// docs/reference/errors@, \"What a\n// sender sees\"; \"Anything else\"", "[\"README@\", \"SECURITY@\"]",
             "(root / \"docs/reference/errors@\").read_text(), \"x\"", "// RFC 9162 section 99, docs/reference/errors@",
             "https://example.org/no-such-page@", "[section 3](docs/reference/contract@#3-content-types)",
             "ROOT / \"docs\" / \"reference\" / \"errors@\""]
    samples = [(text, True) for text in wrong] + [(text, False) for text in right]
    return [f"{text!r}: should {'be wrong' if expected else 'be right'}, is not" for text, expected in samples
            if bool(list(problems(root, file, text.replace("@", ".md")))) != expected]


def main():
    root = pathlib.Path(sys.argv[1])
    bad = [f"this test itself: {found}" for found in check_itself(root)]
    count = 0
    for file in files_of(root):
        try:
            text = file.read_text()
        except UnicodeDecodeError:  # no text
            continue
        count += len(re.findall(PAGE, text))
        bad += [f"{file.relative_to(root)}:{line}: {what}" for line, what in problems(root, file, text)]
    print("\n".join(bad) or f"{count} citations of pages, all resolve")
    sys.exit(1 if bad or not count else 0)


main()
