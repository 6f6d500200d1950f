"""Why a person is flagged: the word that decides what is done for them next."""

from __future__ import annotations

import pytest

from tasks.headshots.measure import PictureMeasures
from tasks.headshots.studio import Flag
from tasks.likeness.choose import Candidate
from tasks.likeness.judging import why_flagged
from tasks.likeness.score import LikenessScore

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
