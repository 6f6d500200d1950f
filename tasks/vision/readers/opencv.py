"""Eyes for real photographs: YuNet, an SFace-compatible encoder, and a segmentation mask, from pinned files.

The encoder is whichever of the card's encoders is present, the best first; the judge is the last one present, so
with two files it is another network than the one that chooses. With one file they are the same, and share a name.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from tasks.vision.eyes_card import OPENCV_CARD, EncoderCard, EyesCard, checked_file, read_eyes_card, state_of
from tasks.vision.faces import Eyes, EyesMissing, Face
from tasks.vision.images import Picture
from tasks.vision.matting import refine_matte
from tasks.vision.readers import sessions
from tasks.vision.readers.mesh import FaceMesh

Floats = npt.NDArray[np.float32]

_REMEDY = "`rollcall models pull opencv` fetches it; `rollcall models list` shows what is where"
_U2NET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)  # as the net was trained: ImageNet's colours
_U2NET_SPREAD = np.array([0.229, 0.224, 0.225], np.float32)
_WORKING_SIDE = 640  # px; enlarging small pictures to it is worth .05 in same-person cosine


def open_opencv(models: Path, card_path: Path = OPENCV_CARD) -> Eyes:
    """Check the files in `models`; networks load at first use."""
    card = read_eyes_card(card_path)
    present = [e for e in card.encoders if (models / e.file).is_file()]
    if not present:
        raise EyesMissing(f"no face encoder in {models}; {_REMEDY}")
    for encoder in present:
        checked_file(models, encoder, _REMEDY)
    finder = checked_file(models, card.finder, _REMEDY)
    matter = checked_file(models, card.matter, _REMEDY)
    eyes = _assemble(card, present, models, finder, matter)
    if card.landmarks is not None and state_of(models, card.landmarks) != "missing":
        eyes = replace(eyes, lids=FaceMesh(checked_file(models, card.landmarks, _REMEDY)))
    if card.witness is not None and state_of(models, card.witness) != "missing":
        eyes = replace(eyes, witness=SecondMatter(checked_file(models, card.witness, _REMEDY)))
    return eyes


def _assemble(card: EyesCard, encoders: list[EncoderCard], models: Path, finder: Path, matter: Path) -> Eyes:
    first, last = encoders[0], encoders[-1]
    return Eyes(
        name=card.name,
        finder=YuNet(finder, score=card.quality_limits().score),
        embedder=OpenCvEncoder(first.name, models / first.file),
        judge=OpenCvEncoder(last.name, models / last.file),
        matter=SelfieSegmentation(matter),
        thresholds=first.thresholds.thresholds(),
        judge_thresholds=last.thresholds.thresholds(),
        limits=card.quality_limits(),
    )


def _quieten() -> None:
    """OpenCV 5 warns about a target nobody set; real errors still come."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)


def _working_copy(picture: Picture, side: int) -> tuple[npt.NDArray[np.uint8], float]:
    """BGR with its longer side at `side`, and the scale."""
    k = side / max(picture.shape[:2])
    how = cv2.INTER_AREA if k < 1 else cv2.INTER_CUBIC
    width, height = max(1, round(picture.shape[1] * k)), max(1, round(picture.shape[0] * k))
    small = cv2.resize(picture, (width, height), interpolation=how)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2BGR), dtype=np.uint8), k


@dataclass
class YuNet:
    """cv2.FaceDetectorYN. It knows faces of 10 to 300 px, so close-ups get a second look at half the size."""

    path: Path
    score: float = 0.8
    _own: threading.local = field(default_factory=threading.local, repr=False)  # the net keeps its input's size

    def find(self, picture: Picture) -> list[Face]:
        net = getattr(self._own, "net", None)
        if net is None:
            _quieten()
            net = self._own.net = cv2.FaceDetectorYN.create(str(self.path), "", (320, 320), self.score, 0.3, 50)
        for side in (_WORKING_SIDE, _WORKING_SIDE // 2):
            small, k = _working_copy(picture, side)
            net.setInputSize((small.shape[1], small.shape[0]))
            rows = net.detect(small)[1]
            if rows is not None:
                return sorted((_face(row, k) for row in rows), key=lambda f: -f.area)
        return []


def _face(row: Floats, k: float) -> Face:
    x, y, w, h = (float(v) / k for v in row[:4])
    return Face((x, y, w, h), (row[4:14].reshape(5, 2) / k).astype(np.float32), float(row[14]))


@dataclass
class OpenCvEncoder:
    """cv2.FaceRecognizerSF: its own 112 px alignment, raw RGB; the vector is normalised here, never in place."""

    name: str
    path: Path
    _own: threading.local = field(default_factory=threading.local, repr=False)

    def embed(self, picture: Picture, face: Face) -> Floats:
        net = getattr(self._own, "net", None)
        if net is None:
            _quieten()
            net = self._own.net = cv2.FaceRecognizerSF.create(str(self.path), "")
        small, k = _working_copy(picture, _WORKING_SIDE)
        row = np.concatenate([np.asarray(face.box) * k, face.landmarks.ravel() * k, [face.score]])
        crop = net.alignCrop(small, row.astype(np.float32))
        vector = np.asarray(net.feature(crop), dtype=np.float32)[0]
        return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), dtype=np.float32)


@dataclass
class SelfieSegmentation:
    """MediaPipe's 256 px person mask, its edge refined on the picture: for measuring and simple cut-outs."""

    path: Path

    def matte(self, picture: Picture) -> Floats:
        small = cv2.resize(picture, (256, 256), interpolation=cv2.INTER_AREA)
        batch = np.asarray(small, dtype=np.float32)[None] / np.float32(255)
        coarse = sessions.run(self.path, batch)[0].reshape(256, 256)
        return refine_matte(picture, np.clip(coarse, 0, 1))


@dataclass
class SecondMatter:
    """U2-Net (the small one, 320 px), at the picture and its mirror image.

    It leaves flags and stars out, and bites into low shoulders: so it is asked about what another net has cut, and
    never cuts itself.
    """

    path: Path

    def matte(self, picture: Picture) -> Floats:
        mirrored = np.ascontiguousarray(picture[:, ::-1])
        return np.asarray((self._look(picture) + self._look(mirrored)[:, ::-1]) / 2, dtype=np.float32)

    def _look(self, picture: Picture) -> Floats:
        small = cv2.resize(picture, (320, 320), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        batch = ((small - _U2NET_MEAN) / _U2NET_SPREAD).transpose(2, 0, 1)[None]
        found = sessions.run(self.path, np.asarray(batch, dtype=np.float32))[0][0, 0]
        scaled = (found - found.min()) / max(float(found.max() - found.min()), 1e-6)
        return np.asarray(cv2.resize(scaled, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR), dtype=np.float32)
