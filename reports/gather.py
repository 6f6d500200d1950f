"""Reads one batch from the vault into report data: everybody once, with what happened to them.

Pictures are not read here. The source handed on opens them one by one, and looks each time whether the permit still
stands, so a consent that is withdrawn while a report is being written closes the rest of that person's pictures.
Whoever is being forgotten is left out and only counted.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlmodel import col, select

from reports.data import (
    AdapterRow,
    BatchRow,
    DecisionRow,
    FindingRow,
    HeadshotRow,
    PersonRow,
    PictureSource,
    ReportData,
    SelfieRow,
)
from tasks.headshots.kit import KitError, load_kit
from tasks.headshots.wishes import offered
from tasks.retention.overdue import lateness, sentence
from tasks.sentences import say_date, tell
from tasks.vault.failures import MissingBlob, NoConsent, NoSuchBatch, Unreadable
from tasks.vault.page_sizes import large_picture, small_photo
from tasks.vault.records import Adapter, Batch, Decision, Employee, Headshot, Seat, Selfie, Showing
from tasks.vault.review import Review, reviews_of
from tasks.vault.scores import Scores
from tasks.vault.seat_kits import kits_of
from tasks.vault.settings import Settings
from tasks.vault.store import Vault
from tasks.vision.diffusion_card import UnknownBase, load_base_card


class _Personal(Protocol):
    employee_id: str


Row = TypeVar("Row", bound=_Personal)


def gather(vault: Vault, batch_id: str, *, now: datetime | None = None) -> ReportData:
    """Everything the report of this batch shows."""
    moment = now or datetime.now(UTC)
    with vault.reading() as session:
        batch = session.get(Batch, batch_id)
        if batch is None:
            raise NoSuchBatch
        in_batch = select(Seat.employee_id).where(col(Seat.batch_id) == batch_id)
        seats = session.exec(select(Seat).where(col(Seat.batch_id) == batch_id).order_by(col(Seat.position))).all()
        employees = {one.id: one for one in session.exec(select(Employee).where(col(Employee.id).in_(in_batch))).all()}
        selfies = _by_person(
            session.exec(
                select(Selfie)
                .where(col(Selfie.employee_id).in_(in_batch), col(Selfie.replaced_at).is_(None))
                .order_by(col(Selfie.order), col(Selfie.id))
            )
        )
        shown = select(Headshot, Showing).join(Showing, col(Showing.headshot_digest) == col(Headshot.digest))
        headshots: dict[str, list[tuple[Headshot, Showing]]] = defaultdict(list)
        for shot, showing in session.exec(shown.where(col(Showing.batch_id) == batch_id)):
            headshots[shot.employee_id].append((shot, showing))
        kits = kits_of(session, batch)
        said = select(Decision).where(col(Decision.employee_id).in_(in_batch))
        ordered = session.exec(said.order_by(col(Decision.at), col(Decision.id)))
        decisions = _by_person(row for row in ordered if _counts_under(row, kits[row.employee_id]))
        reviews = reviews_of(session, kits)
        adapters = {
            one.digest: one for one in session.exec(select(Adapter).where(col(Adapter.employee_id).in_(in_batch)))
        }
    people = tuple(
        _person(
            seat,
            employees[seat.employee_id],
            selfies,
            headshots.get(seat.employee_id, []),
            decisions.get(seat.employee_id, []),
            reviews[seat.employee_id],
            adapters,
            viewable(vault, seat.employee_id, moment),
        )
        for seat in seats
        if seat.employee_id in employees and employees[seat.employee_id].state == "active"
    )
    known = _batch(batch, {batch.kit, *kits.values()}, vault.settings)
    late = lateness(vault.engine, moment)
    return ReportData(
        known, people, moment, picture_source(vault, moment),
        late=sentence(late) if late else "", erased=len(seats) - len(people),
        forgotten_rows=tuple(_forgotten_row(seat) for seat in seats if seat.reason == "forgotten"),
    )  # fmt: skip


def _forgotten_row(seat: Seat) -> str:
    """`row 3: forgotten on 28 November 2026`: all that is known, and all that HR needs to mend the roster."""
    when = next((str(found["measured"]) for found in seat.standing if found["code"] == "forgotten"), "")
    day = date.fromisoformat(when) if when else None
    if day is None:
        return tell("roster.forgotten", row=seat.row)
    return tell("roster.forgotten_on", row=seat.row, day=say_date(day))


def _counts_under(decision: Decision, kit: str) -> bool:
    """Decisions count under their kit, in whichever batch they were made; an opt-out counts under all."""
    return decision.kit == kit or decision.verdict in ("opt_out", "undo")


def picture_source(vault: Vault, now: datetime) -> PictureSource:
    """Opens pictures under a permit; None when there is no leave, or when retention has already taken them.

    A person's permit is asked for once, since each reading looks again whether it still stands.
    """
    leave = cache(partial(vault.permit, now=now))

    def open_picture(employee_id: str, key: str) -> bytes | None:
        try:
            return vault.read(leave(employee_id), key)
        except (NoConsent, MissingBlob, Unreadable):
            return None

    return open_picture


def viewable(vault: Vault, employee_id: str, now: datetime) -> bool:
    """Whether this person's pictures may be shown at all: the same leave that processing needs."""
    try:
        vault.permit(employee_id, now=now)
    except NoConsent:
        return False
    return True


