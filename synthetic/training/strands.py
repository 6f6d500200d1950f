"""A judge of hair and cloth: a small network that learns to tell painted patches from drawn ones, beside the decoder.

Promise: it is asked about hair and cloth only, sees 22 px at a time, and shrinks by means of neighbours, so that it is
not blind to grids and gives none; what it says weighs against the pixels by a share that is chosen (`weighed`),
whatever its logits happen to be. It is thrown away with the checkpoint: nothing of it ships.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from synthetic.training.shards import CELL
from synthetic.training.texture import over_rough

WIDTHS = (24, 48, 64)
FEATURES = 4.0  # weight of what the judge sees in the true patch at the same place, beside its verdict
RATE = 1e-3  # of the judge's AdamW
ALONE = 60  # steps in which the judge learns before it is listened to: a new one says nothing


class PatchJudge(nn.Module):
    """Pictures in -1..1 to one verdict per cell of CELL px, and what it saw on the way."""

    def __init__(self) -> None:
        super().__init__()
        first, second, third = WIDTHS
        self.layers = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 3, padding=1, padding_mode="reflect"))
            for a, b in ((3, first), (first, second), (second, third))
        )
        self.verdict = spectral_norm(nn.Conv2d(third, 1, 1))

    def forward(self, pictures: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(N, 1, s / CELL, s / CELL), and features at s / 2, s / 4 and s / 8."""
        seen, x = [], pictures
        for layer in self.layers:
            x = functional.avg_pool2d(functional.leaky_relu(layer(x) * 2, 0.2), 2)
            seen.append(x)
        return self.verdict(x), seen


def telling_loss(judge: PatchJudge, made: Tensor, true: Tensor, rough: Tensor) -> Tensor:
    """What the judge learns: painted patches above 1, drawn ones below -1."""
    drawn, painted = judge(made.detach())[0], judge(true)[0]
    return over_rough(functional.relu(1 + drawn) + functional.relu(1 - painted), rough)


def passing_loss(judge: PatchJudge, made: Tensor, true: Tensor, rough: Tensor) -> Tensor:
    """What the decoder learns of it: to be taken for painted, by features like those of the true patch."""
    verdict, seen = judge(made)
    with torch.no_grad():
        wanted = judge(true)[1]
    loss = over_rough(-verdict, rough)
    for mine, others in zip(seen, wanted, strict=True):
        gap = functional.adaptive_avg_pool2d((mine - others).abs().mean(1, keepdim=True), rough.shape[-1])
        loss = loss + FEATURES / len(seen) * over_rough(gap, rough)
    return loss


def weighed(pixels: Tensor, judged: Tensor, made: Tensor, rough: Tensor, share: float) -> Tensor:
    """The gradient at `made` of both: the judge's is `share` times as strong as the pixels' on hair and cloth."""
    by_pixels, by_judge = (torch.autograd.grad(loss, made, retain_graph=True)[0] for loss in (pixels, judged))
    place = functional.interpolate(rough, scale_factor=CELL, mode="nearest")
    strengths = [(g * place).norm() for g in (by_pixels, by_judge)]
    both: Tensor = by_pixels + share * strengths[0] / strengths[1].clamp_min(1e-12) * by_judge
    return both


class Judging:
    """The judge and its optimiser: learns at every step, is listened to after its first ones."""

    def __init__(self, share: float, seed: int, device: torch.device) -> None:
        self.share, self.steps = share, 0
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.net = PatchJudge().to(device)
        self.optimiser = torch.optim.AdamW(self.net.parameters(), RATE, betas=(0.0, 0.99))

    def gradient(self, pixels: Tensor, made: Tensor, true: Tensor, rough: Tensor) -> Tensor:
        """What the decoder is told at `made`."""
        if self.steps < ALONE:
            return torch.autograd.grad(pixels, made)[0]
        return weighed(pixels, passing_loss(self.net, made, true, rough), made, rough, self.share)

    def learn(self, made: Tensor, true: Tensor, rough: Tensor) -> float:
        """One step on what was drawn; its loss, 2 when it tells nothing."""
        loss = telling_loss(self.net, made, true, rough)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self.steps += 1
        return loss.item()

    def state(self) -> dict[str, Any]:
        """All that a restart needs."""
        return {"net": self.net.state_dict(), "optimiser": self.optimiser.state_dict(), "steps": self.steps}

    def load(self, state: dict[str, Any]) -> None:
        """Goes on from `state`."""
        self.net.load_state_dict(state["net"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.steps = state["steps"]
