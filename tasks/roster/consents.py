"""Reads a consent register: who agreed to what, under which text, when, and who took it back.

A register is a file of its own (or columns of the roster). It is read with the same tolerance as a roster, but its
content is never mended: what cannot be read as a consent is none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.roster.columns import find_header, header_score, map_columns
from tasks.roster.person import Notes, read_consent
from tasks.roster.rows import ConsentCell, RosterProblem, RosterRow, Understood, Unreadable
from tasks.roster.tables import read_grid

PURPOSE = "headshot"
CLOCK_TOLERANCE = timedelta(days=1)  # a register dated in another time zone; the same day the vault allows
# To the employee; the codes are those that a vault refuses permits with.
CONSENT_SENTENCES = {
    "no_consent": ("We have no consent from you for a headshot, so no photo of yours was opened. Ask HR for the form."),
    "consent_withdrawn": (
        "You withdrew your consent, so no photo of yours was opened. Tell HR if you change your mind."
    ),
    "consent_other_purpose": (
        "Your consent is for another purpose than a headshot, so no photo was opened. Ask HR for the form."
    ),
}
FORGOTTEN_SENTENCE = (
    "Everything about the person with this number was deleted on {day}, so consent from before does not count and no "
    "photo was opened. Ask HR for a new consent, dated after that day."
)
# What people call the purpose of this product, folded (columns.folded). Anything else is another purpose.
HEADSHOT_WORDS = frozenset({
    "headshot", "headshots", "company headshot", "company headshots", "ai headshot", "ai headshots",
    "generated headshot", "portrait", "portrat", "portraits", "retrato", "mitarbeiterportrat",
})  # fmt: skip


@dataclass(frozen=True)
class ConsentEntry:
    """One line of the register."""

    number: str
    email: str
    consent: ConsentCell
    row: int


@dataclass(frozen=True)
class ConsentRegister:
    """All lines of the register, in its order; later lines about the same person and purpose replace earlier ones."""

    entries: tuple[ConsentEntry, ...]
    problems: tuple[RosterProblem, ...]
    understood: Understood

    def of(self, row: RosterRow) -> tuple[ConsentCell, ...]:
        """What the register says about one person: by number, and by e-mail where the register has no number."""
        email = row.email.casefold()
        return tuple(
            entry.consent
            for entry in self.entries
            if (entry.number and entry.number == row.number)
            or (not entry.number and email and entry.email.casefold() == email)
        )


def read_consents(data: bytes, name: str, encoding: str | None = None) -> ConsentRegister:
    """Reads the register in `data` (the file `name`). Raises Unreadable when it is no table."""
    grid = read_grid(data, name, encoding, header_score)
    at = find_header(grid.rows)
    if at is None:
        raise Unreadable("no_header", "The consent register names no employee number or e-mail column.")
    columns = map_columns(grid.rows[at], register=True)
    if not columns.place.keys() & {"number", "email"}:
        raise Unreadable("no_header", "The consent register needs an employee number or e-mail column.")
    entries: list[ConsentEntry] = []
    problems: list[RosterProblem] = []
    for index, cells in enumerate(grid.rows):
        if index <= at or not any(cells):
            continue
        notes = Notes(columns, grid.lines[index])
        consent = read_consent(columns, cells, notes.add)
        number, email = columns.cell(cells, "number"), columns.cell(cells, "email")
        if consent is None:
            fix = "The line says neither yes nor a date: it counts as no consent."
            notes.add("no_consent", "consent", "", fix)
        elif not number and not email:
            notes.add("missing_id", "number", "", "Say whose consent this is: it is not used.")
        else:
            entries.append(ConsentEntry(number, email, consent, grid.lines[index]))
        problems += notes.found
    mapping = {field: columns.headers[place] for field, place in columns.place.items()}
    understood = Understood(
        grid.kind, grid.encoding, grid.delimiter, grid.lines[at], mapping, columns.unused, grid.sheet
    )
    return ConsentRegister(tuple(entries), tuple(problems), understood)


def consents_of(row: RosterRow, register: ConsentRegister | None) -> tuple[ConsentCell, ...]:
    """Everything said about one person. A register, where there is one, is the record; the roster's column only
    counts for people the register does not mention."""
    listed = register.of(row) if register else ()
    return listed or ((row.consent,) if row.consent else ())


def consent_problem(consents: Iterable[ConsentCell], now: datetime, purpose: str = PURPOSE) -> str | None:
    """None when the last word for this purpose is a valid yes; else no_consent, consent_withdrawn or
    consent_other_purpose. The same rule the vault's permits hold to, for checking before anything is stored."""
    all_of_them = tuple(consents)
    relevant = [c for c in all_of_them if is_purpose(c.purpose, purpose)]
    if not relevant:
        return "consent_other_purpose" if any(c.given for c in all_of_them) else "no_consent"
    # The latest by date; a line without a date stands where the file has it, after the dated ones before it.
    last = max(enumerate(relevant), key=lambda pair: (pair[1].given_at or now, pair[1].withdrawn, pair[0]))[1]
    if last.withdrawn:  # counts from the moment it is known, whatever date it bears
        return "consent_withdrawn"
    if not last.given or (last.given_at is not None and last.given_at > now + CLOCK_TOLERANCE):
        return "no_consent"
    return None


def is_purpose(words: str, purpose: str = PURPOSE) -> bool:
    return words == purpose or (purpose == PURPOSE and words in HEADSHOT_WORDS)
