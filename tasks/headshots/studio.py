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
from tasks.sentences import tell
from tasks.vision.faces import Eyes
from tasks.vision.images import Picture

SHARPENED = 0.5  # of texture that a sharpening of 1 may add, where a photograph is finished at its own size
DRAWN_IN = 1.02  # zoom up to which nobody sees that a face is larger than its neighbours
# Of photographs. Chosen on one half of the composites of `benchmarks/faces.py --only mattes`, which prints how many of
# each half are flagged, with a remnant and without.
REMNANT = 0.0025
ENLARGED = 2.5  # a pixel of the photograph is as wide as this many of the picture: eyelashes are gone
NO_COLOUR, EYES_SEEN, TURNED = 3.0, 0.25, 0.45  # as at intake (`QualityLimits`)
# Of the width. Of painted people under two kits with all their hair none has more than .04, with two of 128 rows of it
# cut off none less than .16, but for those whose outline closes by itself (`tests/headshots/test_crown.py`).
CROWN = 0.1
HEAD_LOST = 0.02  # of the skull above the eyes: of 20 photographs that face us and 48 drawn people none lost any
RENDERER_VERSION = 3  # part of every headshot's digest; raise it when finishing changes pixels
PHOTO_VERSION = 3  # part of the digest of finished photographs besides: what the witness denies is taken away


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
    sentence = tell("seen.no_room", larger=measures.zoom - 1)
    return [*kept, Flag("no_room", round(measures.zoom, 3), DRAWN_IN, sentence)]


def _photo_flags(measures: PictureMeasures) -> list[Flag]:
    """What a photograph brought with it; a render has none of these figures."""
    if measures.photo_chroma is None or measures.photo_eyes is None:
        return []
    checks = (
        ("remnant", measures.remnant, REMNANT, "seen.remnant"),
        ("enlarged", measures.enlarged, ENLARGED, "seen.enlarged"),
    )
    flags = [Flag(c, round(v, 4), limit, tell(key, off=v)) for c, v, limit, key in checks if v > limit]
    if measures.photo_turned is not None and measures.photo_turned > TURNED:
        flags.append(Flag("turned_away", round(measures.photo_turned, 2), TURNED, tell("seen.turned_away")))
    if measures.photo_chroma < NO_COLOUR:
        flags.append(Flag("no_colour", round(measures.photo_chroma, 2), NO_COLOUR, tell("seen.no_colour")))
    elif measures.photo_eyes < EYES_SEEN:
        flags.append(Flag("sunglasses", round(measures.photo_eyes, 2), EYES_SEEN, tell("seen.sunglasses")))
    return flags


def _retouch_flags(measures: PictureMeasures, kit: BrandKit) -> list[Flag]:
    """What finishing did to the person that the kit does not ask for; silent about what could not be read."""
    flags, floors = [], kit.floors
    light, tint = measures.finished_light, measures.finished_tint
    if light is not None and abs(light) > floors.finished_light:
        way = "lighter" if light > 0 else "darker"
        sentence = tell(f"seen.finished_{way}", stops=abs(light))
        flags.append(Flag("finished_skin", round(light, 3), floors.finished_light, sentence))
    elif tint is not None and tint > floors.finished_tint:
        sentence = tell("seen.tinted", off=tint)
        flags.append(Flag("finished_skin", round(tint, 3), floors.finished_tint, sentence))
    low, high = floors.finished_texture
    high = round(high * (1 + SHARPENED * kit.tone.sharpen), 3)
    parts = (("skin", measures.finished_texture), ("face", measures.finished_detail))
    for part, left in parts:
        if left is None or low <= left <= high:
            continue
        way = "smoothed" if left < low else "roughened"
        sentence = tell(f"seen.{way}_{part}", left=left)
        flags.append(Flag("finished_texture", round(left, 3), low if left < low else high, sentence))
        break  # one sentence about one fault
    return flags


def _set_flags(measures: PictureMeasures, kit: BrandKit) -> list[Flag]:
    """What keeps a picture from being one of the set."""
    floors, frame = kit.floors, kit.framing
    points = 100.0  # shares are shown in per cent
    checks = (
        ("background", measures.background, floors.background, "seen.background"),
        ("holes", measures.holes * points, floors.holes * points, "seen.holes"),
        ("halo", measures.halo, floors.halo, "seen.halo"),
        ("head_lost", measures.head_lost * points, HEAD_LOST * points, "seen.head_lost"),
        ("crown_cut", measures.crown * points, CROWN * points, "seen.crown_cut"),
        (
            "eye_line",
            abs(measures.eye_line - frame.eye_line) * points,
            floors.eye_line * points,
            "seen.eye_line",
        ),
        (
            "centre",
            abs(measures.centre - frame.centre) * points,
            floors.centre * points,
            "seen.centre",
        ),
        (
            "inter_eye",
            abs(measures.inter_eye - frame.inter_eye) * points,
            floors.inter_eye * points,
            "seen.inter_eye",
        ),
        (
            "head_height",
            abs(measures.head_height - frame.head_height) * points,
            floors.head_height * points,
            "seen.head_height",
        ),
        ("roll", abs(measures.roll), floors.roll, "seen.roll"),
    )
    return [
        Flag(code, round(measured, 3), limit, tell(key, off=measured))
        for code, measured, limit, key in checks
        if not measured <= limit
    ]
