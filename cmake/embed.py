#!/usr/bin/env python3
"""Writes files into a C++ source as a sorted table of (name, text).

usage: embed.py --namespace NS --name NAME --output FILE [--base FOLDER]... FILE...

The table is `extern const std::span<const std::pair<std::string_view, std::string_view>> NAME` in
the namespace. A file's name is its path below the FOLDER that it is in, or else its last part.
"""
import argparse
import pathlib


def literal(data: bytes) -> str:
    # Adjacent literals of at most 2,000 characters: compilers limit the length of one.
    pieces = []
    for start in range(0, len(data), 1000):
        piece = "".join(f"\\{byte:03o}" if byte < 32 or byte > 126 or chr(byte) in '"\\?' else chr(byte)
                        for byte in data[start:start + 1000])
        pieces.append(f'"{piece}"')
    return "\n".join(pieces) or '""'


def name_of(file: pathlib.Path, bases: list[pathlib.Path]) -> str:
    for base in bases:
        if file.is_relative_to(base):
            return str(file.relative_to(base))
    return file.name


def main() -> None:
    parser = argparse.ArgumentParser()
    for option in ("--namespace", "--name", "--output"):
        parser.add_argument(option, required=True)
    parser.add_argument("--base", type=pathlib.Path, action="append", default=[])
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    args = parser.parse_args()
    entries = sorted((name_of(f, args.base), f.read_bytes()) for f in args.files)
    rows = "".join(f'std::pair<std::string_view, std::string_view>{{"{name}", std::string_view({literal(data)}, {len(data)})}},\n'
                   for name, data in entries)
    pathlib.Path(args.output).write_text(
        "#include <array>\n#include <span>\n#include <string_view>\n#include <utility>\n"
        f"namespace {args.namespace} {{\nnamespace {{\n"
        f"const std::array<std::pair<std::string_view, std::string_view>, {len(entries)}> kTable{{{{\n{rows}}}}};\n}}\n"
        f"extern const std::span<const std::pair<std::string_view, std::string_view>> {args.name};\n"
        f"const std::span<const std::pair<std::string_view, std::string_view>> {args.name}{{kTable}};\n}}\n")


main()
