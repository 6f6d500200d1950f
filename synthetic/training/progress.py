"""How long a stage runs, where it is, and how it survives being killed.

Promise: a stage is bounded by minutes or by steps, knows how far it is (0..1) across restarts, and its checkpoint is
replaced in one move, so that there is always a whole one.
"""

import math
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch


@dataclass
class Budget:
    """What a stage may use. `spent` minutes and `step` survive in the checkpoint."""

    minutes: float | None = None
    steps: int | None = None
    spent: float = 0.0
    step: int = 0
    _last: float = field(default_factory=time.monotonic)

    def tick(self) -> None:
        """Counts one step and the time since the last one; of a pause (the machine slept), no more than a minute."""
        now = time.monotonic()
        self.spent += min((now - self._last) / 60, 1.0)
        self._last = now
        self.step += 1

    @property
    def fraction(self) -> float:
        """0 at the start, 1 when the first of the two limits is reached."""
        by_time = self.spent / self.minutes if self.minutes else 0.0
        by_step = self.step / self.steps if self.steps else 0.0
        return min(1.0, max(by_time, by_step))

    @property
    def over(self) -> bool:
        """True when the stage has to end."""
        return self.fraction >= 1.0


def learning_rate(peak: float, budget: Budget, warm_up: int, floor: float = 0.01, hold: float = 0.3) -> float:
    """Warm-up over steps, then constant until `hold`, then a half cosine to `floor` * peak at the end."""
    x = max(0.0, budget.fraction - hold) / (1 - hold)
    return peak * min(1.0, (budget.step + 1) / warm_up) * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * x)))


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Writes beside the old checkpoint, then replaces it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """The last whole checkpoint, or None."""
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def half_pays(device: torch.device) -> bool:
    """Whether the device computes in bfloat16 itself; a processor that only imitates it takes many times as long."""
    if device.type != "cpu":
        return True
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def half_where_it_pays(device: torch.device) -> torch.autocast:
    """The context that networks are trained in."""
    return torch.autocast(device.type, torch.bfloat16, enabled=half_pays(device))


def pick_device(name: str) -> torch.device:
    """`auto` is the GPU where there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)
