"""How large a face must be in a photo: by what will be made of it, not by one number for everybody.

A base that draws 256 px has 47 px between the eyes to fill; 60 px would be asked for nothing. The real-photo lane makes
the best of whatever there is and says so on the picture (`enlarged`), so only what shows no face worth enlarging is
refused. Between that and the usual size the person is told that a larger photo makes a better picture.
"""

from __future__ import annotations

from dataclasses import replace

from tasks.vision.faces import QualityLimits
from tasks.vision.worlds import BaseWorld

EYES_OF_FRAME = 0.185  # distance of the eyes in the aligned portrait that bases learn from and draw
LEAST_ROOM = 0.85  # of an ordinary frame: with less, the face is drawn in by a sixth and more
LEAST_PHOTO = 24.0  # px between the eyes: with less, the real-photo lane has no face to show


def limits_for(limits: QualityLimits, generation: bool, base: BaseWorld | None) -> QualityLimits:
    """The limits for one person: whoever is drawn needs what the base can use, whoever keeps a photo a face to show."""
    usual = limits.inter_eye_px
    needed = LEAST_PHOTO
    if generation:
        needed = EYES_OF_FRAME * base.resolution if base is not None and base.resolution else usual
    room = 0.0 if generation else LEAST_ROOM
    return replace(limits, inter_eye_px=min(usual, needed), inter_eye_usual_px=usual, room=room)
