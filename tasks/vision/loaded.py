"""The models of this process, opened once: a cohort trains, draws and judges with the same base and the same eyes."""

from functools import lru_cache
from pathlib import Path

from tasks.vision.diffusion import FrozenBase, open_base
from tasks.vision.diffusion_card import load_base_card
from tasks.vision.faces import Eyes
from tasks.vision.open_eyes import open_eyes


@lru_cache(maxsize=1)
def the_base(name: str, folder: Path) -> FrozenBase:
    """The frozen base of this name, on the device this process may use."""
    return open_base(load_base_card(name, folder))


@lru_cache(maxsize=2)
def the_eyes(name: str, models: Path) -> Eyes:
    """The eyes of this name, their files from `Settings.models`."""
    return open_eyes(name, models)
