"""Judging handed to other processes: one person's photos and pictures go out as files, and plain numbers come back.

Nobody's name or id goes with them, and no key: the company is vectors in an order that means nothing elsewhere.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tasks.hands import Hands, Job
from tasks.headshots.kit import BrandKit, kit_from
from tasks.headshots.measure import NoFaceLeft, PictureMeasures
from tasks.headshots.studio import studio_flags
from tasks.likeness.judge import ToJudge, Vector, judge_candidate
from tasks.likeness.reference import find_faces, read_reference
from tasks.likeness.score import person_vector
from tasks.vision.faces import Eyes
from tasks.vision.images import read_picture
from tasks.vision.open_eyes import open_eyes

VECTOR, JUDGE = f"{__name__}:vector_inside", f"{__name__}:judge_inside"


@dataclass(frozen=True)
class Judges:
    """The processes that judge, and which eyes they open for it."""

    hands: Hands
    eyes: str
    models: Path

    def options(self, photos: Sequence[bytes]) -> dict[str, Any]:
        """What every job is told."""
        return {"photos": [len(photo) for photo in photos], "eyes": self.eyes, "models": str(self.models)}


@dataclass(frozen=True)
class ShotFile:
    """One finished picture as a file, with what finishing noted about it."""

    key: str
    file: bytes
    measures: Mapping[str, Any]
    lane: str
    source_inter_eye: float


@dataclass(frozen=True)
class Asking:
    """What is asked about one person: their photos, their pictures to judge, and whom they must not be taken for."""

    photos: Sequence[bytes]
    shots: Sequence[ShotFile]
    kit: BrandKit
    wish: str  # of the roster, about glasses
    company: np.ndarray  # (people, length): everybody's vector
    own: int  # the person's own row


def ask_vector(photos: Sequence[bytes], judges: Judges) -> Job:
    """The job that reads one person's vector."""
    return Job(b"".join(photos), judges.options(photos))


def ask_verdicts(question: Asking, judges: Judges) -> Job:
    """The job that judges one person's pictures."""
    wall = question.kit.picture or b""
    shots = [
        {"key": s.key, "size": len(s.file), "measures": dict(s.measures), "lane": s.lane, "apart": s.source_inter_eye}
        for s in question.shots
    ]
    options = {
        **judges.options(question.photos), "shots": shots, "kit": question.kit.model_dump_json(), "wall": len(wall),
        "wish": question.wish, "company": list(question.company.shape), "own": question.own,
    }  # fmt: skip
    vectors = np.ascontiguousarray(question.company, np.float32).tobytes()
    return Job(b"".join([*question.photos, *(s.file for s in question.shots), wall, vectors]), options)


def vector_inside(data: bytes, *, photos: list[int], eyes: str, models: str) -> tuple[Any, list[Any]]:
    """Runs in another process."""
    vector = read_vector(_parts(data, photos), _open_once(eyes, models))
    return None, [] if vector is None else [np.ascontiguousarray(vector)]


def judge_inside(
    data: bytes,
    *,
    photos: list[int],
    eyes: str,
    models: str,
    shots: list[dict[str, Any]],
    kit: str,
    wall: int,
    wish: str,
    company: list[int],
    own: int,
) -> tuple[Any, list[Any]]:
    """Runs in another process."""
    sizes = [*photos, *(shot["size"] for shot in shots), wall, company[0] * company[1] * 4]
    parts = _parts(data, sizes)
    files = parts[len(photos) : len(photos) + len(shots)]
    given = [
        ShotFile(shot["key"], file, shot["measures"], shot["lane"], shot["apart"])
        for shot, file in zip(shots, files, strict=True)
    ]
    everybody = np.frombuffer(parts[-1], np.float32).reshape(company)
    question = Asking(parts[: len(photos)], given, kit_from(kit, parts[-2] or None), wish, everybody, own)
    return judge_shots(question, _open_once(eyes, models)), []


def read_vector(photos: Sequence[bytes], eyes: Eyes) -> Vector | None:
    """What the judge sees in a person's photos; None where there is a face in none."""
    found = find_faces([read_picture(photo).picture for photo in photos], eyes)
    return person_vector([eyes.judge.embed(picture, face) for picture, face in found]) if found else None


def judge_shots(question: Asking, eyes: Eyes) -> list[dict[str, Any]]:
    """One table for each picture, as records keep it; only its key and `refused` where no face is left in it."""
    found = find_faces([read_picture(photo).picture for photo in question.photos], eyes)
    reference = read_reference(found, eyes)
    company = {str(place): vector for place, vector in enumerate(question.company)}
    tables: list[dict[str, Any]] = []
    for shot in question.shots:
        measures = PictureMeasures.from_json(shot.measures)
        flags = tuple(studio_flags(measures, question.kit))
        one = ToJudge(shot.key, read_picture(shot.file).picture, measures, flags, shot.lane, shot.source_inter_eye)
        try:
            judged = judge_candidate(one, reference, company, str(question.own), question.kit, eyes, wish=question.wish)
        except NoFaceLeft:
            tables.append({"key": shot.key, "refused": "no_face"})
            continue
        likeness = judged.likeness.as_json()
        likeness.pop("nearest_other")  # somebody else has no place in this person's record
        tables.append({
            "key": shot.key, "likeness": likeness, "flags": [flag.as_json() for flag in judged.flags],
            "faithfulness": judged.faithfulness.as_json(), "kept": judged.kept.as_json(),
        })  # fmt: skip
    return tables


def _parts(data: bytes, sizes: Sequence[int]) -> list[bytes]:
    parts, start = [], 0
    for size in sizes:
        parts.append(data[start : start + size])
        start += size
    return parts


@functools.lru_cache(maxsize=2)
def _open_once(name: str, models: str) -> Eyes:
    return open_eyes(name, Path(models))
