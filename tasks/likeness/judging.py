"""Judging one cohort's pictures: is it them, is their skin their own, which one first; and who needs another round.

Vectors of faces live in this process's memory while a cohort is judged, and nowhere else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from sqlmodel import col, select

from tasks import progress
from tasks.adapters.portraits import open_selfies
from tasks.headshots.kit import BrandKit, kit_digest
from tasks.headshots.measure import PictureMeasures
from tasks.headshots.studio import Flag
from tasks.likeness.choose import Candidate, choose
from tasks.likeness.faithful import SkinReference, faithfulness_flags, read_reference
from tasks.likeness.score import (
    LikenessScore,
    Vector,
    face_hashes,
    likeness_flags,
    person_vector,
    score_headshot,
)
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
    skin: SkinReference


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
            known[seat.employee_id] = Known(
                permit,
                tuple(eyes.judge.embed(selfie.picture, selfie.face) for selfie in selfies),
                tuple(face_hashes(selfie.picture, selfie.face) for selfie in selfies),
                read_reference([(selfie.picture, selfie.face) for selfie in selfies]),
            )
        progress.tell("score", place + 1, 2 * len(seats), seat.employee_id)
    return known
