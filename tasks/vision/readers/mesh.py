"""478 points of a face and what they say of its lids (MediaPipe's landmarker, from its .task file, run by OpenCV).

Three figures, no identity. How shut both lids are, by the network that comes with the landmarker (`eyeBlink`): the gap
of the lids alone does not tell, since the points keep a third of it over lids that are shut. Of 21 photographs with
open eyes the most is .28; with their lids drawn shut over them (`benchmarks/faces_lids.py`) 19 of 21 exceed .30, all
but a profile and one laughing. And how far all points move when the same face is looked at in a crop a little wider: a
bare face is found again (at most .054 eye distances), one behind a mask or a hand is guessed anew (above .06 for 14 of
20 drawn masks, 10 of 20 drawn hands). Narrow eyes are not shut eyes: what is between is only a remark (`judge.py`).
And how far the mouth's corners are drawn up (`mouthSmile`; `looks.py` has its limit).
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

_POINTS, _SHAPES = "face_landmarks_detector.tflite", "face_blendshapes.tflite"
_SIDE = 256  # px, as the net was trained
_CROPS = ((1.5, 0.0, 0.0), (1.75, 0.05, -0.04))  # sides in longer sides of the face box, and shifts in boxes
_BLINKS = (9, 10)  # of the 52 shapes: left and right lid shut
_SMILES = (44, 45)  # and the mouth's left and right corner drawn up
# Of the 478 points those that the second network asks for, in MediaPipe's numbering.
_ASKED = """
0 1 4 5 6 7 8 10 13 14 17 21 33 37 39 40 46 52 53 54 55 58 61 63 65 66 67 70 78 80 81 82 84 87 88 91 93 95 103 105 107
109 127 132 133 136 144 145 146 148 149 150 152 153 154 155 157 158 159 160 161 162 163 168 172 173 176 178 181 185 191
195 197 234 246 249 251 263 267 269 270 276 282 283 284 285 288 291 293 295 296 297 300 308 310 311 312 314 317 318 321
323 324 332 334 336 338 356 361 362 365 373 374 375 377 378 379 380 381 382 384 385 386 387 388 389 390 397 398 400 402
405 409 415 454 466 468 469 470 471 472 473 474 475 476 477
"""
_SHAPED_BY = [int(number) for number in _ASKED.split()]


@dataclass
class FaceMesh:
    """The landmarker; its nets are opened at the first face."""

    path: Path
    _own: threading.local = field(default_factory=threading.local, repr=False)

    def read(self, picture: Picture, face: Face) -> Lids:
        """What it sees of one face."""
        first, second = (self._points(picture, face, *crop) for crop in _CROPS)
        moved = float(np.hypot(*(first - second).T).mean()) / max(face.inter_eye, 1e-6)
        looks = [self._shapes(points) for points in (first, second)]
        # of the eye that is more open: a wink is no shut face; of the lower corner: half a smile is none
        shut, smile = (float(np.mean([one[list(pair)].min() for one in looks])) for pair in (_BLINKS, _SMILES))
        return Lids(shut=shut, unsteady=moved, smile=smile)

    def points(self, picture: Picture, face: Face) -> Floats:
        """(478, 2) in px of the picture, in MediaPipe's numbering."""
        return self._points(picture, face, *_CROPS[0])

    def _net(self, name: str) -> Any:
        nets = self._own.__dict__.setdefault("nets", {})
        if name not in nets:
            # OpenCV 5's newer engine keeps only the last of a net's outputs, and from memory it is always taken.
            with zipfile.ZipFile(self.path) as bundle, tempfile.TemporaryDirectory() as folder:
                weights = bundle.extract(name, folder)
                nets[name] = cv2.dnn.readNetFromTFLite(weights, engine=cv2.dnn.ENGINE_CLASSIC)
        return nets[name]

    def _shapes(self, points: Floats) -> Floats:
        """(52,) 0..1: what each part of the face does."""
        net = self._net(_SHAPES)
        net.setInput(points[_SHAPED_BY].astype(np.float32)[None])
        return np.asarray(net.forward(), np.float64).ravel()

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
        net = self._net(_POINTS)
        net.setInput(cv2.dnn.blobFromImage(crop, 1 / 255))
        names = net.getUnconnectedOutLayersNames()
        largest = max(net.forward(names), key=lambda values: int(values.size))
        points = np.asarray(largest, np.float64).reshape(-1, 3)[:, :2]
        return np.asarray((points - matrix[:, 2]) @ np.linalg.inv(linear).T)
