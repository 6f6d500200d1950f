"""Judging people's pictures from the records: scores, flags and order go into the rows, and each seat moves on.

Vectors and crops of faces live in this process's memory while people are judged, and nowhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlmodel import select

from tasks import progress
from tasks.adapters.portraits import open_selfies
from tasks.headshots.kit import BrandKit, kit_digest
from tasks.headshots.measure import NoFaceLeft, PictureMeasures
from tasks.headshots.studio import studio_flags
from tasks.likeness.choose import GRAVE, NOT_LIKE_THEM, OF_THE_PHOTOS, Candidate, choose
from tasks.likeness.judge import Judged, ToJudge, Vector, judge_candidate
from tasks.likeness.reference import PersonReference, read_reference
from tasks.vault.batches import move_seat
from tasks.vault.consent import Permit
from tasks.vault.failures import NoConsent
from tasks.vault.records import Employee, Headshot, Seat
from tasks.vault.store import Vault
from tasks.vision.faces import Eyes
from tasks.vision.images import read_picture


@dataclass(frozen=True)
class Known:
    """Leave to look at a person's pictures, and what their selfies say."""

    permit: Permit
    reference: PersonReference
    glasses: str  # what the roster wishes: keep, on or off


def know(vault: Vault, eyes: Eyes, seats: Sequence[Seat]) -> dict[str, Known]:
    """Opens everybody's selfies once. People without leave or without a face in their photos are left out."""
    known: dict[str, Known] = {}
    for place, seat in enumerate(seats):
        try:
            permit = vault.permit(seat.employee_id, now=datetime.now(UTC))
        except NoConsent:
            continue
        selfies = open_selfies(vault, permit, eyes)
        if selfies:
            reference = read_reference([(selfie.picture, selfie.face) for selfie in selfies], eyes)
            with vault.reading() as session:
                person = session.get(Employee, seat.employee_id)
            known[seat.employee_id] = Known(permit, reference, person.glasses if person else "keep")
        progress.tell("score", place + 1, len(seats), seat.employee_id)
    return known


def pictures_of(vault: Vault, batch: str, employee_id: str, kit: BrandKit) -> list[Headshot]:
    """A person's candidates in this batch under this kit that nobody has retired."""
    query = select(Headshot).where(
        Headshot.employee_id == employee_id, Headshot.batch_id == batch, Headshot.kit_digest == kit_digest(kit)
    )
    with vault.reading() as session:
        return [row for row in session.exec(query) if row.state != "retired"]


def judge(vault: Vault, batch: str, kit: BrandKit, eyes: Eyes, seats: Sequence[Seat]) -> None:
    """Scores and orders every picture of these people, against their own selfies and against each other."""
    known = know(vault, eyes, seats)
    company = {employee_id: one.reference.vector for employee_id, one in known.items()}
    for seat in seats:
        if seat.employee_id in known:
            rows = pictures_of(vault, batch, seat.employee_id, kit)
            verdicts = _judge_person(vault, seat.employee_id, rows, known[seat.employee_id], company, kit, eyes)
            keep_verdicts(vault, verdicts)
            reason = why_flagged([verdict.candidate for verdict in verdicts])
            move_seat(vault, batch, seat.employee_id, "flagged" if reason else "done", reason)


def _judge_person(
    vault: Vault,
    employee_id: str,
    rows: Sequence[Headshot],
    known: Known,
    company: Mapping[str, Vector],
    kit: BrandKit,
    eyes: Eyes,
) -> list[Judged]:
    judged = []
    for row in rows:
        if not row.finished_key:
            continue
        measures = PictureMeasures.from_json(row.scores["measures"])
        one = ToJudge(
            row.digest, read_picture(vault.read(known.permit, row.finished_key)).picture, measures,
            tuple(studio_flags(measures, kit)), row.lane, float(row.scores["source_inter_eye"]),
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


def keep_verdicts(vault: Vault, verdicts: Sequence[Judged]) -> None:
    """Writes scores, flags and the order of a person's pictures into their records."""
    order = {choice.key: choice for choice in choose([verdict.candidate for verdict in verdicts])}
    with vault.session() as session:
        for verdict in verdicts:
            row = session.get(Headshot, verdict.candidate.key)
            if row is None:
                continue
            tables = {"faithfulness": verdict.faithfulness.as_json(), "kept": verdict.kept.as_json()}
            row.scores = {**row.scores, **shown_scores(verdict), **tables}
            row.flags = [flag.code for flag in verdict.flags]
            row.choice, row.why = order[row.digest].place, order[row.digest].why
            session.add(row)


def shown_scores(verdict: Judged) -> dict[str, Any]:
    """The numbers a reviewer sees, under the names the report knows; the flags with their sentences beside them."""
    measures, skin = verdict.candidate.measures, verdict.faithfulness.skin_shift
    shown = {
        **verdict.likeness.as_json(), "background": measures.background, "halo": measures.halo,
        "holes": measures.holes, "skin": None if skin is None else abs(skin),
        "flags": [flag.as_json() for flag in verdict.flags],
    }  # fmt: skip
    shown.pop("nearest_other")  # an id of somebody else has no place in this person's record
    return shown


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
