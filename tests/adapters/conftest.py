"""A tiny random base of the embedded one's kind, and people made of noise: enough for every promise of the loop."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.random_bases import write_random_base
from tasks.adapters.examples import LearningPerson
from tasks.adapters.plan import TrainingPlan, plan_training
from tasks.vault.files import replace_file
from tasks.vision.diffusion import FrozenBase, load_base_card, open_base

TARGETS = ("to_q", "to_k", "to_v", "to_out.0", "ff.net.2", "conv1", "time_emb_proj")


class FolderShelf:
    """A shelf of plain files, for tests that have no vault."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, person: str, name: str, data: bytes) -> None:
        replace_file(self.folder / person / name, data)

    def get(self, person: str, name: str) -> bytes | None:
        path = self.folder / person / name
        return path.read_bytes() if path.is_file() else None


@pytest.fixture
def shelf(tmp_path: Path) -> FolderShelf:
    return FolderShelf(tmp_path / "shelf")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bases")
    write_random_base(folder, "tiny", "sd-v")
    return folder


@pytest.fixture(scope="session")
def base(bases: Path) -> FrozenBase:
    torch.set_num_threads(1)
    return open_base(load_base_card("tiny", bases), device="cpu")


@pytest.fixture
def plan(base: FrozenBase) -> TrainingPlan:
    """Rank 4 on linear layers and 3x3 convolutions, two samples per step, high rate: differences show."""
    return replace(
        plan_training(base.card, "standard", 8),
        steps=6, rank=4, alpha=4.0, batch=2, targets=TARGETS, learning_rate=1e-3, warmup=2,
    )  # fmt: skip


@pytest.fixture
def person(base: FrozenBase) -> Callable[..., LearningPerson]:
    def make(number: int, photos: int = 3, **changes: object) -> LearningPerson:
        rng = np.random.default_rng(number)
        side = base.card.resolution
        pictures = [rng.integers(0, 256, (side, side, 3), dtype=np.uint8) for _ in range(photos)]
        captions = [f"selfie photo of a sks person, {place}" for place in ("kitchen", "park", "office")]
        whole = LearningPerson(f"p{number}", pictures, [captions[i % 3] for i in range(photos)], seed=1000 + number)
        return replace(whole, **changes)  # type: ignore[arg-type]

    return make
