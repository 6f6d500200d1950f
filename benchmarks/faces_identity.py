"""Who is who among photographs: one pair of photos, with and without a second look, and a stranger among one's own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from tasks.selfies.judge_set import judge_set
from tasks.selfies.look import Look
from tasks.vision.faces import Eyes, Face
from tasks.vision.images import Picture
from tasks.vision.quality import Quality

Vectors = npt.NDArray[np.float32]
MIRRORED = [1, 0, 2, 4, 3]  # landmarks of a mirrored face, back in order
GOOD = Quality(
    inter_eye_px=150, face_share=0.4, sharpness=0.08, exposure_median_L=60, clipped_share=0.0, dark_share=0.0,
    eye_contrast=0.6, yaw=0.0, roll=0.0, light_left_right=0.0,
)  # fmt: skip


def pairs_and_strangers(shots: Sequence[tuple[str, Picture, Face]], eyes: Eyes) -> None:
    """Two tables. Size, light and the like are opened in the second, to try the matching alone."""
    people = [person for person, _, _ in shots]
    once = np.stack([eyes.embedder.embed(picture, face) for _, picture, face in shots])
    _pairs(people, "one look each", once)
    second = np.stack([_mirrored(picture, face, eyes) for _, picture, face in shots])
    both = once + second
    _pairs(people, "and one in the mirror", both / np.linalg.norm(both, axis=1, keepdims=True))
    for own in (2, 3):
        _strangers(people, once, own, eyes)


def _mirrored(picture: Picture, face: Face, eyes: Eyes) -> Vectors:
    flipped, points = np.ascontiguousarray(picture[:, ::-1]), face.landmarks.copy()
    points[:, 0] = picture.shape[1] - points[:, 0]
    x, y, width, height = face.box
    box = (picture.shape[1] - x - width, y, width, height)
    return eyes.embedder.embed(flipped, Face(box, points[MIRRORED], face.score))


def _pairs(people: Sequence[str], name: str, vectors: Vectors) -> None:
    """At as many false alarms as one look makes: none of the pairs of two people."""
    rows, columns = np.triu_indices(len(people), 1)
    same = np.array([people[a] == people[b] for a, b in zip(rows, columns, strict=True)])
    values = (vectors @ vectors.T)[rows, columns]
    found = int((values[same] > values[~same].max(initial=-1)).sum())
    print(f"  one photo each, {name:<24}{found} of {int(same.sum())} pairs nearer than any two people")


def _strangers(people: Sequence[str], vectors: Vectors, own: int, eyes: Eyes) -> None:
    """Everybody's every `own` photos with one of everybody else's: who is said to be the stranger."""
    mine: dict[str, list[int]] = defaultdict(list)
    for place, person in enumerate(people):
        mine[person].append(place)
    looks = [_look(place, vector) for place, vector in enumerate(vectors)]
    right, several, wrong, silent = 0, 0, 0, 0
    for person, places in mine.items():
        for some in combinations(places, own):
            for other in (place for place in range(len(people)) if people[place] != person):
                verdict = judge_set([looks[i] for i in (*some, other)], eyes.limits, eyes.thresholds)
                said = [found.photo for found in verdict.all_findings if found.code == "other_person"]
                right += said == [own + 1]
                several += (own + 1 in said and len(said) > 1) or said == [None]
                wrong += bool(said) and own + 1 not in said and said != [None]
                silent += not said
    print(f"  a stranger beside {own} own: alone blamed {right}, one of several shown {several}, another blamed "
          f"{wrong}, nothing said {silent}")  # fmt: skip


def _look(place: int, vector: Vectors) -> Look:
    spread = int(np.random.default_rng(place).integers(0, 2**63))
    return Look(f"d{place}", 1000, 1000, 1, 0.0, GOOD, spread, ~spread & (2**64 - 1), vector)
