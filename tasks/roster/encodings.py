"""Bytes into text, by a fixed order of encodings and no statistics: a guess turns Núñez into Núńez.

What was asked for, byte order marks, UTF-8, then Windows-1252. A file in UTF-8 with single lines of another program is
read line by line, and those lines are named, so that somebody looks at their names.
"""

from __future__ import annotations

import codecs

from tasks.roster.rows import UnreadableTable


def decode(data: bytes, encoding: str | None = None) -> tuple[str, str, frozenset[int]]:
    """The text, the encoding's name, and the lines (from 0) that were not in it."""
    if encoding:
        try:
            return data.decode(encoding).removeprefix("\ufeff"), encoding, frozenset()
        except (UnicodeDecodeError, LookupError) as error:
            raise UnreadableTable("encoding", "table.not_this_encoding", encoding=encoding) from error
    for mark, codec in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(codec), codec, frozenset()
            except UnicodeDecodeError as error:
                raise UnreadableTable("encoding", "table.cut_off", codec=codec) from error
    marked = data.startswith(codecs.BOM_UTF8)
    if b"\x00" in data and not marked:
        raise UnreadableTable("encoding", "table.zero_bytes")
    body = data.removeprefix(codecs.BOM_UTF8)
    name = "utf-8-sig" if marked else "utf-8"
    try:
        return body.decode("utf-8"), name, frozenset()
    except UnicodeDecodeError:
        pass_on = _line_by_line(body, required=marked)
    if pass_on is not None:
        return pass_on[0], name, pass_on[1]
    try:
        return body.decode("cp1252"), "cp1252", frozenset()
    except UnicodeDecodeError:
        raise UnreadableTable("encoding", "table.no_encoding") from None


def _line_by_line(data: bytes, *, required: bool) -> tuple[str, frozenset[int]] | None:
    """A file in UTF-8 of which some lines are not; None where no line shows that it is UTF-8 at all."""
    lines: list[str] = []
    others: set[int] = set()
    proofs = 0
    for at, line in enumerate(data.split(b"\n")):
        try:
            lines.append(line.decode("utf-8"))
            proofs += not line.isascii()
        except UnicodeDecodeError:
            lines.append(line.decode("cp1252", "replace"))
            others.add(at)
    return ("\n".join(lines), frozenset(others)) if required or proofs else None
