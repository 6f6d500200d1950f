"""Hair that reaches the top of a picture: the few rows that the frame wants above it, in place of a flat cut.

Small bases draw in one fixed frame, and a tall head of hair ends at its edge. Drawing the frame in would make that
person's face larger than everybody else's, so hair would set the scale, which it never may. Instead the outline goes
on as the circle that it was on, and the hair goes on as its own mirror image: nothing of the face is touched.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.headshots.framing import HEAD_PER_DROP

Floats = NDArray[np.float32]
FITTED = 0.06  # of the height: how far down the outline is looked at
SKULL = (0.28, 0.12)  # heights of a head: above the eyes, and to each side of their middle
LEAST_ROWS = 6  # with fewer rows of outline there is no telling how it goes on


def continued_crown(alpha: Floats, colours: Floats, rows: int) -> tuple[Floats, Floats]:
    """Alpha (H + rows, W) and colours (H + rows, W, 3) with `rows` pixels more above, as far as hair goes."""
    taller = cv2.copyMakeBorder(colours, rows, 0, 0, 0, cv2.BORDER_REFLECT)
    return np.vstack([_cap(alpha, rows), alpha]), np.asarray(taller, np.float32)


def cut_width(alpha: Floats, rows: int) -> float:
    """Pixels of hair that end flat at the top of a picture that was continued by `rows` (0: not at all): along the top
    edge, or, where nothing could be continued, along the edge that the picture had."""
    capped = rows == 0 or bool((alpha[:rows] > 0.5).any())
    return float((alpha[0 if capped else rows] > 0.5).sum())


def lost_of_head(alpha: Floats, landmarks: Floats) -> float:
    """The share that was cut away of where everybody's head is: from the eyes up, no higher than the barest skull.

    A net that knows hair and no turban takes it for a wall behind a forehead. `landmarks` (5, 2) in px of `alpha`.
    """
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:5].mean(axis=0)
    down = (mouth - eyes) * HEAD_PER_DROP
    y, x = np.mgrid[: alpha.shape[0], : alpha.shape[1]] + 0.5
    height = max(float(down @ down), 1.0)
    up = -((x - eyes[0]) * down[0] + (y - eyes[1]) * down[1]) / height
    aside = ((x - eyes[0]) * down[1] - (y - eyes[1]) * down[0]) / height
    skull = (up > 0) & (up < SKULL[0]) & (np.abs(aside) < SKULL[1])
    return float((alpha[skull] < 0.5).mean()) if skull.any() else 0.0


def _cap(alpha: Floats, rows: int) -> Floats:
    """(rows, W): what closes the outline above the top edge; empty where it does not narrow towards it."""
    height, width = alpha.shape
    empty = np.zeros((rows, width), np.float32)
    outline = []
    for y in range(max(LEAST_ROWS, round(FITTED * height))):
        inside = np.flatnonzero(alpha[y] > 0.5)
        if inside.size == 0:
            break
        outline.append((y, (inside[0] + inside[-1] + 1) / 2, (inside[-1] + 1 - inside[0]) / 2))
    if len(outline) < LEAST_ROWS:
        return empty
    down, middle, half = np.array(outline, np.float64).T
    # Near its top, a round head's half width squared falls in proportion to the height that is left.
    slope = float((down * (half**2 - half[0] ** 2)).sum() / (down**2).sum())
    if slope <= 0:
        return empty
    up = (rows - np.arange(rows) - 0.5)[:, None]
    reach = np.sqrt(np.maximum(half[0] ** 2 - slope * up, 0))
    away = np.abs(np.arange(width) + 0.5 - float(middle[:LEAST_ROWS].mean()))[None]
    return np.where(reach > 0, np.clip(reach - away + 0.5, 0, 1), 0).astype(np.float32)
