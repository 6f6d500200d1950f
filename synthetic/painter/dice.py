"""The draws that people are made of: one seeded generator, bounded distributions."""

import numpy as np


class Dice:
    """One generator with the few draws that identity needs."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def around(self, mean: float, spread: float) -> float:
        """Normal, cut at 1.9 standard deviations so that nobody is a monster."""
        return float(mean + spread * np.clip(self.rng.standard_normal(), -1.9, 1.9))

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def pick(self, weights: dict[str, float]) -> str:
        values = np.asarray(list(weights.values()))
        return str(self.rng.choice(list(weights), p=values / values.sum()))
