"""What a verdict rests on, so that no picture is judged twice: again only where photos, company, wish, kit or eyes are
others than they were. Nothing is opened for it: photos are known by their digests.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from tasks.adapters.portraits import accepted_selfies
from tasks.headshots.kit import BrandKit, kit_digest
from tasks.headshots.measure import PictureMeasures
from tasks.headshots.studio import Flag
from tasks.likeness.choose import Candidate
from tasks.likeness.score import LikenessScore
from tasks.vault.consent import Permit
from tasks.vault.leaving import Leavers
from tasks.vault.records import Employee, Headshot, Seat
from tasks.vault.scores import Scores
from tasks.vault.store import Vault
from tasks.vision.faces import Eyes

RULES = 1  # goes up when a change of the judge makes the verdicts of before wrong


@dataclass(frozen=True)
class KnownFace:
    """Somebody whose pictures may be looked at, and what of theirs a verdict rests on."""

    permit: Permit
    photos: tuple[str, ...]  # digests of the accepted ones, best first
    glasses: str  # what the roster wishes: keep, on or off


def sitters(vault: Vault, seats: Sequence[Seat]) -> dict[str, KnownFace]:
    """Everybody of these with leave and photos, by id."""
    found: dict[str, KnownFace] = {}
    for seat in seats:
        with Leavers(vault, seat.batch_id).may_leave(seat.employee_id):
            permit = vault.permit(seat.employee_id, now=datetime.now(UTC))
            photos = tuple(selfie.digest for selfie in accepted_selfies(vault, seat.employee_id))
            with vault.reading() as session:
                person = session.get(Employee, seat.employee_id)
            if photos:
                found[seat.employee_id] = KnownFace(permit, photos, person.glasses if person else "keep")
    return found


def grounds(employee_id: str, company: dict[str, KnownFace], kit: BrandKit, eyes: Eyes) -> str:
    """A digest of everything that a verdict on this person's pictures rests on, but for the picture itself."""
    content: list[Any] = [
        RULES, eyes.name, eyes.judge.name, repr(eyes.judge_thresholds), kit_digest(kit), kit.floors.model_dump(),
        employee_id, company[employee_id].glasses, [[one, sitter.photos] for one, sitter in sorted(company.items())],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def candidate_of(row: Headshot) -> Candidate:
    """A judged picture read back from its record."""
    scores = Scores.from_json(row.scores)
    return Candidate(
        key=row.digest,
        likeness=LikenessScore(**(scores.likeness or {}), nearest_other=None),
        measures=PictureMeasures.from_json(scores.measures),
        flags=tuple(Flag(**flag) for flag in scores.flags),
        texture_ratio=(scores.faithfulness or {})["texture_ratio"],
    )


def as_judged(row: Headshot) -> Candidate:
    """The same without what the whole team's light has said: that is asked again of the team as it is now."""
    one = candidate_of(row)
    return replace(one, flags=tuple(flag for flag in one.flags if flag.code != "light"))
