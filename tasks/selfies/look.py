"""Measures one photo: the only module of this room that lets bytes become pixels.

What is measured is plain numbers and one vector, so that every judgement (judge.py) is a pure function that can be
tested without a network, and pixels need not stay in memory while a whole company is judged.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from tasks.selfies.search import search
from tasks.vision.faces import Eyes, Face, Vector
from tasks.vision.images import Picture, Refused, read_picture, resize
from tasks.vision.quality import Quality, difference_hash, mirrored_hash, read_quality

LONG_SIDE = 2048  # px; larger pictures are measured and kept at this size


@dataclass(frozen=True)
class Look:
    """What was measured of one photo. A refused one has a code and two figures instead."""

    digest: str = ""  # sha256 of the original bytes
    width: int = 0
    height: int = 0
    faces: int = 0
    second_share: float = 0.0  # area of the second face / area of the largest
    quality: Quality | None = None
    hash: int = 0
    mirrored: int = 0
    vector: Vector | None = None
    eye_width: float = 1.0  # distance of the eyes over that from eyes to mouth: turning the head makes it small
    weak: bool = False  # the face was found, but not surely: good for saying what is wrong, not for accepting
    refused: tuple[str, str, str] | None = None  # code, measured, limit


def look_at(data: bytes, eyes: Eyes) -> tuple[Look, Picture | None]:
    """Measures one photo. The picture comes back, rebuilt from pixels, for those who are to keep it."""
    try:
        decoded = read_picture(data)
    except Refused as refused:
        code = "too_large" if refused.code == "bomb" else refused.code
        digest = hashlib.sha256(data).hexdigest()
        return Look(digest, refused=(code, refused.measured, refused.limit)), None
    picture = shrunk(decoded.picture)
    height, width = picture.shape[:2]
    found = [face for face in eyes.finder.find(picture) if face.score >= eyes.limits.score]
    found = found or search(picture, eyes.finder, eyes.limits.score)
    look = Look(
        digest=decoded.digest,
        width=width,
        height=height,
        faces=len(found),
        hash=difference_hash(picture),
        mirrored=mirrored_hash(picture),
    )
    if not found:
        return look, picture
    main = found[0]
    return replace(
        look,
        second_share=max((face.area for face in found[1:]), default=0.0) / max(main.area, 1.0),
        quality=read_quality(picture, main),
        eye_width=_eye_width(main),
        vector=eyes.embedder.embed(picture, main),
        weak=main.score < eyes.limits.score,
    ), picture


def _eye_width(face: Face) -> float:
    points = face.landmarks.astype(np.float64)
    down = points[3:5].mean(0) - points[0:2].mean(0)
    return face.inter_eye / max(float(np.hypot(*down)), 1e-6)


def shrunk(picture: Picture) -> Picture:
    """At most LONG_SIDE: phones send four times the pixels any model here looks at."""
    height, width = picture.shape[:2]
    scale = LONG_SIDE / max(height, width)
    return picture if scale >= 1 else resize(picture, round(width * scale), round(height * scale))
