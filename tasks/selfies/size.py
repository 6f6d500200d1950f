"""How large a face must be in a photo: by what will be made of it, not by one number for everybody.

A base that draws 256 px has 47 px between the eyes to fill; 60 px would be asked for nothing. The real-photo lane makes
the best of whatever there is and says so on the picture (`enlarged`), so only what shows no face worth enlarging is
refused. Between that and the usual size the person is told that a larger photo makes a better picture.
"""

from __future__ import annotations

from dataclasses import replace

from tasks.vision.faces import Around, QualityLimits
from tasks.vision.worlds import BaseWorld

EYES_OF_FRAME = 0.185  # distance of the eyes in the aligned portrait that bases learn from and draw
LEAST_ROOM = 0.95  # of the frame: with less, the face is drawn in and larger than the others' (`studio.DRAWN_IN`)
ORDINARY = (("", Around(above=2.4, left=2.2, right=2.2, below=2.7)),)  # where no kit is known

Frames = tuple[tuple[str, Around], ...]  # a kit's name, and what its frame shows round the eyes
LEAST_PHOTO = 24.0  # px between the eyes: with less, the real-photo lane has no face to show


def limits_for(limits: QualityLimits, generation: bool, base: BaseWorld | None, frames: Frames = ()) -> QualityLimits:
    """The limits for one person: whoever is drawn needs what the base can use, whoever keeps a photo a face to show,
    and room for these kits' frames."""
    usual = limits.inter_eye_px
    needed = LEAST_PHOTO
    if generation:
        needed = EYES_OF_FRAME * base.resolution if base is not None and base.resolution else usual
    limits = replace(limits, inter_eye_px=min(usual, needed), inter_eye_usual_px=usual)
    if generation:
        return limits
    return replace(limits, room=LEAST_ROOM, frames=frames or ORDINARY)


def kit_frames(frames: Frames, kit: str) -> Frames:
    """The frame of this kit alone; all of them where somebody's kit is not known yet."""
    return tuple(one for one in frames if one[0] == kit) or frames
