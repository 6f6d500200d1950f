"""Several processes that train one network.

Promise: with `torchrun --nproc-per-node 2`, every process computes the gradient of its own samples and all step with
the mean, so their weights stay equal to the bit. On a busy machine two processes with one thread each are much
faster than one with two threads, because they wait for each other once per step and not once per operation.
"""

import os
from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import Tensor

from synthetic.training.progress import Budget


def join_processes() -> tuple[int, int]:
    """(rank, count). One process where torchrun did not start us."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count > 1 and not dist.is_initialized():
        dist.init_process_group("gloo")
    return int(os.environ.get("RANK", "0")), count


def average(parameters: Sequence[Tensor], budget: Budget) -> None:
    """Means of the gradients, and of the time spent, so that all processes also end at the same step."""
    if not dist.is_initialized():
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([*(g.flatten() for g in gradients), torch.tensor([budget.spent], device=gradients[0].device)])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    budget.spent = float(flat[-1])
    start = 0
    for gradient in gradients:
        gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
        start += gradient.numel()


def is_first() -> bool:
    """True in the process that prints and saves."""
    return not dist.is_initialized() or dist.get_rank() == 0


def wait_for_all() -> None:
    """Nobody goes on before everybody is here."""
    if dist.is_initialized():
        dist.barrier()
