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
DRAWN_IN = 1.02  # zoom up to which nobody sees that a face is larger than its neighbours
# Of photographs. With the witness, on 52 composites of `benchmarks/faces.py` under two ways of cutting out: 12 of 22
# remnants larger than .15 % of the frame are flagged, and 2 of 71 clean pictures.
REMNANT = 0.003
ENLARGED = 2.5  # a pixel of the photograph is as wide as this many of the picture: eyelashes are gone
NO_COLOUR, EYES_SEEN = 3.0, 0.25  # as at intake (`QualityLimits`)
RENDERER_VERSION = 3  # part of every headshot's digest; raise it when finishing changes pixels
PHOTO_VERSION = 2  # part of the digest of finished photographs besides: two looks at the person, no wide ones


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
    flags = [*_set_flags(measures, kit), *_photo_flags(measures), *_retouch_flags(measures, kit)]
    if measures.photo_chroma is None:
        return flags
    if measures.zoom <= DRAWN_IN:  # placed by the eyes: how long a face is, is the person's own
        apart = measures.inter_eye / measures.zoom  # nobody sees so little zoom, so it is no fault of the placement
        near = abs(apart - kit.framing.inter_eye) <= kit.floors.inter_eye
        return [flag for flag in flags if flag.code not in ({"head_height", "inter_eye"} if near else {"head_height"})]
    # A photograph that ends at the shoulders is drawn in: one sentence about the cause, not two about what follows.
    kept = [flag for flag in flags if flag.code not in {"inter_eye", "head_height"}]
    if len(kept) == len(flags):
        return flags
    sentence = f"The photo ends too near: the face is {measures.zoom - 1:.0%} larger than the others'."
    return [*kept, Flag("no_room", round(measures.zoom, 3), DRAWN_IN, sentence)]


def _photo_flags(measures: PictureMeasures) -> list[Flag]:
    """What a photograph brought with it; a render has none of these figures."""
    if measures.photo_chroma is None or measures.photo_eyes is None:
        return []
    checks = (
        ("remnant", measures.remnant, REMNANT, "{0:.1%} of the picture may be a piece of the old background."),
        ("enlarged", measures.enlarged, ENLARGED, "The face is enlarged {0:.1f} times: the photo is too small."),
    )
    flags = [Flag(c, round(v, 4), limit, sentence.format(v)) for c, v, limit, sentence in checks if v > limit]
    if measures.photo_chroma < NO_COLOUR:
        flags.append(Flag("no_colour", round(measures.photo_chroma, 2), NO_COLOUR, "The photo is black and white."))
    elif measures.photo_eyes < EYES_SEEN:
        flags.append(Flag("sunglasses", round(measures.photo_eyes, 2), EYES_SEEN, "The eyes cannot be seen."))
    return flags


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
