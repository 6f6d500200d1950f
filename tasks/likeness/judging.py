"""Judging one cohort's pictures: is it them, is their skin their own, which one first; and who needs another round.

Vectors of faces live in this process's memory while a cohort is judged, and nowhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlmodel import select

from tasks import progress
from tasks.adapters.portraits import Likeness, open_selfies
from tasks.headshots.kit import BrandKit, kit_digest
from tasks.headshots.measure import PictureMeasures
from tasks.headshots.studio import Flag
from tasks.likeness.choose import GRAVE, Candidate, choose
from tasks.likeness.score import LikenessScore, Vector, face_hashes, likeness_flags, person_vector, score_headshot
from tasks.vault.batches import move_seat
from tasks.vault.consent import Permit
from tasks.vault.failures import NoConsent
from tasks.vault.records import Headshot, Seat
from tasks.vault.store import Vault
from tasks.vision.faces import Eyes
from tasks.vision.images import read_picture


@dataclass(frozen=True)
class Known:
    """What a person's selfies say, for as long as their pictures are judged."""

    permit: Permit
    vectors: tuple[Vector, ...]
    hashes: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Verdict:
    """One picture, judged."""

    row: Headshot
    candidate: Candidate


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
            known[seat.employee_id] = _known(permit, selfies, eyes)
        progress.tell("score", place + 1, len(seats), seat.employee_id)
    return known


def _known(permit: Permit, selfies: Sequence[Likeness], eyes: Eyes) -> Known:
    vectors = tuple(eyes.judge.embed(selfie.picture, selfie.face) for selfie in selfies)
    return Known(permit, vectors, tuple(face_hashes(selfie.picture, selfie.face) for selfie in selfies))


def pictures_of(vault: Vault, employee_id: str, kit: BrandKit) -> list[Headshot]:
    """A person's candidates under this kit that nobody has retired."""
    query = select(Headshot).where(Headshot.employee_id == employee_id, Headshot.kit_digest == kit_digest(kit))
    with vault.reading() as session:
        return [row for row in session.exec(query) if row.state != "retired"]


def judge(vault: Vault, batch: str, kit: BrandKit, eyes: Eyes, seats: Sequence[Seat]) -> None:
    """Scores and orders every picture of these people against their own selfies and against each other."""
    known = know(vault, eyes, seats)
    company = {employee_id: person_vector(one.vectors) for employee_id, one in known.items()}
    for seat in seats:
        if seat.employee_id not in known:
            continue
        rows = pictures_of(vault, seat.employee_id, kit)
        verdicts = [
            verdict for row in rows if (verdict := _judge_one(vault, row, known[seat.employee_id], company, kit, eyes))
        ]
        keep_verdicts(vault, verdicts)
        flagged = not verdicts or all(verdict.candidate.flags for verdict in verdicts)
        reason = _worst(verdicts) if flagged else None
        move_seat(vault, batch, seat.employee_id, "flagged" if flagged else "done", reason)


def _judge_one(
    vault: Vault, row: Headshot, known: Known, company: Mapping[str, Vector], kit: BrandKit, eyes: Eyes
) -> Verdict | None:
    if not row.finished_key:
        return None
    picture = read_picture(vault.read(known.permit, row.finished_key)).picture
    faces = eyes.finder.find(picture)
    if not faces:
        return None
    score = score_headshot(
        eyes.judge.embed(picture, faces[0]), known.vectors, company, row.employee_id, eyes.judge_thresholds,
        hashes=face_hashes(picture, faces[0]), selfie_hashes=known.hashes,
    )  # fmt: skip
    flags = [Flag(**flag) for flag in row.scores.get("flags", [])]
    flags = [flag for flag in flags if flag.code not in LIKENESS_CODES]
    flags += likeness_flags(score, kit.floors, eyes.judge_thresholds, lane=row.lane)
    return Verdict(row, Candidate(row.digest, score, PictureMeasures(**row.scores["measures"]), tuple(flags)))


# Flags that judging gives; those of finishing stay as they are.
LIKENESS_CODES = {"wrong_person", "margin", "likeness", "relative_likeness", "copied"}


def keep_verdicts(vault: Vault, verdicts: Sequence[Verdict]) -> None:
    """Writes scores, flags and the order of a person's pictures into their records."""
    order = {choice.key: choice for choice in choose([verdict.candidate for verdict in verdicts])}
    with vault.session() as session:
        for verdict in verdicts:
            row = session.get(Headshot, verdict.row.digest)
            if row is None:
                continue
            candidate = verdict.candidate
            row.scores = {**row.scores, **_scores(candidate.likeness, candidate.measures)}
            row.flags = [flag.code for flag in candidate.flags]
            row.scores["flags"] = [flag.as_json() for flag in candidate.flags]
            row.choice, row.why = order[row.digest].place, order[row.digest].why
            session.add(row)


def _scores(score: LikenessScore, measures: PictureMeasures) -> dict[str, Any]:
    """What the report shows as numbers and words."""
    return {
        **score.as_json(), "background": measures.background, "halo": measures.halo, "holes": measures.holes,
        "sharpness": measures.sharpness,
    }  # fmt: skip


def _worst(verdicts: Sequence[Verdict]) -> str:
    """Why a person is flagged: the gravest thing about their best picture."""
    if not verdicts:
        return "no_face"
    best = choose([verdict.candidate for verdict in verdicts])[0].key
    codes = [flag.code for verdict in verdicts if verdict.row.digest == best for flag in verdict.candidate.flags]
    return next((code for code in codes if code in GRAVE), codes[0])
