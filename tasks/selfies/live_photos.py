"""Tells the photos of a drop from what phones put beside them: a live photo's video, an edit's description.

Those say nothing that the photo does not show; they are left alone, as if they were not there, and leave an upload with
their photo. A video without a photo of the same name was sent as a photo, and is called a video.
"""

from __future__ import annotations

from collections.abc import Iterable

from tasks.roster.drop import PHOTOS

BESIDE = (".mov", ".mp4", ".m4v", ".3gp", ".aae")


def still_photos(files: Iterable[str]) -> list[str]:
    """The files in their order, without what accompanies a photo of the same folder and stem."""
    listed = list(files)
    photographed = {_stem(file) for file in listed if file.lower().endswith(PHOTOS)}
    return [file for file in listed if not (file.lower().endswith(BESIDE) and _stem(file) in photographed)]


def beside(photos: Iterable[str], files: Iterable[str]) -> list[str]:
    """Of the files, whatever accompanies one of these photos: it goes where they go."""
    stems = {_stem(photo) for photo in photos}
    return [file for file in files if file.lower().endswith(BESIDE) and _stem(file) in stems]


def _stem(file: str) -> str:
    """`A/IMG_1.HEIC` and `a/img_1.mov` are one shot."""
    return file.rsplit(".", 1)[0].casefold()