def _by_person(rows: Iterable[Row]) -> Mapping[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.employee_id].append(row)
    return groups


def kit_title(name: str, kits: Path) -> str:
    """What a kit calls itself; its bare name when it cannot be read any more."""
    try:
        return load_kit(name, kits).title or name
    except (KitError, OSError):
        return name


def _reasons(batch: Batch, kits: set[str], settings: Settings) -> tuple[str, ...]:
    """What a redo may ask for: what changes something under each of these kits and this base; nothing when one of them
    cannot be read."""
    try:
        speech = load_base_card(batch.base, settings.bases).speech
        said = [offered(load_kit(kit, settings.kits), speech) for kit in sorted(kits)]
    except (KitError, UnknownBase, OSError):
        return ()
    return tuple(reason for reason in said[0] if all(reason in some for some in said))


def _batch(batch: Batch, kits: set[str], settings: Settings) -> BatchRow:
    problems = tuple(problem for problem in batch.problems if isinstance(problem, Mapping))
    return BatchRow(
        batch.id, batch.created_at, batch.kit, batch.quality, batch.base, batch.state, _reasons(batch, kits, settings),
        kit_title(batch.kit, settings.kits), dict(batch.facts), problems,
    )  # fmt: skip


def _person(
    seat: Seat,
    employee: Employee,
    selfies: Mapping[str, list[Selfie]],
    headshots: Sequence[tuple[Headshot, Showing]],
    decisions: Sequence[Decision],
    review: Review,
    adapters: Mapping[str, Adapter],
    may_show: bool,
) -> PersonRow:
    learnt = next((found for shot, _ in headshots if (found := adapters.get(shot.adapter_digest or ""))), None)
    detail = seat.findings
    # A photo's findings stand with the photo; what is about the person or the whole set stands with the person.
    about_photos = {one.get("photo") for one in detail if isinstance(one, Mapping)} - {None}
    mine = [one for one in detail if not (isinstance(one, Mapping) and one.get("photo") in about_photos)]
    return PersonRow(
        id=employee.id,
        number=employee.number,
        name=employee.name,
        title=employee.title,
        department=employee.department,
        email=employee.email,
        state=seat.state,
        reason=seat.reason,
        cause=seat.cause if seat.state == "failed" else None,
        kit=seat.kit,
        findings=_findings(mine if selfies.get(employee.id) else detail),
        cohort=seat.cohort,
        position=seat.position,
        selfies=tuple(
            SelfieRow(
                s.digest,
                s.blob_key,
                s.width,
                s.height,
                s.accepted,
                _findings(s.findings),
                small_photo(s.blob_key) if s.blob_key else "",
            )
            for s in selfies.get(employee.id, [])
        ),
        headshots=tuple(_headshot(shot, showing) for shot, showing in headshots),
        decisions=tuple(
            DecisionRow(d.verdict, d.by, d.at, d.headshot_digest, d.note, tuple(d.reasons)) for d in decisions
        ),
        review=review,
        adapter=None
        if learnt is None
        else AdapterRow(
            learnt.steps, learnt.photos, learnt.few_photos, learnt.seconds, learnt.loss_first, learnt.loss_last
        ),
        viewable=may_show,
    )


def _headshot(shot: Headshot, showing: Showing) -> HeadshotRow:
    # Retired here, where newer pictures took its place; another batch may still propose it.
    retired = showing.retired and shot.state == "candidate"
    return HeadshotRow(
        digest=shot.digest,
        key=shot.finished_key or shot.original_key,
        scores=Scores.from_json(shot.scores).shown(),
        flags=tuple(str(code) for code in shot.flags),
        choice=showing.choice,
        why=showing.why,
        state="retired" if retired else shot.state,
        lane=shot.lane,
        kit=shot.kit,
        shot=shot.shot,
        round=shot.round,
        seed=shot.seed,
        created_at=shot.created_at,
        thumb=shot.thumb_key if large_picture(shot.thumb_key) else "",
        large=large_picture(shot.thumb_key) or "",
    )


def _findings(rows: Iterable[Any]) -> tuple[FindingRow, ...]:
    return tuple(
        FindingRow(
            str(row.get("code", "")),
            "" if row.get("measured") is None else str(row["measured"]),
            "" if row.get("limit") is None else str(row["limit"]),
            str(row.get("sentence") or ""),
            str(row.get("severity") or "warn"),
        )
        for row in rows
        if isinstance(row, Mapping)
    )
