"""Why a person is flagged: the word that decides what is done for them next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tasks.headshots.measure import PictureMeasures
from tasks.headshots.studio import Flag
from tasks.likeness.choose import Candidate
from tasks.likeness.judging import _judge_person, why_flagged
from tasks.likeness.score import LikenessScore
from tasks.vault.records import Headshot

LIKE = LikenessScore(0.6, 0.95, 0.99, 1, 0.3, "p9", False)


@pytest.mark.parametrize(
    ("codes", "reason"),
    [
        (("inter_eye", "halo"), "inter_eye"),
        (("inter_eye", "relative_likeness"), "relative_likeness"),  # learned for longer, and not merely framed again
        (("likeness", "holes"), "holes"),
        (("skin_tone", "margin", "wrong_person"), "wrong_person"),
        (("one_photo", "halo"), "halo"),  # what another picture can cure goes before what none can
        (("one_photo",), "one_photo"),
        ((), None),
    ],
)
def test_the_gravest_is_named(clean: PictureMeasures, codes: tuple[str, ...], reason: str | None) -> None:
    flags = tuple(Flag(code, 1, 0, "") for code in codes)
    assert why_flagged([Candidate("a", LIKE, clean, flags)]) == reason


def test_a_person_without_a_picture_has_no_face() -> None:
    assert why_flagged([]) == "no_face"


def test_a_picture_that_could_not_be_finished_is_not_judged(house: Any) -> None:
    """Its row says why; there are no pixels to look at, and nobody else waits for it."""
    row = Headshot(
        digest="d", employee_id="p1", kit="k", kit_digest="k", shot=0, seed=1, finished_key="", flags=["no_face"],
        created_at=datetime(2026, 11, 23, tzinfo=UTC),
    )  # fmt: skip
    assert _judge_person(house.vault, "p1", [row], None, {}, house.kit, None) == []  # type: ignore[arg-type]
