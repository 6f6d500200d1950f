"""Puts together what roster, consent and photos say about one person: ready or blocked, by which lane, and why.

The same rules serve the check before a run and the run itself, so that what HR was told is what happens.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from tasks.roster.rows import Roster, RosterRow
from tasks.roster.unknown_kit import unknown_kit
from tasks.roster.whose_consent import Consents
from tasks.selfies.findings import Finding, finding
from tasks.selfies.judge_set import SetVerdict, of_another_world
from tasks.vault.seats import Lane
from tasks.vision.worlds import BaseWorld


@dataclass(frozen=True)
class PersonCheck:
    """How one person on the roster stands. Everybody on the roster has exactly one."""

    number: str
    name: str
    row: int  # in the roster
    state: Literal["ready", "blocked"]
    reason: str | None  # a finding's code; "opted_out" beside ready means the faithful lane
    lane: Lane
    photos: int  # how many files were given
    accepted: int
    few: bool
    findings: tuple[Finding, ...]
    best: int | None = None  # which of their photos makes the best headshot, counted from 1
    files: tuple[str, ...] = field(default=(), repr=False)  # in the check only: the records keep no file's name

    def file_of(self, found: Finding) -> str:
        """The name of the file that a finding is about, or nothing: "photo 9" helps nobody to find it."""
        return self.files[found.photo - 1] if found.photo and found.photo <= len(self.files) else ""


@dataclass(frozen=True)
class EarlierPhotos:
    """The photos of somebody who sent none this time, and how they were judged when they came."""

    photos: int
    accepted: int
    few: bool
    findings: tuple[Finding, ...]


def standing(
    row: RosterRow, roster: Roster, consent_code: str | None, kits: Collection[str] | None = None
) -> tuple[Finding, ...]:
    """What is known before any photo is opened, with cells as seen. A finding that blocks keeps the photos closed.
    `kits`: the brand kits there are, where that is known."""
    found = [Finding(**problem.as_finding(quoted=True)) for problem in roster.problems_in(row.row)]
    if consent_code:
        found.append(finding(consent_code))
    if kits is not None:
        found += [Finding(**said) for said in unknown_kit(row, kits)]
    return tuple(found)


def consent_code_of(row: RosterRow, roster: Roster, consents: Consents, now: datetime) -> str | None:
    """None when the files hold a valid consent for a headshot, or when it cannot be told whose consent it is."""
    return None if row.row in roster.doubtful_rows else consents.code(row, now)


def blocks(findings: Iterable[Finding]) -> bool:
    return any(found.severity == "block" for found in findings)


def settle(
    row: RosterRow,
    before: Sequence[Finding],
    photos: int,
    verdict: SetVerdict | None,
    company: Sequence[Finding] = (),
    unclear: int = 0,
    base: BaseWorld | None = None,
) -> PersonCheck:
    """The final word on one person. The reason is the first finding that blocks: roster, consent, photos, company.
    `unclear`: files that fit this person and others alike; whoever has no other photo is told of them. `base`: whom the
    run's base can draw, for those who will be drawn."""
    seen = verdict.all_findings if verdict else ()
    if unclear and not photos:
        seen = tuple(finding("no_photos/unclear", unclear) if f.code == "no_photos" else f for f in seen)
    lane: Lane = "generated" if row.generation else "faithful"
    if lane == "faithful":  # nothing is learned from their photos: one good one is enough
        seen = tuple(
            finding("too_few_photos/own", f.measured, f.limit) if f.code == "too_few_photos" else f for f in seen
        )
    world = of_another_world(verdict, base) if verdict and base and lane == "generated" else ()
    findings = (*before, *seen, *company, *world)
    state, reason = outcome(findings, lane)
    return PersonCheck(
        number=row.number,
        name=row.name,
        row=row.row,
        state=state,
        reason=reason,
        lane=lane,
        photos=photos,
        accepted=verdict.accepted if verdict else 0,
        few=bool(verdict and verdict.few and lane == "generated"),
        findings=findings,
        best=verdict.best if verdict and verdict.accepted > 1 else None,
    )


def outcome(findings: Iterable[Finding], lane: str) -> tuple[Literal["ready", "blocked"], str | None]:
    """(state, reason) that these findings come to: the first one that blocks, or ready, by which lane."""
    blocking = next((found.code for found in findings if found.severity == "block"), None)
    return ("blocked" if blocking else "ready"), blocking or ("opted_out" if lane == "faithful" else None)


def as_before(
    row: RosterRow, before: Sequence[Finding], kept: EarlierPhotos, said: Sequence[Finding] = ()
) -> PersonCheck:
    """The word on somebody whose photos in use are those of an earlier upload."""
    lane: Lane = "generated" if row.generation else "faithful"
    findings = (*before, *kept.findings, *said)
    state, reason = outcome(findings, lane)
    return PersonCheck(
        row.number, row.name, row.row, state, reason, lane, kept.photos, kept.accepted, kept.few, findings
    )  # fmt: skip
