"""Where a size is cut out of a finished picture: by where its own head is, so that neither hair nor chin is lost.

`cover` takes the largest part of the size's proportion, with the eyes where people expect them. `circle` also keeps the
whole head inside the circle that most directories cut; where the finished picture is too narrow for that, its edges are
carried on, which on a backdrop shows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from tasks.headshots.kit_sections import Framing, Output
from tasks.vision.images import Picture

EYE_LINE = 0.42  # of a crop that is lower than the finished picture, share of its height
LOWEST_EYES = 0.47  # of a crop's height
HEAD_BREADTH = 0.40  # from the middle of a head to its side, ears and some hair with it, in heads from crown to chin
EYES_IN_HEAD = 0.5  # from crown to chin
AIR = 0.03  # of the crop's height, above hair that would else touch its edge
CIRCLE = 0.98  # of the circle's radius that a head may fill
LOWEST_CHIN = 0.97  # of a picture's height: of a head that a kit lets hang lower, no more is asked
GROWING = tuple(1 + step / 50 for step in range(51))  # of a window that holds no such circle yet


@dataclass(frozen=True)
class HeadPlace:
    """Where a head is in a picture, in shares of the picture's width (`centre`) and height (the others)."""

    eye_line: float
    centre: float
    height: float  # crown to chin
    top: float  # of hair or hat

    @property
    def chin(self) -> float:
        return self.eye_line + (1 - EYES_IN_HEAD) * self.height


@dataclass(frozen=True)
class Window:
    """A part of a picture, in its pixels; it may reach over the picture's edges."""

    left: int
    top: int
    width: int
    height: int


def head_of(measures: Mapping[str, Any] | None, framing: Framing) -> HeadPlace:
    """What was measured on this very picture; where nobody measured, where the kit wants heads to be."""
    said = measures or {}
    eyes = float(said.get("eye_line", framing.eye_line))
    height = float(said.get("head_height", framing.head_height))
    crown = eyes - EYES_IN_HEAD * height
    free = said.get("headroom")
    return HeadPlace(
        eyes, float(said.get("centre", framing.centre)), height, min(crown, float(free)) if free else crown
    )


def window(size: tuple[int, int], output: Output, head: HeadPlace) -> Window:
    """What is cut out of a picture of this (width, height): of the output's proportion, as large as there is."""
    width, height = size
    share = min(width / output.width, height / output.height)
    across, down = min(width, round(output.width * share)), min(height, round(output.height * share))
    if output.crop == "circle":
        return _round(size, across, down, head)
    eyes = head.eye_line * height
    top = min(eyes - EYE_LINE * down, head.top * height - AIR * down)  # rather the chest than the hair
    top = max(top, eyes - LOWEST_EYES * down)  # in a banner there is room for neither
    return Window(_within(head.centre * width - across / 2, width - across), _within(top, height - down), across, down)


def _round(size: tuple[int, int], across: int, down: int, head: HeadPlace) -> Window:
    """The least window, from this one up, whose circle holds the whole head; the eyes as near their line as it goes."""
    part = Window(0, 0, across, down)
    for larger in GROWING:
        part = Window(0, 0, round(across * larger), round(down * larger))
        for left in _lefts(size[0], part.width, head.centre * size[0]):
            top = _highest(size, part, left, head)
            if top is not None:
                return Window(left, top, part.width, part.height)
    return Window(round(head.centre * size[0] - part.width / 2), size[1] - part.height, part.width, part.height)


def _lefts(width: int, across: int, middle: float) -> tuple[int, ...]:
    """Inside the picture, if it is wide enough; then with the head in the middle, over its edge if need be."""
    free = round(middle - across / 2)
    return (_within(free, width - across), free) if across <= width else (free,)


def _highest(size: tuple[int, int], part: Window, left: int, head: HeadPlace) -> int | None:
    """Where such a window begins, if its circle can hold the head there. The circle never reaches below the picture:
    there is no more of the person, while above it there is backdrop."""
    width, height = size
    middle, eyes, chin = head.centre * width, head.eye_line * height, min(head.chin, LOWEST_CHIN) * height
    top, side = max(head.top, 0.0) * height, HEAD_BREADTH * head.height * height
    room = CIRCLE * min(part.width, part.height) / 2
    points = np.array([[middle, top], [middle, chin], [middle - side, eyes], [middle + side, eyes]])
    lowest = int(height - part.height / 2 - min(part.width, part.height) / 2)
    beginnings = np.arange(round(chin - room - part.height / 2), lowest + 1)
    middles = beginnings[:, None] + part.height / 2
    reach = np.hypot(points[:, 0] - (left + part.width / 2), points[:, 1] - middles).max(axis=1)
    fitting = beginnings[reach <= room]
    if not len(fitting):
        return None
    return int(fitting[np.abs(fitting - (eyes - EYE_LINE * part.height)).argmin()])


def _within(place: float, room: int) -> int:
    return int(min(max(round(place), 0), room))


def cut(picture: Picture, part: Window) -> Picture:
    """These pixels; beyond the picture's edges its outermost ones are repeated."""
    height, width = picture.shape[:2]
    over = (
        max(0, -part.top),
        max(0, part.top + part.height - height),
        max(0, -part.left),
        max(0, part.left + part.width - width),
    )
    if any(over):
        picture = np.asarray(cv2.copyMakeBorder(picture, *over, cv2.BORDER_REPLICATE), np.uint8)
    top, left = part.top + over[0], part.left + over[2]
    return np.ascontiguousarray(picture[top : top + part.height, left : left + part.width])
