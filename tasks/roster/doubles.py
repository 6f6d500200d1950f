"""Tells one person who stands twice from two people under one number.

The same number, name and e-mail in two lines is one person: an export with two jobs, a rehire beside the old line, the
same colleague in two sheets. Two people under one number are a question that only HR can answer: neither gets the
photos or the consent of the other, and nobody is the first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from tasks.roster.columns import folded
from tasks.roster.rows import NAMED_ROWS, RosterProblem, RosterRow, Status, rows_named, shape_of
from tasks.sentences import tell

_COUNTS_FIRST: tuple[Status, ...] = ("active", "leave", "unknown", "left")


def join_same_people(
    rows: Sequence[RosterRow], problems: Sequence[RosterProblem]
) -> tuple[list[RosterRow], list[RosterProblem], list[int]]:
    """One row for each person, in the order of the file; the problems that still stand; and the lines joined to others.

    Of several lines the one counts that says most of somebody at work. A no to generated pictures in any of them
    counts, and so does every word about consent.
    """
    hidden = {problem.row for problem in problems if problem.code == "hidden_row"}
    groups: defaultdict[str, list[RosterRow]] = defaultdict(list)
    alone: list[list[RosterRow]] = []
    for row in rows:
        if not row.number:
            alone.append([row])
            continue
        groups[row.number].append(row)
    same = [*alone, *(people for group in groups.values() for people in _people(group))]
    kept, further, remarks = [], [], []
    for lines in same:
        counts = min(lines, key=lambda row: (_COUNTS_FIRST.index(row.status), row.row in hidden, row.row))
        if len(lines) > 1:
            others = [row for row in lines if row is not counts]
            more = tuple(row.consent for row in others if row.consent)
            counts = replace(counts, generation=all(row.generation for row in lines), more_consents=more)
            further += [row.row for row in others]
            remarks.append(_remark(counts, lines))
        kept.append(counts)
    standing = [problem for problem in problems if problem.row not in set(further)]
    return sorted(kept, key=lambda row: row.row), [*standing, *remarks], sorted(further)


def _people(group: Sequence[RosterRow]) -> list[list[RosterRow]]:
    """Lines under one number, by person: alike in name, and in e-mail where both have one."""
    if len(group) == 1:
        return [list(group)]
    by_name: defaultdict[str, list[RosterRow]] = defaultdict(list)
    for row in group:
        by_name[folded(row.name)].append(row)
    found = []
    for lines in by_name.values():
        by_email: dict[str, list[RosterRow]] = {}
        for row in lines:
            by_email.setdefault(row.email.casefold(), []).append(row)
        without = by_email.pop("", [])
        if len(by_email) == 1:  # a line without an address is the one person who has this name and number
            found.append(sorted([*next(iter(by_email.values())), *without], key=lambda row: row.row))
        else:
            found += [*by_email.values(), *([without] if without else [])]
    return found


def _remark(counts: RosterRow, lines: Sequence[RosterRow]) -> RosterProblem:
    places = "; ".join(row.where for row in lines[:5])
    fix = tell("line.same_person", places=places, counted=counts.where)
    return RosterProblem("same_person", counts.row, "", tell("line.lines", len(lines)), fix, False, counts.place)


def shared_numbers(
    rows: Sequence[RosterRow], header: Callable[[RosterRow, str], str], spoiled: Collection[int] = ()
) -> list[RosterProblem]:
    """Two people under one number: both wait. One address of two people, and numbers that differ in case: a remark.
    `spoiled`: rows whose number a spreadsheet shortened; nobody shares it, everybody lost theirs."""
    by_number: defaultdict[str, list[RosterRow]] = defaultdict(list)
    by_email: defaultdict[str, list[RosterRow]] = defaultdict(list)
    by_case: defaultdict[str, list[RosterRow]] = defaultdict(list)
    for row in rows:
        if row.number and row.row not in spoiled:
            by_number[row.number].append(row)
            by_case[row.number.casefold()].append(row)
        if row.email:
            by_email[row.email.casefold()].append(row)
    found = []
    for number, group in by_number.items():
        fix = tell("line.shared_number", rows=_rows(group))
        for row in group if len(group) > 1 else []:
            found.append(_about(row, "duplicate_id", header(row, "number"), number, fix, blocking=True))
    for email, group in by_email.items():
        if len({row.number for row in group}) > 1:
            fix = tell("line.shared_email", rows=_rows(group))
            found += [_about(row, "duplicate_email", header(row, "email"), email, fix) for row in group]
    for group in by_case.values():
        if len({row.number for row in group}) > 1:
            fix = tell("line.similar_number", rows=_rows(group))
            found += [_about(row, "similar_number", header(row, "number"), row.number, fix) for row in group]
    return found


def _rows(group: Sequence[RosterRow]) -> str:
    if any(row.place for row in group):
        shown = ", ".join(row.where for row in group[:NAMED_ROWS])
        more = len(group) - NAMED_ROWS
        return tell("line.and_more", more, rows=shown) if more > 0 else shown
    return tell("line.rows", rows=rows_named([row.row for row in group]))


def _about(row: RosterRow, code: str, column: str, value: str, fix: str, *, blocking: bool = False) -> RosterProblem:
    return RosterProblem(code, row.row, column, shape_of(value), fix, blocking, row.place, value)
