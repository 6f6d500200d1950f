"""A second look: in better light, or closer; and what it finds lies where it lies in the picture as it came."""

from dataclasses import dataclass

import numpy as np
import pytest

from tasks.selfies.search import even_out, search
from tasks.vision.faces import Face
from tasks.vision.images import Picture


@dataclass(frozen=True)
class Particular:
    """Finds the brightest spot of a picture, in good light only, when it fills `share` of the width at least."""

    share: float = 0.0
    score: float = 0.9
    light: float = 100.0

    def find(self, picture: Picture) -> list[Face]:
        ys, xs = np.nonzero(picture.max(-1) >= max(1, picture.max()))
        if picture.mean() < self.light or len(xs) == 0 or np.ptp(xs) + 1 < self.share * picture.shape[1]:
            return []
        box = (float(xs.min()), float(ys.min()), float(np.ptp(xs) + 1), float(np.ptp(ys) + 1))
        return [Face(box, np.full((5, 2), (box[0], box[1]), np.float32), self.score)]


def spot(background: int, bright: int, side: int = 20) -> Picture:
    picture = np.full((200, 200, 3), background, np.uint8)
    picture[100 : 100 + side, 120 : 120 + side] = bright
    return picture


def test_a_dark_picture_is_looked_at_in_better_light() -> None:
    dark = spot(12, 30)
    assert Particular().find(dark) == []
    (face,) = search(dark, Particular(), 0.5)
    assert face.box == (120, 100, 20, 20)
    assert even_out(dark).mean() > 100


def test_a_small_face_is_found_closer_and_put_back_where_it_is() -> None:
    finder = Particular(share=0.12)
    picture = spot(120, 255)
    assert finder.find(picture) == []
    (face,) = search(picture, finder, 0.5)
    assert face.box == (120, 100, 20, 20)
    assert face.landmarks[0] == pytest.approx((120, 100))


def test_a_weak_find_comes_last_and_too_weak_is_none() -> None:
    picture = spot(120, 255)
    assert search(picture, Particular(share=0.12, score=0.4), 0.5)[0].score == 0.4
    assert search(picture, Particular(share=0.12, score=0.3), 0.5) == []
