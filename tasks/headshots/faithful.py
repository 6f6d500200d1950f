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


def finish_photo(picture: Picture, kit: BrandKit, eyes: Eyes, size: int | None = None) -> Finished:
    """Finish one photograph; the result says `lane="faithful"`."""
    return finish(picture, kit, eyes, size, lane="faithful")


def order_photos(pictures: Sequence[Picture], eyes: Eyes) -> list[int]:
    """Indices of a person's photographs, best first for a headshot; pictures without a face are left out.

    Best is frontal, level, sharp and large, in that order of weight: what finishing cannot give a picture.
    """
    rated: list[tuple[float, int]] = []
    for index, picture in enumerate(pictures):
        faces = eyes.finder.find(picture)
        if not faces:
            continue
        quality = read_quality(picture, faces[0])
        rating = (
            -2.0 * min(1.0, quality.turned / 0.4)
            - 0.5 * min(1.0, abs(quality.roll) / 20)
            + 1.0 * min(1.0, quality.sharpness / 0.1)
            + 1.0 * min(1.0, quality.inter_eye_px / 150)
            - 1.0 * min(1.0, quality.clipped_share / 0.3)
        )
        rated.append((rating, index))
    return [index for _, index in sorted(rated, key=lambda pair: (-pair[0], pair[1]))]
