"""Tables that call themselves XLS and are none: web pages and XML, as HR systems write them for "Export to Excel".

Read as the table they are. Only ever called in the sandbox (tables.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from xml.parsers import expat

from tasks.roster.grid import Grid, Scorer, Tables, unquoted
from tasks.roster.rows import UnreadableTable

MAX_CELLS = 3_000_000  # 100,000 people in 30 columns
WIDEST = 16_384  # columns of any spreadsheet
_SPREADSHEET = "urn:schemas-microsoft-com:office:spreadsheet"


def is_web_page(text: str) -> bool:
    """Whether the text is HTML with a table in it."""
    head = text[:4096].lstrip("\ufeff \t\r\n").lower()
    return head.startswith(("<html", "<!doctype html", "<table", "<meta", "<head", "<body", "<style", "<!--")) and (
        "<table" in text.lower()
    )


def is_xml_spreadsheet(text: str) -> bool:
    """Whether the text is an XML spreadsheet of 2003."""
    return text[:200].lstrip("\ufeff \t\r\n").startswith("<?xml") and _SPREADSHEET in text[:4096]


@dataclass
class _Sheet:
    name: str = ""
    rows: list[list[str]] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)
    shown: bool = True


class _Page(HTMLParser):
    """Collects the tables of a page. A cell over several rows stands in all of them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[_Sheet] = []
        self._open: list[_Sheet] = []
        self._cell: list[str] | None = None
        self._span = (1, 1)
        self._below: dict[int, tuple[int, str]] = {}
        self.cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._open.append(_Sheet())
            self.tables.append(self._open[-1])
            self._below = {}
        elif tag == "tr" and self._open:
            self._close_cell()
            self._open[-1].rows.append([])
            style = (dict(attrs).get("style") or "").replace(" ", "").lower()
            if "display:none" in style or "mso-height-source:userset;height:0" in style:
                self._open[-1].hidden.add(len(self._open[-1].rows) - 1)
        elif tag in ("td", "th") and self._open:
            self._close_cell()
            given = dict(attrs)
            self._span = (_small(given.get("colspan")), _small(given.get("rowspan")))
            self._cell = []
        elif tag == "br" and self._cell is not None:
            self._cell.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr"):
            self._close_cell()
            if tag == "tr" and self._open and self._open[-1].rows:
                self._from_above(self._open[-1].rows[-1])
        elif tag == "table" and self._open:
            self._close_cell()
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def _from_above(self, row: list[str]) -> None:
        """Cells of earlier rows that reach down into this one."""
        while self._below.get(len(row), (0, ""))[0] > 0:
            left, above = self._below[len(row)]
            self._below[len(row)] = (left - 1, above)
            row.append(above)

    def _close_cell(self) -> None:
        if self._cell is None or not self._open:
            return
        if not self._open[-1].rows:
            self._open[-1].rows.append([])
        row, text = self._open[-1].rows[-1], " ".join("".join(self._cell).split())
        self._cell = None
        self._from_above(row)
        across, down = self._span
        if down > 1:
            self._below[len(row)] = (down - 1, text)
        row += [text, *[""] * (across - 1)]
        self.cells += across
        if self.cells > MAX_CELLS:
            raise UnreadableTable("too_large", "table.too_many_cells")


def _small(value: str | None) -> int:
    return min(max(int(value), 1), 1000) if value and value.isdigit() else 1


def read_web_page(text: str, score: Scorer) -> Tables:
    """Every table of the page in which a header stands."""
    page = _Page()
    page.feed(text)
    page.close()
    return _tables(page.tables, "html", score)


def read_xml_spreadsheet(text: str, score: Scorer) -> Tables:
    """An XML spreadsheet of 2003. Raises UnreadableTable when it is damaged."""
    sheets: list[_Sheet] = []
    column, cell, span = 0, None, [0]

    def start(tag: str, attrs: dict[str, str]) -> None:
        nonlocal column, cell
        plain = {key.rpartition(":")[2]: value for key, value in attrs.items()}
        tag = tag.rpartition(":")[2]
        if tag == "Worksheet":
            sheets.append(_Sheet(plain.get("Name", "")))
        elif tag == "Row" and sheets:
            at = int(plain["Index"]) - 1 if plain.get("Index", "").isdigit() else len(sheets[-1].rows)
            if at > MAX_CELLS:
                raise UnreadableTable("too_large", "table.far_row")
            sheets[-1].rows += [[] for _ in range(at + 1 - len(sheets[-1].rows))]
            if plain.get("Hidden") == "1":
                sheets[-1].hidden.add(at)
            column = 0
        elif tag == "Cell" and sheets and sheets[-1].rows:
            column = int(plain["Index"]) - 1 if plain.get("Index", "").isdigit() else column
            span[0] = int(plain["MergeAcross"]) if plain.get("MergeAcross", "").isdigit() else 0
            if column >= WIDEST:
                raise UnreadableTable("too_large", "table.far_column")
        elif tag == "Data":
            cell = ""
        elif tag == "Visible" and sheets:
            sheets[-1].shown = False

    def end(tag: str) -> None:
        nonlocal column, cell
        tag = tag.rpartition(":")[2]
        if tag == "Data" and cell is not None and sheets and sheets[-1].rows:
            row = sheets[-1].rows[-1]
            row += [""] * (column + 1 - len(row))
            row[column] = cell.removesuffix("T00:00:00.000")
            cell = None
        elif tag == "Cell":
            column += 1 + span[0]

    def data(piece: str) -> None:
        nonlocal cell
        if cell is not None:
            cell += piece

    _parse_xml(text, start, end, data)
    return _tables(sheets, "xml", score)


def _parse_xml(text: str, start: Any, end: Any, data: Any) -> None:
    parser = expat.ParserCreate(encoding="utf-8")
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data

    def refuse(*_: object) -> None:
        raise UnreadableTable("workbook", "table.entities")

    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(text.lstrip("\ufeff \t\r\n").encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        raise UnreadableTable("workbook", "table.damaged_xml") from error


def _tables(sheets: list[_Sheet], kind: str, score: Scorer) -> Tables:
    grids, not_read = [], []
    for number, sheet in enumerate(sheets, 1):
        name = sheet.name or (str(number) if len(sheets) > 1 else "")
        if not sheet.shown:
            not_read.append((name, "hidden"))
        elif not any(score(row) for row in sheet.rows[:30]):
            not_read += [(name, "no_header")] if any(map(any, sheet.rows)) and name else []
        else:
            rows = [unquoted(row) for row in sheet.rows]
            lines = list(range(1, len(rows) + 1))
            grids.append(Grid(kind, "-", "-", rows, lines, name, hidden_rows=frozenset(sheet.hidden)))
    return Tables(tuple(grids), tuple(not_read))
