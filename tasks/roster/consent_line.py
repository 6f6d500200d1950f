"""Reads what one line says about consent: the one place where cells become a yes, a no, or a question.

Rosters and registers go the same way. A yes is a word of the closed list (answers.py), or a readable day in the cell of
the answer; a day in a column of its own is an answer only where the file has no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Protocol

from tasks.roster.answers import Answer, has_reservation, read_answer
from tasks.roster.columns import folded
from tasks.roster.dates import is_no_day, read_days, read_moment
from tasks.roster.rows import ConsentCell
from tasks.sentences import tell

# Folded. What people write into "withdrawn" when nothing was.
_NOT_TAKEN_BACK = frozenset({"", "no", "n", "nein", "non", "false", "0", "falsch", "faux", "falso", "none",
                             "keine", "keiner",
                             "n a", "na", "null", "never", "nie", "jamais", "nunca", "not withdrawn", "not revoked",
                             "nicht widerrufen", "aucun", "ninguno", "ninguna"})  # fmt: skip


class Note(Protocol):
    """Notes a problem of the line: code, header, cell, what to write."""

    def __call__(self, code: str, header: str, value: str, fix: str) -> None: ...


@dataclass(frozen=True)
class Said:
    """The cells of one line that bear on consent, each as (header, text)."""

    answers: Sequence[tuple[str, str, str]] = ()  # with the language of the column
    day: tuple[str, str] = ("", "")
    day_is_answer: bool = False
    taken_back: Sequence[tuple[str, str]] = ()
    until: tuple[str, str] = ("", "")
    remarks: Sequence[tuple[str, str]] = ()
    others: Sequence[tuple[str, str]] = ()
    purpose: str = ""
    text_version: str = ""
    codes: bool = field(default=False)  # the answers are figures beyond 0 and 1: none of them is a yes


def read_line(said: Said, note: Note) -> ConsentCell | None:
    """What the line says, or None where it says nothing at all about consent."""
    cells = [(header, text, language) for header, text, language in said.answers if text]
    backs = [(header, text) for header, text in said.taken_back if folded(text) not in _NOT_TAKEN_BACK]
    if not cells and not backs and not (said.day[1] and (said.day_is_answer or said.answers)):
        return None
    day, no_sooner = _day(said.day, note)
    answer, in_answer = _judge(said, cells, note)
    if in_answer is not None:
        day, no_sooner = in_answer, None
    if said.day_is_answer and not cells:
        answer = "yes" if day is not None else "no"
    if answer == "yes" and any(text and has_reservation(text) for _, text in said.remarks):
        header, text = next((h, t) for h, t in said.remarks if t and has_reservation(t))
        note(
            "conditional_consent",
            header,
            text,
            tell("register.conditional"),
        )
        answer = "no"
    withdrawn = bool(backs) or answer == "withdrawn" or any(read_answer(text) == "withdrawn" for _, text in said.others)
    withdrawn_at = next((read_moment(text) for _, text in backs), None)
    if withdrawn and not backs and answer == "withdrawn":
        withdrawn_at = day
    return ConsentCell(
        given=answer == "yes",
        purpose=folded(said.purpose) or "headshot",
        text_version=said.text_version,
        given_at=day,
        withdrawn_at=withdrawn_at,
        withdrawn=withdrawn,
        no_sooner=no_sooner,
        until=_until(said.until, note),
    )


def _judge(said: Said, cells: Sequence[tuple[str, str, str]], note: Note) -> tuple[Answer | None, datetime | None]:
    """The answer of a line, and its day where the answer's cell holds it. The strictest of several answers counts."""
    if said.answers and not cells:
        note("no_answer", said.answers[0][0], "", tell("register.no_answer"))
        return "no", None
    worst: Answer | None = None
    moment: datetime | None = None
    for header, text, language in cells:
        one = read_answer(text, language)
        if one == "yes" and said.codes and text.strip().isdigit():
            one = None
        if one is None:
            # A bare figure is a day for a spreadsheet only; eight of them are one for people too.
            moment = None if text.isdigit() and len(text) != 8 else read_moment(text)
            one = "yes" if moment is not None else None
        if one is None:
            note("unknown_answer", header, text, tell("register.unknown_answer"))
            one = "no"
        if worst is None or _STRICTNESS.index(one) > _STRICTNESS.index(worst):
            worst = one
    return worst, moment if worst == "yes" else None


_STRICTNESS: tuple[Answer, ...] = ("yes", "no", "withdrawn")


def _day(cell: tuple[str, str], note: Note) -> tuple[datetime | None, datetime | None]:
    """The moment in the column of days, and of a day that may be two, the earlier one."""
    header, text = cell
    if is_no_day(text):
        return None, None
    moment, days = read_moment(text), read_days(text)
    if moment is None:
        note(
            "bad_date",
            header,
            text,
            tell("register.two_days" if days else "register.no_day"),
        )
    first = datetime.combine(days.first, time(), tzinfo=UTC) if days and moment is None else None
    return moment, first


def _until(cell: tuple[str, str], note: Note) -> datetime | None:
    """The end of a yes; a day that cannot be read has passed, and of two days it is the earlier one."""
    header, text = cell
    if is_no_day(text):
        return None
    days = read_days(text)
    if days is None:
        note("bad_date", header, text, tell("register.no_end"))
        return datetime(1970, 1, 1, tzinfo=UTC)
    return datetime.combine(days.first, time.max, tzinfo=UTC)
