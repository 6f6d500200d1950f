"""478 points of a face (MediaPipe's landmarker, from its .task file, run by OpenCV): are the eyes open, is it covered?

Two figures, no identity. How far the lids are apart over the eye's width: of 20 photographs the least is .35; with
skin painted over the eyes 13 of 20 fall below .31, none below .25. Painted lids are no lids, and no photograph of
shut eyes was at hand: the limits (`QualityLimits`) stand well below every open eye, and are untested on real ones.
And how far all points move when the same face is looked at in a crop a little wider: a bare face is found again (at
most .054 eye distances), one behind a mask or a hand is guessed anew (above .06 for 14 of 20 drawn masks, 10 of 20
drawn hands). Narrow eyes are not shut eyes: what is between is only a remark (`judge.py`).
"""

from __future__ import annotations

import tempfile
import threading
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tasks.vision.faces import Face, Lids
from tasks.vision.images import Picture

Floats = npt.NDArray[np.float64]

_INSIDE = "face_landmarks_detector.tflite"
_SIDE = 256
_CROPS = ((1.5, 0.0, 0.0), (1.75, 0.05, -0.04))  # sides in longer sides of the face box, and shifts in boxes
# Upper lid, lower lid, corners: of each eye, in MediaPipe's numbering.
_EYES = (((158, 159, 160), (144, 145, 153), (33, 133)), ((385, 386, 387), (373, 374, 380), (362, 263)))


@dataclass
class FaceMesh:
    """The landmarker; its net is opened at the first face."""

    path: Path
    _own: threading.local = field(default_factory=threading.local, repr=False)

    def read(self, picture: Picture, face: Face) -> Lids:
        """What it sees of one face."""
        first, second = (self._points(picture, face, *crop) for crop in _CROPS)
        moved = float(np.hypot(*(first - second).T).mean()) / max(face.inter_eye, 1e-6)
        return Lids(apart=_lids_apart(first), unsteady=moved)

    def _net(self) -> Any:
        if getattr(self._own, "net", None) is None:
            # OpenCV 5's newer engine keeps only the last of this net's outputs, and from memory it is always taken.
            with zipfile.ZipFile(self.path) as bundle, tempfile.TemporaryDirectory() as folder:
                weights = bundle.extract(_INSIDE, folder)
                self._own.net = cv2.dnn.readNetFromTFLite(weights, engine=cv2.dnn.ENGINE_CLASSIC)
        return self._own.net

    def _points(self, picture: Picture, face: Face, zoom: float, right: float, down: float) -> Floats:
        """(478, 2) in px of the picture."""
        x, y, w, h = face.box
        middle = np.array([x + w / 2 + right * w, y + h / 2 + down * h])
        across = (face.landmarks[1] - face.landmarks[0]).astype(np.float64)
        turn = -float(np.arctan2(across[1], across[0]))
        scale = _SIDE / max(zoom * max(w, h), 1.0)
        linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        matrix = np.column_stack([linear, np.full(2, _SIDE / 2) - linear @ middle])
        crop = cv2.warpAffine(picture, matrix, (_SIDE, _SIDE), borderMode=cv2.BORDER_REPLICATE)
        net = self._net()
        net.setInput(cv2.dnn.blobFromImage(crop, 1 / 255))
        names = net.getUnconnectedOutLayersNames()
        largest = max(net.forward(names), key=lambda values: int(values.size))
        points = np.asarray(largest, np.float64).reshape(-1, 3)[:, :2]
        return np.asarray((points - matrix[:, 2]) @ np.linalg.inv(linear).T)


def _lids_apart(points: Floats) -> float:
    """Gap of the lids over the eye's width, of the eye that is more open: a wink is no shut face."""
    shares = []
    for upper, lower, corners in _EYES:
        gaps = np.hypot(*(points[list(upper)] - points[list(lower)]).T)
        shares.append(float(gaps.mean()) / max(float(np.hypot(*(points[corners[0]] - points[corners[1]]))), 1e-6))
    return max(shares)
