"""Takes people out of review reports: their folder, their page, and every other page that speaks of them.

The folder and the page are removed. From pages about everybody, the parts about them are cut: entries of the JSON in
script elements, and HTML elements that carry the id. A page that still mentions them afterwards is removed whole,
because a page can be written again from the records and a face cannot be unseen.
"""

import html
import json
import os
import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from tasks.retention.mentions import Finder, Mentioned, Mentions
from tasks.vault.files import TRIES, replace_file, take_away

_SCRIPT = re.compile(r"(<script\b[^>]*application/json[^>]*>)(.*?)(</script>)", re.S | re.I)
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_TEXT = {".html", ".json", ".js", ".csv", ".txt", ".xml", ".svg", ".md"}
_CUTTABLE = {"article", "li", "tr", "section", "figure", "option", "a", "div", "p", "td"}
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@dataclass(frozen=True)
class PagesCleared:
    """What was done, and which batches' reports changed."""

    removed: int
    rewritten: int
    batches: tuple[str, ...]
    residue: int  # files that still mention somebody; always 0 unless the disk refused


def clear_pages(reports: Path, people: Sequence[Mentioned]) -> PagesCleared:
    """Take these people out of every report below this folder, and look again."""
    if not reports.is_dir():
        return PagesCleared(0, 0, (), 0)
    ids = {person.id for person in people}
    mentions = Mentions(people)
    removed = rewritten = 0
    batches = set()
    for path in list(_files(reports)):
        relative = path.relative_to(reports)
        if ids & set(_name_parts(relative)):
            removed += _remove(path)
        elif _is_text(path) and speaks_of(text := _read(path), mentions):
            cut = cut_mentions(text, mentions, path.suffix)
            if cut is None:
                removed += _remove(path)
            else:
                _put(path, cut.encode())
                rewritten += 1
        else:
            continue
        batches.add(relative.parts[0])
    for folder in reports.glob("*/people/*"):
        if folder.name in ids and folder.is_dir():
            take_away(folder)
    residue = sum(1 for path in _files(reports) if _is_about(path, reports, ids, mentions))
    return PagesCleared(removed, rewritten, tuple(sorted(batches)), residue)


def remove_pictures(reports: Path, people: Iterable[str]) -> tuple[str, ...]:
    """Remove the picture folders of these people (their photos' time is up); the batches concerned."""
    batches = set()
    for employee_id in people:
        for folder in reports.glob(f"*/people/{employee_id}"):
            take_away(folder)
            batches.add(folder.parent.parent.name)
    return tuple(sorted(batches))


def cut_mentions(text: str, mentions: Finder, suffix: str) -> str | None:
    """The text without the parts that mention somebody; None when that did not work and the file has to go."""
    if suffix == ".json":
        try:
            left = _prune(json.loads(text), mentions)
        except ValueError:
            return None
        cut = json.dumps(left, ensure_ascii=False)
    elif suffix == ".html":
        cut = _SCRIPT.sub(lambda match: match[1] + _prune_script(match[2], mentions) + match[3], text)
        cut = _cut_elements(cut, mentions)
    else:
        return None
    return None if speaks_of(cut, mentions) else cut


def _prune_script(text: str, mentions: Finder) -> str:
    if not speaks_of(text, mentions):
        return text
    try:
        left = json.dumps(_prune(json.loads(text), mentions), ensure_ascii=False)
    except ValueError:
        return "null"
    for sign in "<>&\u2028\u2029":
        left = left.replace(sign, f"\\u{ord(sign):04x}")
    return left


def _prune(value: Any, mentions: Finder) -> Any:
    """Drop the list entries and dictionary entries that mention somebody; blank what stands alone."""
    if isinstance(value, list):
        kept = [entry for entry in value if not _names_directly(entry, mentions)]
        return [_prune(entry, mentions) for entry in kept]
    if isinstance(value, dict):
        return {key: _prune(entry, mentions) for key, entry in value.items() if not mentions.search(key)}
    return "" if isinstance(value, str) and mentions.search(value) else value


def _names_directly(entry: Any, mentions: Finder) -> bool:
    """Whether an entry is about somebody: it says so itself, not in a list further down."""
    if isinstance(entry, dict):
        return any(isinstance(value, str) and mentions.search(value) for value in entry.values())
    if isinstance(entry, list):
        return any(isinstance(value, str) and mentions.search(value) for value in entry)
    return isinstance(entry, str) and bool(mentions.search(entry))


class _Elements(HTMLParser):
    """Notes the smallest elements that can be cut and that mention somebody, as positions in the text."""

    def __init__(self, text: str, mentions: Finder) -> None:
        super().__init__(convert_charrefs=False)
        self._text = text
        self._lines = [0]  # where each line begins; the parser counts lines by \n alone
        for line in text.split("\n"):
            self._lines.append(self._lines[-1] + len(line) + 1)
        self._mentions = mentions
        self._open: list[tuple[str, int]] = []
        self.spans: list[tuple[int, int]] = []
        self.feed(text)

    def _here(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self._open.append((tag, self._here()))

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            name, begin = self._open.pop()
            if name in _CUTTABLE:
                self._weigh(begin, self._text.index(">", self._here()) + 1)
            if name == tag:
                return

    def _weigh(self, begin: int, finish: int) -> None:
        """Mark this element when, apart from what is marked inside it, it still mentions somebody."""
        # Elements close from the inside out, so the marks inside this one are the last ones of an ordered list: a wall
        # of ten thousand cards is cut without comparing every card with every other.
        inside = bisect_left(self.spans, (begin, 0))
        if speaks_of(_without_spans(self._text, begin, finish, self.spans[inside:]), self._mentions):
            self.spans[inside:] = [(begin, finish)]


def _cut_elements(text: str, mentions: Finder) -> str:
    return _without_spans(text, 0, len(text), _Elements(text, mentions).spans)


def _without_spans(text: str, begin: int, finish: int, spans: list[tuple[int, int]]) -> str:
    kept = []
    for start, end in spans:
        kept.append(text[begin:start])
        begin = end
    return "".join((*kept, text[begin:finish]))


def speaks_of(text: str, mentions: Finder) -> bool:
    """Whether the text mentions somebody, as it stands or in the escapes of JSON and HTML."""
    if mentions.search(text):
        return True
    plain = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text).replace('\\"', '"')
    plain = html.unescape(plain)
    return plain != text and bool(mentions.search(plain))


def _name_parts(path: Path) -> list[str]:
    return [re.split(r"[.\-_]", part.lstrip("."))[0] for part in path.parts]


def _is_text(path: Path) -> bool:
    """Also while it is still being written, or was when its writer was killed (`.index.html.3f2a.part`)."""
    return not _TEXT.isdisjoint(path.suffixes)


def _is_about(path: Path, reports: Path, ids: set[str], mentions: Finder) -> bool:
    if ids & set(_name_parts(path.relative_to(reports))):
        return True
    return _is_text(path) and speaks_of(_read(path), mentions)


def _files(folder: Path) -> Iterable[Path]:
    for base, _, names in os.walk(folder):
        for name in names:
            yield Path(base) / name


def _put(path: Path, data: bytes) -> None:
    """Replaces a page. Who writes the report beside us clears away what is half-written there: then once more."""
    for left in reversed(range(TRIES)):
        try:
            replace_file(path, data)
            return
        except FileNotFoundError:
            if not left:
                raise


def _read(path: Path) -> str:
    """The file as it is, line ends and all; nothing of one that is gone since it was listed: a report is written beside
    us, and its half-written pages come and go."""
    try:
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _remove(path: Path) -> int:
    path.unlink(missing_ok=True)
    return 1
