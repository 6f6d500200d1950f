"""Everybody who was ever on a roster, as the desk finds and shows them: pure reading, by name, number or e-mail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from reports.desk.batch_state import standing_of
from tasks.roster.by_hand import said_by
from tasks.roster.folding import without_accents
from tasks.sentences import tell
from tasks.vault.records import (
    Adapter,
    Batch,
    Consent,
    EarlierName,
    Employee,
    Headshot,
    Reviewer,
    Seat,
    Selfie,
)
from tasks.vault.review import reviews_of
from tasks.vault.store import Vault

PER_PAGE = 50  # rows that can be looked through


@dataclass(frozen=True)
class Found:
    """One line of the list."""

    id: str
    name: str
    number: str
    department: str
    email: str
    consent: str  # given | withdrawn | none
    batches: int


@dataclass(frozen=True)
class ConsentLine:
    """One consent in words."""

    given_at: datetime
    withdrawn_at: datetime | None
    text_version: str
    source: str


@dataclass(frozen=True)
class SeatLine:
    """How somebody stands in one batch. `delivered_at`: of the last delivery after their approval."""

    batch: str
    title: str
    state: str
    reason: str
    at: datetime
    delivered_at: datetime | None
    kit: str = ""  # their own in this batch; empty where it is the batch's
    batch_kit: str = ""


@dataclass(frozen=True)
class PersonShown:
    """What the page of one person shows."""

    id: str
    state: str  # active | erasing | erased
    name: str
    number: str
    email: str
    department: str
    title: str
    status: str
    earlier: tuple[tuple[str, str], ...]  # name and number before
    consents: tuple[ConsentLine, ...]
    consent: str
    seats: tuple[SeatLine, ...]
    photos: int
    photos_used: int
    findings: tuple[tuple[str, str], ...]  # code, sentence
    learned_at: datetime | None
    pictures: int
    approved: int


def search(vault: Vault, words: str, page: int) -> tuple[list[Found], int]:
    """People who fit all the words, by name; one page of them, and how many there are in all."""
    wanted = plain(words).split()
    with vault.reading() as session:
        earlier: dict[str, str] = defaultdict(str)
        for one in session.exec(select(EarlierName)):
            earlier[one.employee_id] += f" {one.name} {one.number} {one.email}"
        rows = session.exec(select(Employee).where(Employee.state == "active")).all()
        fitting = [
            row
            for row in rows
            if all(
                word in plain(f"{row.name} {row.number} {row.email} {row.department}{earlier[row.id]}")
                for word in wanted
            )
        ]
        fitting.sort(key=lambda row: (plain(row.name), row.number))
        shown = fitting[PER_PAGE * page : PER_PAGE * (page + 1)]
        ids = [row.id for row in shown]
        consents = _consents(session, ids)
        seats = session.exec(select(Seat.employee_id).where(col(Seat.employee_id).in_(ids))).all()
    return [
        Found(row.id, row.name, row.number, row.department, row.email, word_of(consents[row.id]), seats.count(row.id))
        for row in shown
    ], len(fitting)


def plain(text: str) -> str:
    """Without accents and letter case: Muller finds Müller."""
    return without_accents(text.casefold())


def word_of(consents: Iterable[Consent]) -> str:
    """given, withdrawn or none: what the newest consent comes to."""
    fitting = sorted(
        (one for one in consents if one.purpose == "headshot"),
        key=lambda one: (one.given_at, one.withdrawn_at is not None, one.id),
    )
    if not fitting:
        return "none"
    return "withdrawn" if fitting[-1].withdrawn_at is not None else "given"


def _consents(session: Session, ids: list[str]) -> Mapping[str, list[Consent]]:
    found: defaultdict[str, list[Consent]] = defaultdict(list)
    for one in session.exec(select(Consent).where(col(Consent.employee_id).in_(ids))):
        found[one.employee_id].append(one)
    return found


def load_person(vault: Vault, identity: str, titles: Mapping[str, str]) -> PersonShown | None:
    """One person; None when there never was one of this id. `titles`: what the batches are called."""
    with vault.reading() as session:
        row = session.get(Employee, identity)
        if row is None:
            return None
        consents = sorted(_consents(session, [identity])[identity], key=lambda one: one.given_at, reverse=True)
        authors = dict(session.exec(select(Reviewer.id, Reviewer.name)).all())
        earlier = session.exec(select(EarlierName).where(EarlierName.employee_id == identity)).all()
        photos = session.exec(
            select(Selfie).where(Selfie.employee_id == identity, col(Selfie.replaced_at).is_(None))
        ).all()
        learned = session.exec(select(Adapter.created_at).where(Adapter.employee_id == identity)).all()
        shots = session.exec(select(Headshot.state).where(Headshot.employee_id == identity)).all()
        seats = _seats(session, identity, row.state == "active", titles)
    found = {str(one["code"]): str(one.get("sentence") or "") for photo in photos for one in photo.findings}
    return PersonShown(
        id=row.id,
        state=row.state,
        name=row.name,
        number=row.number if row.state == "active" else "",
        email=row.email,
        department=row.department,
        title=row.title,
        status=row.status,
        earlier=tuple((one.name, one.number) for one in earlier),
        consents=tuple(
            ConsentLine(one.given_at, one.withdrawn_at, one.text_version, say_source(one.source, authors))
            for one in consents
        ),
        consent=word_of(consents),
        seats=seats,
        photos=len(photos),
        photos_used=sum(one.accepted for one in photos),
        findings=tuple(found.items()),
        learned_at=max(learned, default=None),
        pictures=len(shots),
        approved=sum(state == "approved" for state in shots),
    )


def say_source(source: str, authors: Mapping[str, str]) -> str:
    """Where a consent comes from, in words."""
    noted = said_by(source)
    if noted is None:
        return tell(f"people.source_{source}") if source in ("register", "roster") else source
    words = tell(f"people.evidence_{noted.evidence}") + (f", {noted.reference}" if noted.reference else "")
    who = authors.get(noted.author, "")
    return f"{words}. {tell('people.noted_by', who=who)}" if who else words


def _seats(session: Session, identity: str, is_here: bool, titles: Mapping[str, str]) -> tuple[SeatLine, ...]:
    rows = session.exec(
        select(Seat, Batch).join(Batch, col(Batch.id) == col(Seat.batch_id)).where(Seat.employee_id == identity)
    )
    lines = []
    for seat, batch in rows.all():
        review = reviews_of(session, {identity: seat.kit or batch.kit})[identity]
        state = standing_of(seat, review, is_here)
        said = batch.facts.get("delivered") or {}
        delivered = datetime.fromisoformat(str(said["at"])) if said.get("at") else None
        counts = delivered is not None and state == "approved" and review.decision is not None
        at = (
            delivered
            if counts and delivered is not None and review.decision and review.decision.at <= delivered
            else None
        )
        lines.append(
            SeatLine(
                batch.id,
                titles.get(batch.id, batch.id),
                state,
                seat.reason or "",
                batch.created_at,
                at,
                seat.kit,
                batch.kit,
            )
        )
    return tuple(sorted(lines, key=lambda line: line.at, reverse=True))
