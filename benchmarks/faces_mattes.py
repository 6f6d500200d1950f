"""Remnants of the old room on composites with known alpha: what each way of cutting out leaves, and who is flagged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.faces_composites import Composite, composites, cut_person, frame_corner, framed
from tasks.headshots.look import find_head, find_person
from tasks.headshots.matte import cut_out
from tasks.headshots.remnant import read_remnant, without_denied
from tasks.headshots.studio import REMNANT
from tasks.vision.faces import Eyes, Face
from tasks.vision.images import Picture

Floats = npt.NDArray[np.float32]
VISIBLE, CLEAN = 0.0015, 0.0005  # of the frame: a remnant that shows, and none
SEEN = 0.25  # alpha from which something kept or lost counts
WAYS = ("four looks (0.1)", "two looks", "today")


@dataclass(frozen=True)
class _Cut:
    """One way of cutting one composite out, against the truth."""

    remnant: float  # of the person
    lost: float  # of the person
    shown: float  # remnant, of a kit's frame
    score: float  # what is flagged by


def matte_table(shots: Sequence[tuple[str, Picture]], eyes: Eyes) -> None:
    """What is left and lost by each way; today's way also by the halves that the limit was and was not chosen on."""
    people = [one for person, picture in shots if (one := cut_person(person, picture, eyes)) is not None]
    pairs = [(one, row) for one in composites(people) if (row := _matted(one, eyes)) is not None]
    print(f"\n{len(pairs)} composites of {len(people)} cut-outs (every second person and room is for testing)")
    print(f"{'':<20}{'remnant, % of person':<22}{'over 1 %':<10}{'lost':<7}{'lost at most':<14}over .15 % of the frame")
    for at, way in enumerate(WAYS):
        cuts = [row[at] for _, row in pairs]
        over, shown = sum(cut.remnant > 0.01 for cut in cuts), sum(cut.shown > VISIBLE for cut in cuts)
        left, lost = (100 * float(np.mean([getattr(cut, what) for cut in cuts])) for what in ("remnant", "lost"))
        most = 100 * max(cut.lost for cut in cuts)
        print(f"{way:<20}{left:<22.2f}{over:<10}{lost:<7.2f}{most:<14.2f}{shown} of {len(cuts)}")
    for half in (False, True):
        cuts = [row[-1] for one, row in pairs if one.for_test is half]
        bad, clean = [cut for cut in cuts if cut.shown > VISIBLE], [cut for cut in cuts if cut.shown < CLEAN]
        print(
            f"flagged today, {'tested on' if half else 'fitted on'}: {_flagged(bad)} of {len(bad)} with a remnant, "
            f"{_flagged(clean)} of {len(clean)} clean"
        )


def _flagged(cuts: Sequence[_Cut]) -> int:
    return sum(cut.score > REMNANT for cut in cuts)


def _matted(one: Composite, eyes: Eyes) -> list[_Cut] | None:
    """In the order of WAYS; None where no face is found."""
    face = find_head(one.picture, eyes)
    if face is None:
        return None
    looks = find_person(one.picture, eyes, drawn=True)
    two = np.asarray(np.mean(looks[:2], axis=0), np.float32)
    if eyes.witness is None:
        second, today = np.asarray(np.min(looks[:2], axis=0), np.float32), two
    else:
        second = np.asarray(eyes.witness.matte(one.picture), np.float32)
        today = without_denied(one.picture, two, face.landmarks, second)
    ways = (np.asarray(np.mean(looks, axis=0), np.float32), two, today)
    return [_cut(one, face, coarse, second, eyes.witness is not None) for coarse in ways]


def _cut(one: Composite, face: Face, coarse: Floats, second: Floats, witness: bool) -> _Cut:
    width = 2.1 * face.inter_eye
    alpha = cut_out(one.picture, coarse, width, drawn=False).alpha
    reach = max(1, round(0.04 * width))
    window = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    more = np.maximum(alpha - cv2.dilate(one.alpha, window), 0)
    less = np.maximum(cv2.erode(one.alpha, window) - alpha, 0)
    kept, lost = (np.where(v > SEEN, v, 0).astype(np.float32) for v in (more, less))
    area = float(one.alpha.mean())
    # What is judged is what a kit's frame shows of it.
    shown = [framed(np.asarray(v), face.landmarks) for v in (one.picture, alpha, second, kept)]
    points = face.landmarks - frame_corner(face.landmarks)
    score = read_remnant(shown[0].astype(np.uint8), shown[1], points, shown[2], witness=witness)
    return _Cut(float(kept.mean()) / area, float(lost.mean()) / area, float(shown[3].mean()), score)
