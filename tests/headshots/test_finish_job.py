"""Finishing in other processes: the same pictures and the same numbers, however many there are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tasks.hands import Hands
from tasks.headshots.finish_job import WORK, Finishers, Made, answered, ask, finish_here
from tasks.headshots.kit import BrandKit, kit_digest, kit_from
from tasks.shipped import SHIPPED
from tasks.vision.faces import Eyes
from tasks.vision.images import read_picture, resize


@pytest.mark.parametrize("name", ["signal", "daylight"])
def test_pictures_are_the_same_however_many_processes_finish_them(
    kits: dict[str, BrandKit], eyes: Eyes, name: str
) -> None:
    if eyes.name != "embedded":
        pytest.skip("the embedded eyes are not trained here")
    kit = _smaller(kits[name])
    selfies = sorted((SHIPPED / "samples" / "northwind" / "selfies").glob("*/*.jpg"))[:3:2]
    pictures = [resize(read_picture(path.read_bytes()).picture, 128, 128) for path in selfies]
    pictures.append(np.full((64, 64, 3), 90, np.uint8))
    here = [finish_here(picture, kit, eyes, "generated") for picture in pictures]
    assert [made.refused for made in here] == ["", "", "no_face"]
    for processes in (1, 2):
        hands = Hands(processes)
        finishers = Finishers(hands, "embedded", Path("none"))
        jobs = [(place, ask(one, kit, "generated", finishers)) for place, one in enumerate(pictures)]
        there = [made for _, made in hands.each(WORK, jobs, lambda _, opened: answered(opened))]
        hands.close()
        for one, other in zip(here, there, strict=True):
            _assert_alike(one, other)


def _assert_alike(one: Made, other: Made) -> None:
    assert (one.refused, one.source_inter_eye) == (other.refused, other.source_inter_eye)
    assert [*one.flags] == [*other.flags]
    if one.picture is not None and other.picture is not None:
        assert np.array_equal(one.picture, other.picture)
    plain = {k: list(v) if isinstance(v, tuple) else v for k, v in (one.measures or {}).items()}
    assert plain == (other.measures or {})


def _smaller(kit: BrandKit) -> BrandKit:
    """A frame of 256 px: this is about sameness, not about how well a large one is finished."""
    small = kit.model_copy(update={"framing": kit.framing.model_copy(update={"width": 256})})
    small._picture = kit.picture
    return small


def test_a_kit_arrives_whole(kits: dict[str, BrandKit]) -> None:
    for kit in kits.values():
        arrived = kit_from(kit.model_dump_json(), kit.picture)
        assert arrived == kit
        assert kit_digest(arrived) == kit_digest(kit)
