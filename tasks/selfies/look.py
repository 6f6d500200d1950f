"""Measures one photo: the only module of this room that sees pixels, which the sandbox has made of a stranger's bytes.

What is measured is plain numbers and one vector, so that every judgement (judge.py) is a pure function that can be
tested without a network, and pixels need not stay in memory while a whole company is judged.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from tasks.selfies.search import SMALLEST, search
from tasks.vision.faces import Around, Eyes, EyesMissing, Face, Lids, Vector
from tasks.vision.flaws import Flaws, read_flaws
from tasks.vision.glance import Refused
from tasks.vision.images import Picture, encode, resize
from tasks.vision.photos import Photo, open_photo
from tasks.vision.quality import Quality, difference_hashes, read_quality
from tasks.vision.rating import rate, read_around, read_background, read_room
from tasks.vision.small import SELFIE, small
from tasks.vision.worlds import read_texture

TURNED_AT = 640  # px: enough to find a face by, whichever way up
QUALITY = 95  # of the JPEG that is kept: the loss is far below what the fine-tuning's own codec loses


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
    texture: float = 0.0  # of the whole photo: what tells a photograph from a drawing (worlds.py)
    flaws: Flaws | None = None
    around: Around | None = None  # where the photo ends round the head; read where the photo becomes the picture
    rating: int = 0  # 0..100, for comparing one person's photos
    lids: Lids | None = None  # where a network for them is installed
    table: float = 0.0  # of a JPEG: how coarse its steps of lightness are
    turned: int = 0  # quarter turns by which the photo was put upright
    weak: bool = False  # the face was found, but not surely: good for saying what is wrong, not for accepting
    refused: tuple[str, str, str] | None = None  # code, measured, limit
    signed_by: str = ""  # whose valid content credentials it came with


@dataclass(frozen=True)
class KeptPhoto:
    """What is kept of a photo: a JPEG, rebuilt from pixels, and the small copy that pages show."""

    file: bytes
    small: bytes


def look_at(
    data: bytes, eyes: Eyes, *, keep: bool = False, roots: bytes = b"", framed: bool = False
) -> tuple[Look, KeptPhoto | None]:
    """Measures one photo. With `keep` what is to be kept of it comes back as well, and who had signed it; `roots` (PEM)
    are the certificates whose word on that is taken. `framed`: it may become the picture itself, in a kit's frame.

    Whatever a file does to what opens or measures it is said of that file, and costs nobody else their verdict.
    """
    digest = hashlib.sha256(data).hexdigest()
    try:
        photo = open_photo(data, keep=keep)
    except Refused as refused:
        code = "too_large" if refused.code == "bomb" else refused.code
        return Look(digest, refused=(code, refused.measured, refused.limit)), None
    try:
        turned = quarter_turns(photo.judged, eyes)
        photo = photo.turned(turned)
        signed_by = _signer(data, roots) if keep else ""
        look = replace(measured(photo, digest, eyes, framed=framed), turned=turned, signed_by=signed_by)
    except (EyesMissing, MemoryError):  # nothing that the file could help
        raise
    except Exception as error:
        return Look(
            digest, *photo.size, refused=("unopenable", type(error).__name__, "a photo that can be judged")
        ), None
    if photo.kept is None or look.quality is None:
        return look, None
    return look, KeptPhoto(encode(photo.kept, "jpeg", QUALITY), small(photo.kept, SELFIE))


def _signer(data: bytes, roots: bytes) -> str:
    from tasks.disclosure.of_photos import photo_signer  # a check, which keeps nothing, does without its libraries

    return photo_signer(data, roots)


def measured(photo: Photo, digest: str, eyes: Eyes, *, framed: bool = False) -> Look:
    """What the eyes say of an opened photo. Raises whatever they raise."""
    picture = photo.judged
    look = Look(digest, *photo.size)
    if min(picture.shape[:2]) < SMALLEST:
        return look
    found = [face for face in eyes.finder.find(picture) if face.score >= eyes.limits.score]
    found = found or search(picture, eyes.finder, eyes.limits.score)
    plain, mirrored = difference_hashes(picture)
    look = replace(look, faces=len(found), hash=plain, mirrored=mirrored)
    if not found:
        return look
    main = found[0]
    quality = read_quality(picture, main)
    room = read_room(main, picture.shape[1], picture.shape[0])
    return replace(
        look,
        around=read_around(picture, main, eyes.matter) if framed else None,
        rating=rate(quality, room, read_background(picture, main)),
        second_share=max((face.area for face in found[1:]), default=0.0) / max(main.area, 1.0),
        # In pixels of what is kept: that is what will be learned from.
        quality=replace(quality, inter_eye_px=quality.inter_eye_px * photo.enlarged),
        eye_width=_eye_width(main),
        vector=eyes.embedder.embed(picture, main),
        texture=read_texture(picture),
        flaws=read_flaws(picture, main),
        lids=eyes.lids.read(picture, main) if eyes.lids is not None else None,
        table=photo.table,
        weak=main.score < eyes.limits.score,
    )


def quarter_turns(picture: Picture, eyes: Eyes) -> int:
    """Quarter turns against the clock that put a photo upright: 0 unless another way up is clearly the surer face.

    The roll of the landmarks cannot tell: a finder draws upright ones into an upside-down face. Its score can: of 121
    photographs turned in all ways 120 came back as they were, the other one differed by .02.
    """
    if eyes.limits.turn_margin > 1 or min(picture.shape[:2]) < SMALLEST:
        return 0
    scale = min(1.0, TURNED_AT / max(picture.shape[:2]))
    small = resize(picture, max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    scores = []
    for quarters in range(4):
        found = eyes.finder.find(np.ascontiguousarray(np.rot90(small, quarters)))
        scores.append(max((face.score for face in found), default=0.0))
    best = int(np.argmax(scores))
    return best if scores[best] > scores[0] + eyes.limits.turn_margin else 0


def _eye_width(face: Face) -> float:
    points = face.landmarks.astype(np.float64)
    down = points[3:5].mean(0) - points[0:2].mean(0)
    return face.inter_eye / max(float(np.hypot(*down)), 1e-6)
