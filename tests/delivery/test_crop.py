"""Crops follow the picture's own head: hair, chin and the circle that directories cut."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.delivery.crop import HEAD_BREADTH, LOWEST_CHIN, HeadPlace, cut, head_of, window
from tasks.headshots.kit_sections import Framing, Output


def output(crop: str, width: int = 400, height: int = 400) -> Output:
    return Output.model_validate({"name": "out", "width": width, "height": height, "crop": crop})


heads = st.builds(
    HeadPlace,
    eye_line=st.floats(0.3, 0.6),
    centre=st.floats(0.35, 0.65),
    height=st.floats(0.3, 0.85),
    top=st.floats(0.0, 0.15),
)
frames = st.sampled_from([(1024, 1024), (1024, 1280), (768, 1024), (1280, 1024)])


@settings(max_examples=100, deadline=None)
@given(heads, frames, st.sampled_from([(400, 400), (295, 378), (800, 600)]))
def test_a_circle_holds_the_whole_head_of_anybody(
    head: HeadPlace, frame: tuple[int, int], size: tuple[int, int]
) -> None:
    width, height = frame
    part = window(frame, output("circle", *size), head)
    radius, x, y = min(part.width, part.height) / 2, part.left + part.width / 2, part.top + part.height / 2
    points = [
        (head.centre * width, head.top * height),
        (head.centre * width, min(head.chin, LOWEST_CHIN) * height),
        (head.centre * width - HEAD_BREADTH * head.height * height, head.eye_line * height),
        (head.centre * width + HEAD_BREADTH * head.height * height, head.eye_line * height),
    ]
    assert max(math.hypot(px - x, py - y) for px, py in points) <= radius
    assert y + radius <= height + 1  # never below the picture: there is no more of the person
    assert part.width / part.height == pytest.approx(size[0] / size[1], rel=0.03)


def test_where_the_finished_picture_holds_the_circle_it_is_taken_as_it_is() -> None:
    small = HeadPlace(eye_line=0.45, centre=0.5, height=0.5, top=0.15)
    assert window((1024, 1024), output("circle"), small) == window((1024, 1024), output("cover"), small)


def test_a_lower_crop_loses_the_chest_and_not_the_hair() -> None:
    part = window((1024, 1280), output("cover", 400, 400), HeadPlace(0.45, 0.5, 0.55, 0.12))
    assert part.top <= 0.12 * 1280
    assert part.top + part.height >= HeadPlace(0.45, 0.5, 0.55, 0.12).chin * 1280


def test_a_person_off_the_middle_stays_in_the_middle_of_an_upright_crop() -> None:
    part = window((1024, 1024), output("cover", 300, 400), HeadPlace(0.47, 0.42, 0.6, 0.1))
    assert part.left + part.width / 2 == pytest.approx(0.42 * 1024, abs=1)


def test_what_was_measured_goes_before_what_the_kit_wants() -> None:
    framing = Framing()
    assert head_of(None, framing).eye_line == framing.eye_line
    said = {"eye_line": 0.4, "centre": 0.48, "head_height": 0.6, "headroom": 0.05}
    assert head_of(said, framing) == HeadPlace(0.4, 0.48, 0.6, 0.05)
    assert head_of({**said, "headroom": 0.3}, framing).top == pytest.approx(0.1)  # hair never begins below the crown


def test_beyond_the_edge_the_edge_goes_on() -> None:
    picture = np.tile(np.arange(100, dtype=np.uint8)[None, :, None], (100, 1, 3))
    part = window((100, 100), output("circle"), HeadPlace(0.48, 0.3, 0.85, 0.02))
    assert part.left < 0
    cutting = cut(picture, part)
    assert cutting.shape == (part.height, part.width, 3)
    assert cutting[:, : -part.left].max() == 0  # the leftmost column of the picture, carried outwards
    assert (cutting[0, -part.left :] == picture[0, : part.width + part.left]).all()
