"""The optimiser: Muon for matrices and convolutions, AdamW for everything else.

Promise: each matrix steps by the nearest orthogonal matrix to its momentum, scaled like a step of AdamW, so that one
learning rate serves both halves. On two cores only some thousand steps fit into an hour: each has to count.

For one matrix it is `torch.optim.Muon` (a test compares them), which takes nothing but matrices, one after the other:
most of what is trained here are convolutions, many of one shape, and several processes share them out.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from synthetic.training.progress import half_pays


def orthogonalise(stack: Tensor, rounds: int = 4) -> Tensor:
    """(K, m, n) with m <= n: Newton-Schulz towards U V^T; coefficients of Keller Jordan's Muon."""
    x = stack.bfloat16() if half_pays(stack.device) else stack.float()
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(rounds):
        gram = x @ x.transpose(1, 2)
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    done: Tensor = x.float()
    return done


class Muon(torch.optim.Optimizer):
    """`parameters` with two or more dimensions get Muon, the others (and `plain` ones, by id) AdamW."""

    def __init__(
        self, parameters: Iterable[Tensor], lr: float, *, plain: Iterable[Tensor] = (), momentum: float = 0.9,
        betas: tuple[float, float] = (0.9, 0.98), weight_decay: float = 1e-3,
    ) -> None:  # fmt: skip
        keep_plain = {id(p) for p in plain}
        every = list(parameters)
        matrices = [p for p in every if p.ndim >= 2 and min(p.shape[0], p[0].numel()) > 4 and id(p) not in keep_plain]
        chosen = {id(p) for p in matrices}
        groups = [
            {"params": matrices, "kind": "matrix"},
            {"params": [p for p in every if id(p) not in chosen], "kind": "plain"},
        ]
        super().__init__(groups, {"lr": lr, "momentum": momentum, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One update of both halves."""
        for group in self.param_groups:
            present = [p for p in group["params"] if p.grad is not None]
            if group["kind"] == "matrix":
                self._matrices(present, group)
            else:
                self._plain(present, group)

    def _matrices(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """Same shapes share one batched iteration; processes share the shapes out among themselves."""
        shapes: dict[tuple[int, ...], list[tuple[int, Tensor]]] = defaultdict(list)
        for i, p in enumerate(parameters):
            state = self.state[p]
            if "momentum" not in state:
                state["momentum"] = torch.zeros_like(p)
            gradient = p.grad
            assert gradient is not None
            state["momentum"].lerp_(gradient, 1 - group["momentum"])
            ahead = gradient.lerp(state["momentum"], group["momentum"]).flatten(1)
            shapes[tuple(ahead.shape)].append((i, ahead))
        rank, count = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
        updates = [torch.zeros_like(p) for p in parameters]
        for members in shapes.values():
            mine = members[rank::count]
            if not mine:
                continue
            stack = torch.stack([ahead for _, ahead in mine])
            tall = stack.shape[1] > stack.shape[2]
            made = orthogonalise(stack.transpose(1, 2) if tall else stack)
            made = (made.transpose(1, 2) if tall else made) * (0.2 * max(stack.shape[1:]) ** 0.5)
            for (i, _), update in zip(mine, made, strict=True):
                updates[i].copy_(update.reshape(updates[i].shape))
        if count > 1:
            flat = torch.cat([u.flatten() for u in updates])
            dist.all_reduce(flat)
            parts = torch.split(flat, [u.numel() for u in updates])
            updates = [part.view_as(u) for part, u in zip(parts, updates, strict=True)]
        torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
        torch._foreach_add_(parameters, updates, alpha=-group["lr"])

    def _plain(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """AdamW in a few fused calls."""
        first, second = group["betas"]
        for p in parameters:
            if "step" not in self.state[p]:
                self.state[p] = {"step": 0, "mean": torch.zeros_like(p), "square": torch.zeros_like(p)}
            self.state[p]["step"] += 1
        if not parameters:
            return
        states = [self.state[p] for p in parameters]
        gradients = [p.grad for p in parameters if p.grad is not None]
        means, squares = [s["mean"] for s in states], [s["square"] for s in states]
        torch._foreach_lerp_(means, gradients, 1 - first)
        torch._foreach_mul_(squares, second)
        torch._foreach_addcmul_(squares, gradients, gradients, 1 - second)
        for p, state in zip(parameters, states, strict=True):
            unbias = (1 - second ** state["step"]) ** 0.5 / (1 - first ** state["step"])
            p.addcdiv_(state["mean"], state["square"].sqrt().add_(1e-8), value=-group["lr"] * unbias)
