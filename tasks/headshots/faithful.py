"""The faithful lane: a person's real photograph, finished like everybody else's picture.

For people who decline generation, or have one good photograph only. Nothing is generated: background, framing and
the kit's tone, under the same floors, and labelled as what it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from tasks.headshots.finish import Finished, finish
from tasks.headshots.kit import BrandKit
from tasks.vision.faces import Eyes
from tasks.vision.images import Picture
from tasks.vision.quality import read_quality
from tasks.vision.rating import rate, read_background, read_room


def finish_photo(picture: Picture, kit: BrandKit, eyes: Eyes, size: int | None = None) -> Finished:
    """Finish one photograph; the result says `lane="faithful"`."""
    return finish(picture, kit, eyes, size, lane="faithful")


def order_photos(pictures: Sequence[Picture], eyes: Eyes) -> list[int]:
    """Indices of a person's photographs, best first for a headshot (`rating.py`); those without a face are left out."""
    rated: list[tuple[int, int]] = []
    for index, picture in enumerate(pictures):
        faces = eyes.finder.find(picture)
        if not faces:
            continue
        room = read_room(faces[0], picture.shape[1], picture.shape[0])
        rated.append((rate(read_quality(picture, faces[0]), room, read_background(picture, faces[0])), index))
    return [index for _, index in sorted(rated, key=lambda pair: (-pair[0], pair[1]))]
