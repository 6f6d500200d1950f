"""The benchmark on skin: each third of the people for itself, with its sign, against the painter's own pictures."""

import numpy as np
import pytest

from benchmarks.embedded_skin import skin_lines, tone
from synthetic.dataset import SEEDS
from synthetic.painter.capture import CaptureWish, draw_capture
from synthetic.painter.identity import draw_identity
from synthetic.painter.painting import paint
from tasks.vision.faces import Eyes
from tasks.vision.images import Picture
from tasks.vision.open_eyes import open_eyes


@pytest.fixture(scope="module")
def eyes() -> Eyes:
    return open_eyes("embedded")


@pytest.fixture(scope="module")
def company(eyes: Eyes) -> list[list[Picture]]:
    """Three people, one picture each, from the darkest skin to the lightest."""
    wish = CaptureWish(background="white", light="softbox light", frontal=0.0)
    people = [draw_identity(SEEDS["benchmarks"] + 700_000 + i) for i in range(3)]
    pictures = [
        [paint(who, draw_capture(i, who, "studio", wish), 128, 1.0, "aligned").picture] for i, who in enumerate(people)
    ]
    return sorted(pictures, key=lambda row: tone(eyes, row))


def darker(picture: Picture) -> Picture:
    return np.asarray(np.round(picture * 0.8), np.uint8)


def test_a_shift_is_told_of_the_third_that_has_it_and_of_no_other(eyes: Eyes, company: list[list[Picture]]) -> None:
    drawn = [company[0], [darker(company[1][0])], company[2]]
    told = {what: float(figure.rstrip("°")) for what, figure, _ in skin_lines(eyes, company, drawn, {})}
    assert told["skin, darkest third of 1"] == told["skin, lightest third of 1"] == 0
    assert told["skin, middle third of 1"] < -3
    assert told["skin, shift of a person without its sign"] == pytest.approx(
        -told["skin, middle third of 1"] / 3, abs=0.1
    )


def test_what_stands_beside_is_told_against_the_same_truth(eyes: Eyes, company: list[list[Picture]]) -> None:
    dim = [[darker(picture) for picture in row] for row in company]
    beside = {"the selfies themselves": [dim[0], company[1], company[2]]}
    *_, (what, figure, target) = skin_lines(eyes, company, company, beside)
    first, second, third = (float(part) for part in figure.rstrip("°").split(" / "))
    assert (what, target) == ("skin, the selfies themselves", "")
    assert first < -3
    assert second == third == 0


def test_who_has_no_face_in_the_picture_is_left_out(eyes: Eyes, company: list[list[Picture]]) -> None:
    nobody = [np.full_like(company[1][0], 128)]
    assert np.isnan(tone(eyes, nobody))
    lines = skin_lines(eyes, company, [company[0], nobody, company[2]], {})
    assert [what for what, _, _ in lines[:3]] == [
        "skin, darkest third of 1", "skin, middle third of 1", "skin, lightest third of 0",
    ]  # fmt: skip
    assert [figure for _, figure, _ in lines[:3]] == ["+0.0°", "+0.0°", "none"]
