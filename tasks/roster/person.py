"""Reads one line of a roster: a person, and what is wrong with their cells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from tasks.roster.cells import is_error, read_number, read_text
from tasks.roster.columns import Columns, folded
from tasks.roster.consent_line import Said, read_line
from tasks.roster.dates import read_days
from tasks.roster.grid import is_formula
from tasks.roster.letters import contradicts, strange_letters
from tasks.roster.register_columns import language_of
from tasks.roster.rows import ConsentCell, Glasses, RosterProblem, RosterRow, Status, shape_of
from tasks.roster.statuses import read_last_day, read_status
from tasks.roster.words import read_email, read_glasses, read_wardrobe, tidy_name, turn_name, yes_or_no
from tasks.sentences import tell

_DASHES = {"-", "–", "—", "n/a", "N/A"}
_TEXT_FIELDS = (
    "number", "name", "first", "last", "preferred_first", "preferred_last", "last_first", "first_last",
    "department", "title",
)  # fmt: skip
_STRICTEST: tuple[Status, ...] = ("active", "leave", "unknown", "left")


@dataclass(frozen=True)
class Reading:
    """What holds for all lines of a sheet: its columns, the day on which it is read, and how its status is coded."""

    columns: Columns
    today: date | None
    sap: bool = False  # the status column holds SAP's figures


class RosterLine:
    """One line while it is read: its cells by field, and the problems found so far."""

    def __init__(self, reading: Reading, cells: list[str], row: int, place: str = "") -> None:
        self.columns, self.cells, self.row, self.place = reading.columns, cells, row, place
        self.found: list[RosterProblem] = []

    def raw(self, field: str) -> str:
        return self.columns.cell(self.cells, field)

    def cell(self, field: str) -> str:
        """The cell as text; nothing for a dash or an error."""
        value = read_text(self.raw(field))
        return "" if value in _DASHES else value

    def note(self, code: str, header: str, value: str, fix: str, *, blocking: bool = False) -> None:
        self.found.append(RosterProblem(code, self.row, header, shape_of(value), fix, blocking, self.place, value))

    def add(self, code: str, field: str, value: str, fix: str, *, blocking: bool = False) -> None:
        self.note(code, self.columns.header(field) or field, value, fix, blocking=blocking)


def read_row(
    cells: list[str], reading: Reading, row: int, place: str = "", *, doubt_letters: bool = False
) -> tuple[RosterRow, list[RosterProblem]]:
    """The person in this line. `row` identifies the line; `place` says where it is when its number alone does not;
    `doubt_letters`: that it was written in another encoding than the rest of the file."""
    columns, line = reading.columns, RosterLine(reading, cells, row, place)
    email = read_email(line.raw("email"))
    if "email" in columns.place and not email:
        fix = tell("line.correct_email") if line.cell("email") else tell("line.add_email")
        line.add("bad_email", "email", line.cell("email"), fix)
    number = _read_number(line, email)
    name, name_status = _read_name(line)
    if not name:
        line.add("missing_name", "name", "", tell("line.add_name"))
    status = _read_status(line, reading, name_status)
    _note_formulas(line)
    _note_letters(line, email, doubt_letters)
    if len(cells) > len(columns.headers) and any(cells[len(columns.headers) :]):
        fix = tell("line.extra_cells")
        line.add("extra_cells", "", "", fix)
    found = RosterRow(
        number=number,
        name=name or number,
        email=email,
        department=line.cell("department"),
        title=line.cell("title"),
        status=status,
        wardrobe=read_wardrobe(line.cell("wardrobe")),
        glasses=_choice_of_glasses(line),
        generation=_wants_generation(line),
        consent=_read_consent(line),
        row=row,
        location=line.cell("location"),
        kit="-".join(line.cell("kit").casefold().split()),  # as kits' folders are called
        place=place,
    )
    return found, line.found


def _read_number(line: RosterLine, email: str) -> str:
    if "number" not in line.columns.place:
        number, spoiled = email.lower(), None
    else:
        number, spoiled = read_number(line.raw("number"))
    if spoiled == "scientific":
        fix = tell("line.spoiled_number")
        line.add("spoiled_number", "number", line.raw("number"), fix, blocking=True)
    elif not number:
        fix = tell("line.give_number")
        line.add("missing_id", "number", line.raw("number"), fix, blocking=True)
    return number


def _read_name(line: RosterLine) -> tuple[str, Status | None]:
    """The name people go by: a preferred one beats a full one, that beats first and last put together."""
    first = line.cell("preferred_first") or line.cell("first")
    last = line.cell("preferred_last") or f"{line.cell('last')} {line.cell('second_last')}".strip()
    name, status = tidy_name(line.cell("name"))
    if first and not last and name and _is_family_name(line, first, name):
        last = name
    preferred, preferred_status = tidy_name(line.cell("preferred_first"))
    if " " in preferred:  # Workday's “Preferred Name” holds the whole name, BambooHR's only the first
        return preferred, preferred_status or status
    composed = " ".join(part for part in (first, last) if part)
    if first and last:
        return " ".join(composed.split()), status
    for field, last_stands_first in (("last_first", True), ("first_last", False)):
        if line.cell(field) and not name:
            name, status = turn_name(line.cell(field), last_stands_first=last_stands_first)
    return (name or composed), status


def _is_family_name(line: RosterLine, first: str, name: str) -> bool:
    """`Name` beside `Vorname` is the family name, unless it holds both."""
    beside = "last" not in line.columns.place and folded(line.columns.header("name")) == "name"
    return beside and folded(first).split()[0] not in folded(name).split()


def _read_status(line: RosterLine, reading: Reading, from_name: Status | None) -> Status:
    """The strictest of all columns that bear on it; the finding names the column that decided."""
    columns = line.columns
    said: list[tuple[Status, str, str]] = []
    for at, (header, text) in enumerate(_cells_of(line, "status")):
        status = read_status(text, reading.today, sap=reading.sap) if not is_error(text) else None
        if status is not None or at == 0:
            said.append((status or "unknown", header, text))
    for header, text in _cells_of(line, "gone"):
        if text:
            said.append(
                ("left" if yes_or_no(text) else "active" if yes_or_no(text) is False else "unknown", header, text)
            )
    for header, text in _cells_of(line, "enabled"):
        said.append(("unknown" if text and yes_or_no(text) is not True else "active", header, text))
    last_days = [(header, text) for header, text in _cells_of(line, "last_day") if text]
    if last_days and not _came_back(line, last_days[0][1]):
        header, text = last_days[0]
        said.append((read_last_day(text, reading.today) or "unknown", header, text))
    ends = [(header, text) for header, text in _cells_of(line, "contract_end") if text]
    if ends and not last_days and read_last_day(ends[0][1], reading.today) != "active":
        still_here = any(status == "active" and text for status, _, text in said)
        said.append(("unknown" if still_here else read_last_day(ends[0][1], reading.today) or "unknown", *ends[0]))
    last_days += ends
    if from_name:
        said.append((from_name, columns.header("name"), line.cell("name")))
    status, header, text = max(said, key=lambda one: _STRICTEST.index(one[0]), default=("active", "", ""))
    _note_status(line, status, header, text, by_day=(header, text) in last_days)
    return status


def _cells_of(line: RosterLine, field: str) -> list[tuple[str, str]]:
    """(header, cell) of every column that means this field, best first."""
    if field not in line.columns.place:
        return []
    return [(line.columns.header(field), line.raw(field)), *line.columns.further(line.cells, field)]


def _came_back(line: RosterLine, last_day: str) -> bool:
    """Whether the last day is one of before: the same line tells of a return after it."""
    back, left = read_days(line.raw("rehire")), read_days(last_day)
    return back is not None and left is not None and back.first > left.last


def _note_status(line: RosterLine, status: Status, header: str, text: str, *, by_day: bool) -> None:
    header = header or "status"
    if status == "unknown" and by_day:
        fix = tell("line.unknown_last_day")
        line.note("unknown_last_day", header, text, fix, blocking=True)
    elif status == "unknown":
        fix = tell("line.unknown_status")
        line.note("unknown_status", header, text, fix, blocking=True)
    elif status == "left":
        fix = tell("line.left")
        line.note("left_company", header, text, fix, blocking=True)
    elif status == "leave":
        fix = tell("line.on_leave")
        line.note("on_leave", header, text, fix, blocking=True)


def _note_formulas(line: RosterLine) -> None:
    for field in _TEXT_FIELDS:
        value = line.raw(field)
        if is_formula(value):
            fix = tell("line.formula")
            line.add("formula_cell", field, value, fix, blocking=field == "number")


def _note_letters(line: RosterLine, email: str, doubted: bool) -> None:
    """Names and departments that were decoded wrongly would stand on badges so."""
    for field in _TEXT_FIELDS[1:]:
        text = line.raw(field)
        by_address = field not in ("department", "title") and contradicts(text, email)
        if strange_letters(text) or by_address or (doubted and not text.isascii()):
            fix = tell("line.wrong_letters")
            line.add("wrong_letters", field, text, fix)


def _choice_of_glasses(line: RosterLine) -> Glasses:
    choice = read_glasses(line.cell("glasses"))
    if choice is None:
        line.add("unknown_choice", "glasses", line.cell("glasses"), tell("line.glasses"))
    return choice or "keep"


def _wants_generation(line: RosterLine) -> bool:
    """False when the person chose a picture made from their photo. What cannot be read counts as a refusal: asking
    again is cheap, generating a face against somebody's wish is not."""
    for field, refused_by in (("generation", False), ("opt_out", True)):
        text = line.cell(field)
        answer = yes_or_no(text)
        if text and answer is None:
            fix = tell("line.generation")
            line.add("unknown_choice", field, text, fix)
        if text and (answer is None or answer is refused_by):
            fix = tell("line.opted_out")
            line.add("opted_out", field, text, fix)
            return False
    return True


def _read_consent(line: RosterLine) -> ConsentCell | None:
    """The consent columns of one line of a roster. None: the line says nothing about consent."""
    columns = line.columns
    header, dated = columns.header("consent"), columns.header("consent_date")
    return read_line(
        Said(
            answers=[(header, line.raw("consent"), language_of(header))] if header else [],
            day=(dated, line.raw("consent_date")),
            day_is_answer=bool(dated) and not header,
            taken_back=[(columns.header("consent_withdrawn"), line.raw("consent_withdrawn"))],
            purpose=line.raw("consent_purpose"),
            text_version=line.raw("consent_version"),
        ),
        line.note,
    )
