"""What flow-matching families share: a straight line from latents to noise, and Euler steps back along it.

x = (1 - s) latents + s noise, and the network's answer is its slope, noise - latents. Times are s: 0..1, 1 = noise.
"""

from typing import Any

import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from torch import Tensor

from tasks.vision.families.family import Family, Noisy, Sampler


class FlowSampler(Sampler):
    """Euler steps along the flow, with the time shift `mu` that the stock pipeline derives from the picture's size."""

    def __init__(self, config: Any, steps: int, mu: float, device: torch.device) -> None:
        self.scheduler = FlowMatchEulerDiscreteScheduler.from_config(config)  # type: ignore[no-untyped-call]
        sigmas = torch.linspace(1.0, 1 / steps, steps, dtype=torch.float64).tolist()
        self.scheduler.set_timesteps(sigmas=sigmas, mu=mu, device=device)
        self.scheduler.set_begin_index(0)
        self.times = [tick / 1000 for tick in self.scheduler.timesteps]  # the network counts 0..1

    def start(self, noise: Tensor) -> Tensor:
        return noise

    def seen(self, state: Tensor, time: Tensor) -> Tensor:
        return state

    def step(self, answer: Tensor, time: Tensor, state: Tensor) -> Tensor:
        # the scheduler keeps its own place on the walk; `time` is only for show once the begin index is set
        after: Tensor = self.scheduler.step(answer, time * 1000, state, return_dict=False)[0]
        return after

    def level(self, latents: Tensor, noise: Tensor, index: int) -> Tensor:
        share: Tensor = self.scheduler.sigmas[index].to(latents)
        return (1 - share) * latents + share * noise


class FlowFamily(Family):
    """A family whose training noise lies on that line."""

    def times(self, uniform: Tensor) -> Tensor:
        """Mostly at middling noise (logit-normal, arXiv 2403.03206). The official scripts draw them evenly."""
        return torch.sigmoid(torch.special.ndtri(uniform.clamp(1e-4, 1 - 1e-4)))

    def corrupt(self, latents: Tensor, noise: Tensor, times: Tensor) -> Noisy:
        share = times.to(latents).view(-1, 1, 1, 1)
        return Noisy((1 - share) * latents + share * noise, noise - latents, torch.ones_like(times))
