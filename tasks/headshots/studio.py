"""The studio's counter: one call from a render to a finished picture with its measures and flags.

Flows call this and keep no knowledge of their own about floors. A flag is a value with a code, the number measured
and the limit, never an exception: flagged pictures are shown to reviewers with what is wrong with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tasks.headshots.finish import Finished, finish
from tasks.headshots.kit import BrandKit
from tasks.headshots.measure import PictureMeasures
from tasks.vision.faces import Eyes
from tasks.vision.images import Picture

SHARPENED = 0.5  # of texture that a sharpening of 1 may add, where a photograph is finished at its own size
RENDERER_VERSION = 3  # part of every headshot's digest; raise it when finishing changes pixels


@dataclass(frozen=True)
class Flag:
    """One floor a finished picture did not reach."""

    code: str
    measured: float
    limit: float
    sentence: str

    def as_json(self) -> dict[str, str | float]:
        """Plain values for records."""
        return {"code": self.code, "measured": self.measured, "limit": self.limit, "sentence": self.sentence}


@dataclass(frozen=True)
class FinishedCandidate:
    """A finished picture with everything the records want to know about it."""

    finished: Finished
    flags: tuple[Flag, ...]


def finish_candidate(
    picture: Picture,
    kit: BrandKit,
    eyes: Eyes,
    size: int | None = None,
    *,
    lane: Literal["generated", "faithful"] = "generated",
) -> FinishedCandidate:
    """Finish and judge one picture against the kit's studio floors (likeness has its own room)."""
    finished = finish(picture, kit, eyes, size, lane=lane)
    return FinishedCandidate(finished=finished, flags=tuple(studio_flags(finished.measures, kit)))


def studio_flags(measures: PictureMeasures, kit: BrandKit) -> list[Flag]:
    """What is off: backdrop, halo, holes, framing, and the person. Order: worst for a team wall first."""
    return [*_set_flags(measures, kit), *_retouch_flags(measures, kit)]


def _retouch_flags(measures: PictureMeasures, kit: BrandKit) -> list[Flag]:
    """What finishing did to the person that the kit does not ask for; silent about what could not be read."""
    flags, floors = [], kit.floors
    light, tint = measures.finished_light, measures.finished_tint
    if light is not None and abs(light) > floors.finished_light:
        way = "lighter" if light > 0 else "darker"
        sentence = f"Finishing has made the skin {abs(light):.1f} stops {way}."
        flags.append(Flag("finished_skin", round(light, 3), floors.finished_light, sentence))
    elif tint is not None and tint > floors.finished_tint:
        sentence = f"Finishing has tinted the skin: its colour moved by {tint:.1f}."
        flags.append(Flag("finished_skin", round(tint, 3), floors.finished_tint, sentence))
    low, high = floors.finished_texture
    high = round(high * (1 + SHARPENED * kit.tone.sharpen), 3)
    parts = (("skin", "texture", measures.finished_texture), ("face", "detail", measures.finished_detail))
    for part, what, left in parts:
        if left is None or low <= left <= high:
            continue
        if left < low:
            sentence = f"Finishing has smoothed the {part}: {left:.0%} of its {what} is left."
        else:
            sentence = f"Finishing has roughened the {part}: it shows {left:.0%} of the {what} it had."
        flags.append(Flag("finished_texture", round(left, 3), low if left < low else high, sentence))
        break  # one sentence about one fault
    return flags


def _set_flags(measures: PictureMeasures, kit: BrandKit) -> list[Flag]:
    """What keeps a picture from being one of the set."""
    floors, frame = kit.floors, kit.framing
    points = 100.0  # shares are shown in per cent
    checks = (
        ("background", measures.background, floors.background, "The background is {0:.1f} off the brand's."),
        ("holes", measures.holes * points, floors.holes * points, "{0:.1f} % of the background shows something else."),
        ("halo", measures.halo, floors.halo, "The edge round the person is {0:.1f} off the backdrop."),
        (
            "eye_line",
            abs(measures.eye_line - frame.eye_line) * points,
            floors.eye_line * points,
            "The eyes are {0:.1f} % of the picture off their line.",
        ),
        (
            "centre",
            abs(measures.centre - frame.centre) * points,
            floors.centre * points,
            "The face is {0:.1f} % off the centre.",
        ),
        (
            "inter_eye",
            abs(measures.inter_eye - frame.inter_eye) * points,
            floors.inter_eye * points,
            "The face is too large or small: eye distance {0:.1f} % off.",
        ),
        (
            "head_height",
            abs(measures.head_height - frame.head_height) * points,
            floors.head_height * points,
            "The head's height is {0:.1f} % off.",
        ),
        ("roll", abs(measures.roll), floors.roll, "The head leans by {0:.1f} degrees."),
    )
    return [
        Flag(code, round(measured, 3), limit, sentence.format(measured))
        for code, measured, limit, sentence in checks
        if not measured <= limit
    ]
