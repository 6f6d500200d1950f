"""The one training loop of the eyes: any net, any endless source of batches, a budget in CPU seconds.

The budget counts the process's own CPU time, so a run on a busy machine learns as much as on an idle one, only later;
the learning rate follows the share of the budget that is spent.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

Batch = tuple[Tensor, ...]


def learn(
    net: nn.Module,
    batches: Iterator[Batch],
    loss: Callable[[nn.Module, Batch], Tensor],
    *,
    cpu_seconds: float,
    rate: float,
    label: str,
    save: Path | None = None,
) -> None:
    """AdamW, short warm-up, cosine to zero, gradient clipped; prints a line a minute and keeps a checkpoint."""
    net.train()
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing from torch's stubs
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=0.01)
    began, wall = time.process_time(), time.monotonic()
    told, recent, step = began, [0.0], 0
    while True:
        spent = time.process_time() - began
        share = spent / cpu_seconds
        if share >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 40) * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))
        value = loss(net, next(batches))
        optimiser.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        recent, step = [*recent[-99:], float(value.detach())], step + 1
        if time.process_time() - told > 30:
            told = time.process_time()
            mean = sum(recent) / len(recent)
            print(
                f"{label} step {step} loss {mean:.4f} cpu {spent:.0f} s wall {time.monotonic() - wall:.0f} s",
                flush=True,
            )
            if save is not None:
                torch.save(net.state_dict(), save)
    if save is not None:
        torch.save(net.state_dict(), save)
    print(f"{label} done: {step} steps, loss {sum(recent) / len(recent):.4f}", flush=True)
    net.eval()


def tensor(pictures: npt.NDArray[np.uint8]) -> Tensor:
    """uint8 (N, H, W, 3) to float (N, 3, H, W) in -1..1."""
    return torch.from_numpy(pictures.astype(np.float32) / 127.5 - 1).permute(0, 3, 1, 2)


def load_shards(folder: Path, kind: str, only: tuple[str, ...] = ()) -> dict[str, npt.NDArray[Any]]:
    """All shards `kind`*.npz of a folder, concatenated by column (all columns, or `only` these)."""
    columns: dict[str, list[npt.NDArray[Any]]] = {}
    for path in sorted(folder.glob(f"{kind}*.npz")):
        if ".part" in path.name:
            continue
        with np.load(path) as shard:
            for name in only or shard.files:
                columns.setdefault(name, []).append(shard[name])
    if not columns:
        raise FileNotFoundError(f"no {kind} shards in {folder}; `python -m synthetic.eyes.people` renders them")
    return {name: np.concatenate(parts) for name, parts in columns.items()}
