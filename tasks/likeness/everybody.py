"""Everybody beside everybody: what can only be said once all cohorts have their pictures.

A cohort's judge knows sixteen people. A picture that is nearer to somebody in another cohort, two people swapped
between cohorts, and a light that falls otherwise than on the rest of the team show only here. What is found becomes
flags of the pictures, and the choice is made again, so a person with another picture needs no new one. Vectors are in
memory only; the same pictures are never compared twice.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from tasks import progress
from tasks.adapters.portraits import open_selfies
from tasks.headshots.batch_kits import BatchKits
from tasks.headshots.look import find_head
from tasks.headshots.studio import Flag
from tasks.likeness.choose import Candidate, choose
from tasks.likeness.grounds import candidate_of
from tasks.likeness.judge import Vector
from tasks.likeness.judging import keep_candidates, pictures_of, why_flagged
from tasks.likeness.score import company_flags, person_vector, place_in_company
from tasks.likeness.team import LIGHT, usual_light
from tasks.sentences import tell
from tasks.vault.batches import move_seat, seats_of
from tasks.vault.leaving import Leavers
from tasks.vault.records import Headshot, Seat
from tasks.vault.scores import Scores
from tasks.vault.seats import HELD, JUDGED
from tasks.vault.store import Vault
from tasks.vision.faces import Eyes
from tasks.vision.images import read_picture

COMPANY_CODES = {"wrong_person", "margin"}  # flags that depend on who else there is


@dataclass(frozen=True)
class JudgedSeat:
    """One person's seat and judged pictures."""

    seat: Seat
    candidates: tuple[Candidate, ...]

    @property
    def first(self) -> Candidate:
        """The picture that is shown first."""
        chosen = choose(self.candidates)[0].key
        return next(candidate for candidate in self.candidates if candidate.key == chosen)


def pictures_digest(vault: Vault, batch: str, kits: BatchKits) -> str:
    """Changes when anybody's pictures do, or when they were judged anew."""
    seats = seats_of(vault, batch, states=JUDGED)
    held = [[seat.employee_id, sorted(row.digest for row in _judged(vault, seat, kits))] for seat in seats]
    return hashlib.sha256(json.dumps(held).encode()).hexdigest()[:16]


def compare_everybody(vault: Vault, batch: str, kits: BatchKits, eyes: Eyes) -> None:
    """Flags what only the whole company shows, chooses again, and moves the seats accordingly. Light is compared with
    those under the same kit."""
    seats = seats_of(vault, batch, states=JUDGED)
    before = [shelf for seat in seats if (shelf := _shelf(vault, seat, kits)).candidates]
    after = before
    if len({shelf.seat.cohort for shelf in before}) > 1:  # one cohort's judge has seen the whole company already
        after = _beside_the_company(vault, batch, after, eyes)
    after = [lit for kit in {s.seat.kit: 0 for s in after} for lit in beside_the_teams_light(_under(kit, after))]
    before = [shelf for kit in {s.seat.kit: 0 for s in before} for shelf in _under(kit, before)]
    for old, new in zip(before, after, strict=True):
        if old != new:
            _write(vault, batch, new)


def _under(kit: str, shelves: Sequence[JudgedSeat]) -> list[JudgedSeat]:
    return [shelf for shelf in shelves if shelf.seat.kit == kit]


def _judged(vault: Vault, seat: Seat, kits: BatchKits) -> list[Headshot]:
    kit = kits.of(seat)
    rows = [] if kit is None else pictures_of(vault, seat.batch_id, seat.employee_id, kit)
    return [row for row in rows if row.finished_key and Scores.from_json(row.scores).judged]


def _shelf(vault: Vault, seat: Seat, kits: BatchKits) -> JudgedSeat:
    return JudgedSeat(seat, tuple(candidate_of(row) for row in _judged(vault, seat, kits)))


