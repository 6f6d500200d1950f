"""Reads one line of a roster: a person, and what is wrong with their cells."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from tasks.roster.columns import Columns, folded
from tasks.roster.grid import is_formula
from tasks.roster.rows import ConsentCell, Glasses, RosterProblem, RosterRow, Status, shape_of
from tasks.roster.words import (
    is_email,
    read_date,
    read_glasses,
    read_status,
    read_wardrobe,
    tidy_name,
    yes_or_no,
)

WITHDRAWN = {"withdrawn", "revoked", "widerrufen", "retire", "retirado", "revocado"}
Cell = Callable[[str], str]
_DASHES = {"-", "–", "—", "n/a", "N/A", "#N/A"}
_TEXT_FIELDS = ("number", "name", "first", "last", "preferred_first", "preferred_last", "department", "title")


class Notes:
    """Collects the problems of one row, so that reading a cell and complaining about it stay on one line."""

    def __init__(self, columns: Columns, row: int) -> None:
        self.columns, self.row = columns, row
        self.found: list[RosterProblem] = []

    def add(self, code: str, field: str, value: str, fix: str, blocking: bool = False) -> None:
        header = self.columns.header(field) or field
        self.found.append(RosterProblem(code, self.row, header, shape_of(value), fix, blocking))


def read_row(
    cells: list[str], columns: Columns, line: int, today: date | None
) -> tuple[RosterRow, list[RosterProblem]]:
    notes = Notes(columns, line)

    def cell(field: str) -> str:
        value = columns.cell(cells, field)
        return "" if value in _DASHES else value

    email = cell("email")
    if "email" in columns.place and not is_email(email):
        fix = "Correct the address (name@company.tld)." if email else "Add the work e-mail."
        notes.add("bad_email", "email", email, fix)
    number = columns.cell(cells, "number") if "number" in columns.place else email.lower()
    if not number:
        fix = "Give this person their employee number: photos and files are matched by it."
        notes.add("missing_id", "number", number, fix, blocking=True)
    name, name_status = _read_name(cell)
    if not name:
        notes.add("missing_name", "name", "", "Add the person's name; until then the pages show their number.")
    status = _read_status(cell, notes, name_status, today)
    _note_formulas(cells, columns, notes)
    if len(cells) > len(columns.headers) and any(cells[len(columns.headers) :]):
        fix = "The row has more cells than the header: a name or title with the delimiter in it needs quotes."
        notes.add("extra_cells", "", "", fix)
    row = RosterRow(
        number=number,
        name=name or number,
        email=email if is_email(email) else "",
        department=cell("department"),
        title=cell("title"),
        status=status,
        wardrobe=read_wardrobe(cell("wardrobe")),
        glasses=_choice_of_glasses(cell, notes),
        generation=_wants_generation(cell, notes),
        consent=read_consent(columns, cells, notes.add),
        row=line,
        location=cell("location"),
    )
    return row, notes.found


def _read_name(cell: Cell) -> tuple[str, Status | None]:
    """The name people go by: a preferred one beats a full one, that beats first and last put together."""
    first = cell("preferred_first") or cell("first")
    last = cell("preferred_last") or cell("last")
    name, status = tidy_name(cell("name"))
    preferred, preferred_status = tidy_name(cell("preferred_first"))
    if " " in preferred:  # Workday's “Preferred Name” holds the whole name, BambooHR's only the first
        return preferred, preferred_status or status
    composed = " ".join(part for part in (first, last) if part)
    if first and last:
        return " ".join(composed.split()), status
    return (name or composed), status


def _read_status(cell: Cell, notes: Notes, from_name: Status | None, today: date | None) -> Status:
    text = cell("status")
    status = read_status(text)
    if status is None:
        fix = "Write Active, On Leave or Terminated; until then the person is treated as active."
        notes.add("unknown_status", "status", text, fix)
        status = "active"
    status = from_name if from_name and status == "active" else status
    last_day = read_date(cell("last_day")) if cell("last_day") else None
    if today and last_day and last_day.date() < today:
        status = "left"
    if status == "left":
        fix = "Nothing to do: people who have left get no headshot. If they have not, correct the status."
        notes.add("left_company", "status", text, fix, blocking=True)
    elif status == "leave":
        fix = "Nothing to do now: run a batch for them when they are back, or set the status to Active."
        notes.add("on_leave", "status", text, fix, blocking=True)
    return status


def _note_formulas(cells: list[str], columns: Columns, notes: Notes) -> None:
    for field in _TEXT_FIELDS:
        value = columns.cell(cells, field)
        if is_formula(value):
            fix = "A spreadsheet would run this cell as a formula. It is kept as text; write the plain value."
            notes.add("formula_cell", field, value, fix, blocking=field == "number")


def _choice_of_glasses(cell: Cell, notes: Notes) -> Glasses:
    choice = read_glasses(cell("glasses"))
    if choice is None:
        notes.add("unknown_choice", "glasses", cell("glasses"), "Write keep, on or off; keep is taken until then.")
    return choice or "keep"


def _wants_generation(cell: Cell, notes: Notes) -> bool:
    """False when the person chose a picture made from their photo. What cannot be read counts as a refusal: asking
    again is cheap, generating a face against somebody's wish is not."""
    for field, refused_by in (("generation", False), ("opt_out", True)):
        text = cell(field)
        answer = yes_or_no(text)
        if text and answer is None:
            fix = "Write yes or no; until then the picture is made from the person's own photo."
            notes.add("unknown_choice", field, text, fix)
        if text and (answer is None or answer is refused_by):
            fix = "Nothing to do: their picture is made from one of their own photos, without generation."
            notes.add("opted_out", field, text, fix)
            return False
    return True


def read_consent(
    columns: Columns, cells: list[str], add: Callable[[str, str, str, str, bool], None]
) -> ConsentCell | None:
    """The consent columns of one line, of a roster or of a register. None: the line says nothing about consent."""
    answer, given_at, withdrawn = (
        columns.cell(cells, field) for field in ("consent", "consent_date", "consent_withdrawn")
    )
    if not answer and not given_at:
        return None
    said = yes_or_no(answer)
    when = read_date(given_at) if given_at else None
    if given_at and when is None:
        fix = "Write the day as 2026-03-31; it cannot be told which day this is."
        add("bad_date", "consent_date", given_at, fix, False)
    if said is None and answer:  # “consent” may hold the day itself, or “withdrawn”
        when = when or read_date(answer)
        if folded(answer) in WITHDRAWN:
            withdrawn = withdrawn or "yes"
        elif when is None:
            add("unknown_choice", "consent", answer, "Write yes or no; until then it counts as no.", False)
        said = when is not None or bool(withdrawn)
    withdrawn_at = read_date(withdrawn) if withdrawn else None
    return ConsentCell(
        given=bool(said) if answer else when is not None,
        purpose=folded(columns.cell(cells, "consent_purpose")) or "headshot",
        text_version=columns.cell(cells, "consent_version"),
        given_at=when,
        withdrawn_at=withdrawn_at,
        withdrawn=bool(withdrawn) and yes_or_no(withdrawn) is not False,
    )
