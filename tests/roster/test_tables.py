"""Tables made to hurt, or grown so by mistake: a sentence within memory and time, and the next one is read."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import psutil
import pytest

from tasks.roster import tables
from tasks.roster.columns import header_score
from tasks.roster.read import UnreadableTable, read_roster
from tasks.roster.rows import Roster
from tasks.roster.workbook_look import MAX_UNPACKED, refuse_monsters

MEMORY, SECONDS = 600 * 2**20, 20  # the promise, with what the other tests of this machine take of the clock


def workbook(sheet: bytes | None = None, strings: bytes | None = None) -> bytes:
    """A small good workbook, with parts of it replaced."""
    book = openpyxl.Workbook()
    book.active.append(["Employee ID", "Name"])
    book.active.append(["7", "Ann"])
    out, changed = io.BytesIO(), io.BytesIO()
    book.save(out)
    kind = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    link = b'<Relationship Id="rId99" Type="%s" Target="sharedStrings.xml"/></Relationships>' % kind
    with zipfile.ZipFile(out) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as made:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                content = sheet or content
            if strings is not None and entry.filename == "xl/_rels/workbook.xml.rels":
                content = content.replace(b"</Relationships>", link)
            made.writestr(entry.filename, content)
        if strings is not None:
            made.writestr("xl/sharedStrings.xml", strings)
    return changed.getvalue()


def sheet(rows: bytes) -> bytes:
    space = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return b'<?xml version="1.0"?><worksheet xmlns="%s"><sheetData>%s</sheetData></worksheet>' % (space, rows)


def head(rows: bytes) -> bytes:
    """A sheet with a header, one person, and what follows."""
    cells = (b"Employee ID", b"Name"), (b"7", b"Ann")
    lines = b""
    for number, pair in enumerate(cells, 1):
        texts = b"".join(
            b'<c r="%s%d" t="inlineStr"><is><t>%s</t></is></c>' % (column, number, text)
            for column, text in zip((b"A", b"B"), pair, strict=True)
        )
        lines += b'<row r="%d">%s</row>' % (number, texts)
    return sheet(lines + rows)


def spreadsheet_of_office(rows: bytes) -> bytes:
    """An ODS with these rows."""
    content = (
        b'<?xml version="1.0"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
        b' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
        b' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
        b'<table:table table:name="People">' + rows + b"</table:table></office:spreadsheet></office:body>"
        b"</office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        made.writestr("content.xml", content)
    return out.getvalue()


def far_office_cell() -> bytes:
    cell = b'<table:table-cell office:value-type="string"><text:p>x</text:p></table:table-cell>'
    far = b'<table:table-row table:number-rows-repeated="1048575"><table:table-cell/></table:table-row>'
    last = b'<table:table-row><table:table-cell table:number-columns-repeated="16383"/>' + cell + b"</table:table-row>"
    return spreadsheet_of_office(b"<table:table-row>" + cell + b"</table:table-row>" + far + last)


MONSTERS: dict[str, Callable[[], bytes]] = {
    "far corner": lambda: workbook(head(b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')),
    "far corner quietly": lambda: workbook(head(b'<row r="1048576"><c r="T1048576"><v>1</v></c></row>')),
    "row 999999999": lambda: workbook(head(b'<row r="999999999"><c><v>1</v></c></row>')),
    "20 million empty rows": lambda: workbook(head(b"<row/>" * 20_000_000)),
    "8 million empty strings": lambda: workbook(strings=b"<sst>" + b"<si/>" * 8_000_000 + b"</sst>"),
    "300 MiB of nothing": lambda: workbook(head(b" " * (MAX_UNPACKED + 1))),
    "far cell of another office": far_office_cell,
    "cut off": lambda: workbook()[:-400],
}  # fmt: skip


@pytest.fixture(scope="module")
def ann() -> bytes:
    return workbook()


@pytest.fixture(autouse=True)
def children_stay_small() -> Iterator[None]:
    """No child of this process that still lives has ever had more than it may; of dead ones the kernel saw to it."""
    yield
    for child in psutil.Process().children():
        try:
            status = Path(f"/proc/{child.pid}/status").read_text().splitlines()
            ours = "tasks.sandbox_child" in " ".join(child.cmdline())
        except (psutil.Error, OSError):  # it has just ended
            continue
        peaks = [int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM")]
        assert not ours or max(peaks, default=0) < MEMORY


@pytest.mark.parametrize("name", MONSTERS)
def test_a_monster_is_one_sentence_within_memory_and_time(name: str, ann: bytes) -> None:
    data = MONSTERS[name]()
    assert len(data) < 4 * 2**20
    before, began = psutil.Process().memory_info().rss, time.monotonic()
    with pytest.raises(UnreadableTable) as refused:
        read_roster(data, "roster.xlsx")
    assert refused.value.code in ("too_large", "workbook")
    assert refused.value.fix.endswith(".")
    assert time.monotonic() - began < SECONDS
    assert psutil.Process().memory_info().rss - before < 100 * 2**20, "the parent opened it"
    assert [row.name for row in read_roster(ann, "roster.xlsx").rows] == ["Ann"], "the next one is read"


def test_the_cell_that_reaches_too_far_is_named() -> None:
    with pytest.raises(UnreadableTable, match="row 1,048,576, column 16,384"):
        read_roster(MONSTERS["far corner"](), "roster.xlsx")


@pytest.mark.parametrize("name", ["far corner", "far corner quietly", "row 999999999", "20 million empty rows",
                                  "8 million empty strings", "300 MiB of nothing"])  # fmt: skip
def test_the_cheap_look_alone_refuses_it(name: str) -> None:
    """The sandbox would catch these as well; the look says which cell it is, and costs no child."""
    with pytest.raises(UnreadableTable, match="too_large"):
        refuse_monsters(MONSTERS[name]())


def test_the_cheap_look_lets_good_workbooks_pass(ann: bytes) -> None:
    refuse_monsters(ann)
    refuse_monsters(b"number;name\n1;Ann\n")


def test_a_large_company_is_no_monster() -> None:
    book = openpyxl.Workbook(write_only=True)
    made = book.create_sheet()
    made.append(["Employee ID", "Name", *(f"Column {i}" for i in range(18))])
    for i in range(5_000):
        made.append([f"{i:05d}", f"Person {i}", *("text" for _ in range(18))])
    out = io.BytesIO()
    book.save(out)
    roster = read_roster(out.getvalue(), "roster.xlsx")
    assert (len(roster.rows), roster.rows[-1].number) == (5_000, "04999")


def test_a_hundred_thousand_lines_of_csv_are_read_within_memory() -> None:
    lines = "".join(f"{i},Person {i},p{i}@corp.example,{'x' * 60}\n" for i in range(100_000))
    roster: Roster = read_roster(("Employee ID,Name,Email,Note\n" + lines).encode(), "roster.csv")
    assert len(roster.rows) == 100_000


def test_what_dies_in_the_sandbox_is_a_sentence(monkeypatch: pytest.MonkeyPatch, ann: bytes) -> None:
    def killed(*_: object, **__: object) -> None:
        raise tables.Fallen("signal 11")

    monkeypatch.setattr(type(tables.the_sandbox()), "open", killed)
    with pytest.raises(UnreadableTable, match="broke on this file"):
        tables.read_grid(ann, "roster.xlsx", None, header_score)
