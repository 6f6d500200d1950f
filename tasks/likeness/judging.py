"""Judging people's pictures from the records: scores, flags and order go into the rows, and each seat moves on.

Vectors and crops of faces live in this process's memory while people are judged, and nowhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlmodel import col, select

from tasks import progress
from tasks.adapters.portraits import open_selfies
from tasks.headshots.batch_kits import BatchKits
from tasks.headshots.kit import BrandKit, kit_digest
from tasks.headshots.measure import NoFaceLeft, PictureMeasures
from tasks.headshots.studio import studio_flags
from tasks.likeness.choose import GRAVE, NOT_LIKE_THEM, OF_THE_PHOTOS, Candidate, choose
from tasks.likeness.judge import Judged, ToJudge, Vector, judge_candidate
from tasks.likeness.reference import PersonReference, read_reference
from tasks.vault.batches import move_seat
from tasks.vault.consent import Permit
from tasks.vault.leaving import Leavers
from tasks.vault.records import Employee, Headshot, Seat, Showing
from tasks.vault.scores import Scores
from tasks.vault.store import Vault
from tasks.vision.faces import Eyes
from tasks.vision.images import read_picture


@dataclass(frozen=True)
class KnownFace:
    """Leave to look at a person's pictures, and what their selfies say."""

    permit: Permit
    reference: PersonReference
    glasses: str  # what the roster wishes: keep, on or off


def know(vault: Vault, eyes: Eyes, seats: Sequence[Seat]) -> dict[str, KnownFace]:
    """Opens everybody's selfies once. People without leave or without a face in their photos are left out."""
    known: dict[str, KnownFace] = {}
    for place, seat in enumerate(seats):
        with Leavers(vault, seat.batch_id).may_leave(seat.employee_id):
            permit = vault.permit(seat.employee_id, now=datetime.now(UTC))
            selfies = open_selfies(vault, permit, eyes)
            if selfies:
                reference = read_reference([(selfie.picture, selfie.face) for selfie in selfies], eyes)
                with vault.reading() as session:
                    person = session.get(Employee, seat.employee_id)
                known[seat.employee_id] = KnownFace(permit, reference, person.glasses if person else "keep")
        progress.tell("score", place + 1, len(seats), seat.employee_id)
    return known


def pictures_of(vault: Vault, batch: str, employee_id: str, kit: BrandKit) -> list[Headshot]:
    """A person's candidates in this batch under this kit that nobody has retired."""
    query = select(Headshot).join(Showing, col(Showing.headshot_digest) == col(Headshot.digest))
    query = query.where(Headshot.employee_id == employee_id, Headshot.kit_digest == kit_digest(kit))
    query = query.where(Showing.batch_id == batch, col(Showing.retired).is_(False), Headshot.state != "retired")
    with vault.reading() as session:
        return list(session.exec(query.order_by(col(Headshot.digest))))


def first_choice(vault: Vault, batch: str, employee_id: str, kit: BrandKit) -> Headshot | None:
    """The picture that is shown first, once somebody has judged."""
    rows = {row.digest: row for row in pictures_of(vault, batch, employee_id, kit)}
    with vault.reading() as session:
        first = select(Showing.headshot_digest).where(
            Showing.batch_id == batch, Showing.employee_id == employee_id, Showing.choice == 1
        )
        return next((rows[digest] for digest in session.exec(first) if digest in rows), None)


def judge(vault: Vault, batch: str, kits: BatchKits, eyes: Eyes, seats: Sequence[Seat]) -> None:
    """Scores and orders every picture of these people, against their own selfies and against each other."""
    known = know(vault, eyes, seats)
    company = {employee_id: one.reference.vector for employee_id, one in known.items()}
    leavers = Leavers(vault, batch)
    for seat in (one for one in seats if one.employee_id in known):
        kit = kits.of(seat)
        if kit is None:
            continue  # it broke after the pictures were taken: they wait as they are
        with leavers.may_leave(seat.employee_id):
            rows = pictures_of(vault, batch, seat.employee_id, kit)
            verdicts = _judge_person(vault, seat.employee_id, rows, known[seat.employee_id], company, kit, eyes)
            keep_verdicts(vault, batch, verdicts)
            reason = why_flagged([verdict.candidate for verdict in verdicts])
            move_seat(vault, batch, seat.employee_id, "flagged" if reason else "done", reason)


def _judge_person(
    vault: Vault,
    employee_id: str,
    rows: Sequence[Headshot],
    known: KnownFace,
    company: Mapping[str, Vector],
    kit: BrandKit,
    eyes: Eyes,
) -> list[Judged]:
    judged = []
    for row in rows:
        if not row.finished_key:
            continue
        scores = Scores.from_json(row.scores)
        measures = PictureMeasures.from_json(dict(scores.measures or {}))
        one = ToJudge(
            row.digest, read_picture(vault.read(known.permit, row.finished_key)).picture, measures,
            tuple(studio_flags(measures, kit)), row.lane, float(scores.source_inter_eye or 0),
        )  # fmt: skip
        try:
            judged.append(judge_candidate(one, known.reference, company, employee_id, kit, eyes, wish=known.glasses))
        except NoFaceLeft:
            _flag(vault, row.digest, "no_face")
    return judged


def _flag(vault: Vault, digest: str, code: str) -> None:
    with vault.session() as session:
        row = session.get(Headshot, digest)
        if row is not None:
            row.flags = sorted({*row.flags, code})
            session.add(row)


def keep_verdicts(vault: Vault, batch: str, verdicts: Sequence[Judged]) -> None:
    """Writes scores, flags and the order of a person's pictures into their records."""
    tables = {
        verdict.candidate.key: {"faithfulness": verdict.faithfulness.as_json(), "kept": verdict.kept.as_json()}
        for verdict in verdicts
    }
    keep_candidates(vault, batch, [verdict.candidate for verdict in verdicts], tables)


def keep_candidates(
    vault: Vault, batch: str, candidates: Sequence[Candidate], tables: Mapping[str, Mapping[str, Any]] | None = None
) -> None:
    """Writes what one person's pictures come to: likeness and flags with the picture, its place with the batch.

    `tables`: by picture, parts of the scores that are new as well.
    """
    with vault.session() as session:
        for choice in choose(candidates):
            candidate = next(one for one in candidates if one.key == choice.key)
            row, shown = session.get(Headshot, choice.key), session.get(Showing, (batch, choice.key))
            if row is None or shown is None:
                continue
            likeness = candidate.likeness.as_json()
            likeness.pop("nearest_other")  # an id of somebody else has no place in this person's record
            scores = replace(
                Scores.from_json(row.scores), likeness=likeness,
                flags=tuple(flag.as_json() for flag in candidate.flags), **(tables or {}).get(choice.key, {}),
            )  # fmt: skip
            row.scores, row.flags = scores.as_json(), [flag.code for flag in candidate.flags]
            shown.choice, shown.why = choice.place, choice.why
            session.add_all([row, shown])


def why_flagged(candidates: Sequence[Candidate]) -> str | None:
    """Why a person needs a human's eye: the gravest thing about their best picture; None when it is clean.

    That it is not like them goes before how it is framed: on this word hangs what is done for them next. What no other
    picture can cure comes last.
    """
    if not candidates:
        return "no_face"
    first = choose(candidates)[0].key
    codes = [flag.code for candidate in candidates if candidate.key == first for flag in candidate.flags]
    for graver in (GRAVE, NOT_LIKE_THEM):
        if found := next((code for code in codes if code in graver), None):
            return found
    return next((code for code in codes if code not in OF_THE_PHOTOS), codes[0] if codes else None)
