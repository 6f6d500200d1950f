"""The models of this process, opened once: a cohort trains, draws and judges with the same base and the same eyes.

The libraries of the base are opened with it: a process that only hands work out starts without them, in two fifths of
the time.
"""

from __future__ import annotations

import gc
import logging
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.vision.diffusion_card import load_base_card
from tasks.vision.faces import Eyes
from tasks.vision.open_eyes import open_eyes

if TYPE_CHECKING:
    from tasks.vision.diffusion import FrozenBase

logger = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def the_base(name: str, folder: Path) -> FrozenBase:
    """The frozen base of this name, on the device this process may use."""
    from tasks.vision.diffusion import open_base

    began = time.monotonic()
    base = open_base(load_base_card(name, folder))
    logger.info("base %s opened in %.1f s", name, time.monotonic() - began)
    return base


@lru_cache(maxsize=2)
def the_eyes(name: str, models: Path) -> Eyes:
    """The eyes of this name, their files from `Settings.models`."""
    return open_eyes(name, models)


def tidy_up() -> None:
    """What a cohort left in memory is given back, so that the next one finds as much as the first; models stay."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
