"""The spellings software writes a word in, and whether a word that was found there stands alone.

`EMP-10` stands in `EMP-100`, and `anna.li@x.example` in `joanna.li@x.example`: neither is a trace of the shorter one.
So a word counts where no letter and no digit touches it, in whatever spelling it and its neighbours are written.
"""

import base64
import binascii
import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import quote, quote_plus

_SHORTEST = 4  # bytes; anything shorter is found everywhere
_NEAR = 12  # bytes looked at on either side
_BASE64 = re.compile(rb"[A-Za-z0-9+/\-_]*\Z")
_BASE64_ON = re.compile(rb"[A-Za-z0-9+/\-_]*")


class Spelled(NamedTuple):
    """One way to write one needle."""

    written: bytes
    spelling: str
    needle: int  # its place in the list that was looked for
    word: bool  # a word counts where it stands alone; bytes (a photo, a key) wherever they are
    raw: bytes  # the word in UTF-8


Spellings = tuple[Spelled, ...]


def spellings(needles: Iterable[str | bytes]) -> Spellings:
    """Every way these may be written: plain, UTF-16, escaped for JSON, HTML and URLs, hex, base64 at any offset."""
    found: dict[tuple[bytes, int], Spelled] = {}
    for number, needle in enumerate(needles):
        raw = needle if isinstance(needle, bytes) else needle.encode()
        for written, name in _spell(needle, raw):
            if len(written) >= _SHORTEST:
                found.setdefault((written, number), Spelled(written, name, number, isinstance(needle, str), raw))
    return tuple(found.values())


def _spell(needle: str | bytes, raw: bytes) -> Iterator[tuple[bytes, str]]:
    yield raw, "plain"
    if isinstance(needle, str):
        for name in ("latin-1", "utf-16-le", "utf-16-be"):
            try:
                yield needle.encode(name), name
            except UnicodeEncodeError:  # this spelling cannot exist
                continue
        yield json.dumps(needle)[1:-1].encode(), "json"
        yield html.escape(needle).encode(), "html"
        yield needle.encode("ascii", "xmlcharrefreplace"), "html"
        yield quote(needle, safe="").encode(), "url"
        yield quote_plus(needle).encode(), "url"
        yield needle.casefold().encode(), "lower case"
    yield raw.hex().encode(), "hex"
    yield raw.hex().upper().encode(), "hex"
    for offset, skip in ((0, 0), (1, 2), (2, 3)):
        whole = (offset + len(raw)) // 3 * 4  # characters that depend on the needle alone
        encoded = base64.b64encode(b"\0" * offset + raw)[skip:whole]
        yield encoded, "base64"
        yield encoded.replace(b"+", b"-").replace(b"/", b"_"), "base64"


def places(data: bytes, written: bytes) -> Iterator[int]:
    """Where this stands, overlapping or not."""
    start = data.find(written)
    while start >= 0:
        yield start
        start = data.find(written, start + 1)


def stands_alone(data: bytes, start: int, one: Spelled) -> bool:
    """Whether no letter and no digit touches the word that begins here, in the spelling it is written in."""
    end = start + len(one.written)
    if one.spelling == "base64":
        return _alone_in_base64(data, start, end, one.raw)
    if one.spelling == "hex":
        before, after = _unhexed(data[start - 2 : start] if start >= 2 else b""), _unhexed(data[end : end + 2])
    elif one.spelling.startswith("utf-16"):
        before = data[max(start - 2, 0) : start].decode(one.spelling, "ignore")
        after = data[end : end + 2].decode(one.spelling, "ignore")
    elif one.spelling == "latin-1":
        before, after = data[max(start - 1, 0) : start].decode("latin-1"), data[end : end + 1].decode("latin-1")
    else:
        before, after = _last_sign(data[max(start - _NEAR, 0) : start]), _first_sign(data[end : end + _NEAR])
    return not (before.isalnum() or after.isalnum())


def _last_sign(near: bytes) -> str:
    """The character that these bytes end in; an escape (`%2F`, `\\u003c`, `\\n`, `&amp;`) is the character it means."""
    if escape := re.search(rb"%([0-9A-Fa-f]{2})\Z", near):
        return chr(int(escape[1], 16))
    if escape := re.search(rb"\\u([0-9A-Fa-f]{4})\Z", near):
        return chr(int(escape[1], 16))
    if re.search(rb"(?<!\\)\\[nrtbf]\Z", near):
        return " "
    return near.decode("utf-8", "ignore")[-1:]


def _first_sign(near: bytes) -> str:
    """The character that these bytes begin with."""
    if escape := re.match(rb"%([0-9A-Fa-f]{2})|\\u([0-9A-Fa-f]{4})", near):
        return chr(int(escape[1] or escape[2], 16))
    if escape := re.match(rb"&#(\d{2,7});", near):
        return chr(min(int(escape[1]), 0x10FFFF))
    return near.decode("utf-8", "ignore")[:1]


def _unhexed(pair: bytes) -> str:
    try:
        return bytes.fromhex(pair.decode("ascii")).decode("latin-1")
    except ValueError:
        return ""


def _alone_in_base64(data: bytes, start: int, end: int, raw: bytes) -> bool:
    """Decode what stands around, at each of the four alignments, and look at the word there."""
    head = _BASE64.search(data[max(start - 2 * _NEAR, 0) : start])
    tail = _BASE64_ON.match(data[end : end + 2 * _NEAR])
    run = (head[0] if head else b"") + data[start:end] + (tail[0] if tail else b"")
    run = run.replace(b"-", b"+").replace(b"_", b"/")
    seen = False
    for skip in range(4):
        aligned = run[skip:]
        try:
            plain = base64.b64decode(aligned[: len(aligned) // 4 * 4])
        except binascii.Error:
            continue
        word = Spelled(raw, "plain", 0, True, raw)
        for place in places(plain, raw):
            seen = True
            if stands_alone(plain, place, word):
                return True
    return not seen  # cut off at its end: taken for the word