def _beside_the_company(vault: Vault, batch: str, shelves: Sequence[JudgedSeat], eyes: Eyes) -> list[JudgedSeat]:
    """Rank and margin of every picture against the selfies of everybody who takes part in the batch."""
    company = dict(_references(vault, batch, eyes))
    compared = []
    for place, shelf in enumerate(shelves):
        owner = shelf.seat.employee_id
        if owner not in company:
            compared.append(shelf)
            continue
        placed = []
        for candidate in shelf.candidates:
            vector = None
            with Leavers(vault, batch).may_leave(owner):
                vector = _vector_of(vault, shelf.seat, candidate.key, eyes)
            placed.append(candidate if vector is None else in_company(candidate, vector, company, owner, eyes))
        compared.append(replace(shelf, candidates=tuple(placed)))
        progress.tell("score", place + 1, len(shelves), owner)
    return compared


def in_company(
    candidate: Candidate, vector: Vector, company: Mapping[str, Vector], owner: str, eyes: Eyes
) -> Candidate:
    """A candidate with its rank and margin among these people, and the flags that follow."""
    rank, margin, _nearest = place_in_company(vector, company, owner)
    likeness = replace(candidate.likeness, rank=rank, margin=margin)
    others = tuple(flag for flag in candidate.flags if flag.code not in COMPANY_CODES)
    return replace(candidate, likeness=likeness, flags=(*company_flags(likeness, eyes.judge_thresholds), *others))


def _references(vault: Vault, batch: str, eyes: Eyes) -> Iterator[tuple[str, Vector]]:
    """Everybody's own vector, one person's selfies in memory at a time."""
    for seat in seats_of(vault, batch):
        if seat.cohort is None or seat.state in HELD:
            continue
        vectors: list[Vector] = []
        with Leavers(vault, batch).may_leave(seat.employee_id):
            permit = vault.permit(seat.employee_id, now=datetime.now(UTC))
            vectors = [eyes.judge.embed(one.picture, one.face) for one in open_selfies(vault, permit, eyes)]
        if vectors:
            yield seat.employee_id, person_vector(vectors)


def _vector_of(vault: Vault, seat: Seat, digest: str, eyes: Eyes) -> Vector | None:
    with vault.reading() as session:
        row = session.get(Headshot, digest)
    if row is None:
        return None
    permit = vault.permit(seat.employee_id, now=datetime.now(UTC))
    picture = read_picture(vault.read(permit, row.finished_key)).picture
    face = find_head(picture, eyes)
    return None if face is None else eyes.judge.embed(picture, face)


def beside_the_teams_light(shelves: Sequence[JudgedSeat]) -> list[JudgedSeat]:
    """Flags pictures on which the light falls otherwise than on the team's first choices."""
    if not shelves:
        return []
    firsts = [shelf.first.measures for shelf in shelves]
    usual = [(read, *usual_light(np.array([read(one) for one in firsts]))) for _measure, read, _target in LIGHT]
    flagged = []
    for shelf in shelves:
        lit = []
        for candidate in shelf.candidates:
            flags = [flag for flag in candidate.flags if flag.code != "light"]
            for read, middle, limit in usual:
                value = read(candidate.measures)
                if abs(value - middle) > limit:
                    sentence = tell("seen.light", stops=abs(value - middle))
                    bound = middle + limit if value > middle else middle - limit
                    flags.append(Flag("light", round(value, 2), round(bound, 2), sentence))
            lit.append(replace(candidate, flags=tuple(flags)))
        flagged.append(replace(shelf, candidates=tuple(lit)))
    return flagged


def _write(vault: Vault, batch: str, shelf: JudgedSeat) -> None:
    """Scores, flags and order into the pictures' rows, and how the person stands into the seat."""
    keep_candidates(vault, batch, shelf.candidates)
    reason = why_flagged(shelf.candidates)
    move_seat(vault, batch, shelf.seat.employee_id, "flagged" if reason else "done", reason)
