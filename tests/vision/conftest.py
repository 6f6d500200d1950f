"""Where the development photographs and models lie, portraits drawn with plain shapes, and a base at a loopback hub."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from huggingface_hub import constants

from benchmarks.random_bases import write_random_base
from tasks.shipped import SHIPPED
from tasks.vision import pull
from tasks.vision.diffusion_card import BaseCard, load_base_card
from tasks.vision.faces import Eyes, Face
from tasks.vision.open_eyes import open_eyes
from tasks.vision.pull import pull_base
from tests.vision.loopback_hub import REVISION, LoopbackHub, serving

WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


def _shared() -> Path:
    return Path(os.environ.get("ROLLCALL_SHARED", SHIPPED.parent / "shared"))


@pytest.fixture(scope="session")
def photos() -> Path:
    folder = _shared() / "testdata" / "photos"
    if not (folder / "manifest.json").is_file():
        pytest.skip("the folder with real portraits is not here (set ROLLCALL_SHARED)")
    return folder


@pytest.fixture(scope="session")
def real_models() -> Path:
    folder = _shared() / "models"
    if not (folder / "face_detection_yunet_2023mar.onnx").is_file():
        pytest.skip("the folder with small production models is not here (set ROLLCALL_SHARED)")
    return folder


@pytest.fixture(scope="session")
def opencv_eyes(real_models: Path) -> Eyes:
    return open_eyes("opencv", real_models)


@pytest.fixture(scope="session")
def embedded_eyes() -> Eyes:
    return open_eyes("embedded")


@pytest.fixture(scope="session")
def noise_picture() -> npt.NDArray[np.uint8]:
    """Smooth coloured texture, 320 x 240: something to decode, warp and compare."""
    rng = np.random.default_rng(5)
    small = rng.uniform(30, 225, (12, 16, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(small, (320, 240), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


@pytest.fixture(scope="session")
def drawn_face() -> tuple[npt.NDArray[np.uint8], Face]:
    """A 400 px face of ellipses with fine texture: light from the left, dark eyes."""
    rng = np.random.default_rng(2)
    picture = np.full((400, 400, 3), (90, 120, 150), dtype=np.uint8)
    cv2.ellipse(picture, (200, 210), (95, 130), 0, 0, 360, (205, 160, 135), -1)
    shade = np.linspace(1.15, 0.75, 400)[None, :, None]
    picture = np.clip(picture * shade, 0, 255).astype(np.uint8)
    for x in (160, 240):
        cv2.ellipse(picture, (x, 180), (20, 10), 0, 0, 360, (235, 235, 235), -1)
        cv2.circle(picture, (x, 180), 9, (60, 40, 30), -1)
    cv2.ellipse(picture, (200, 275), (32, 9), 0, 0, 360, (150, 70, 70), -1)
    grain = rng.normal(0, 7, picture.shape)
    picture = np.clip(picture + grain, 0, 255).astype(np.uint8)
    points = np.array([[160, 180], [240, 180], [200, 225], [168, 275], [232, 275]], dtype=np.float32)
    return picture, Face((105, 80, 190, 260), points, 0.99)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a real repository holds beside what is loaded."""
    folder = tmp_path_factory.mktemp("repository")
    write_random_base(folder, "tiny", "sd")
    place = folder / "tiny"
    weights = (place / WEIGHTS).read_bytes()
    (place / "single_file_checkpoint.safetensors").write_bytes(weights)
    (place / "unet/diffusion_pytorch_model.fp16.safetensors").write_bytes(weights)
    (place / "unet/diffusion_pytorch_model.non_ema.safetensors").write_bytes(weights)
    (place / "unet/diffusion_pytorch_model.bin").write_bytes(b"a pickle")
    (place / "tokenizer/chat_template.jinja").write_text("{{ a }}")
    (place / "safety_checker").mkdir()
    (place / "safety_checker/model.safetensors").write_bytes(weights)
    index = json.loads((place / "model_index.json").read_text())
    index["safety_checker"] = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    (place / "model_index.json").write_text(json.dumps(index))
    (place / "LICENSE.md").write_text("be good")
    (place / "README.md").write_text("# tiny")
    return folder


@pytest.fixture
def hub(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 2)
    monkeypatch.setattr(pull, "SPARE", 0)
    with serving(shelf / "tiny") as running:
        yield running


@pytest.fixture
def card(shelf: Path, tmp_path: Path) -> BaseCard:
    whole = load_base_card("tiny", shelf)
    source = {"repository": "tiny/base", "revision": REVISION, "path": None}
    return whole.model_copy(update={**source, "folder": tmp_path / "bases" / "tiny"})


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def fetch(card: BaseCard, hub: LoopbackHub, said: list[str]) -> Callable[..., Path]:
    return lambda **changes: pull_base(card.model_copy(update=changes), say=said.append, mirror=hub.address)
