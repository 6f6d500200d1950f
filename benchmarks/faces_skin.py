"""Does skin in a photograph say whose it is, or that somebody made it lighter? One person's photos beside two people's.

By the angle that skin tone is usually told by (ITA), and by the direction of hue, which stronger or weaker light leaves
alone. The limit is what nine of ten pairs of one person keep; beside it what a change of the skin itself moves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from tasks.headshots.measure import bare_skin, skin_colour
from tasks.vision.colour import ita, linear_to_srgb, to_linear
from tasks.vision.faces import Face
from tasks.vision.images import Picture

Shade = Callable[[Picture], Picture]
LEAST_CHROMA = 3.0  # less is a black-and-white photograph


def lit(stops: float) -> Shade:
    def change(picture: Picture) -> Picture:
        light = np.clip(to_linear(picture) * np.float32(2.0**stops), 0, 1).astype(np.float32)
        return np.clip(np.rint(linear_to_srgb(light) * 255), 0, 255).astype(np.uint8)

    return change


def towards(share: float, colour: tuple[int, int, int]) -> Shade:
    return lambda picture: np.clip(picture * (1 - share) + np.array(colour) * share, 0, 255).astype(np.uint8)


CHANGES: dict[str, Shade] = {
    "half a stop lighter": lit(0.5),
    "a stop lighter": lit(1.0),
    "30 % towards pale pink": towards(0.3, (250, 226, 214)),
    "50 % towards orange": towards(0.5, (230, 150, 70)),
    "30 % towards blue": towards(0.3, (150, 170, 230)),
}


def angles(lab: npt.NDArray[np.float32]) -> tuple[float, float]:
    """(ITA, hue), degrees."""
    return float(ita(lab)), float(np.degrees(np.arctan2(lab[2], lab[1])))


def apart(first: float, second: float) -> float:
    """Degrees between two angles."""
    return abs((first - second + 180) % 360 - 180)


def skin_table(shots: Sequence[tuple[str, Picture, Face]]) -> None:
    """Pairs of one person and of two, and how many changes of the skin go beyond what one person's photos differ by."""
    people, plain, changed = [], [], []
    for person, picture, face in shots:
        skin = bare_skin(picture, face)
        lab = skin_colour(picture, skin)
        if float(np.hypot(lab[1], lab[2])) < LEAST_CHROMA:
            continue
        people.append(person)
        plain.append(angles(lab))
        changed.append({name: angles(skin_colour(change(picture), skin)) for name, change in CHANGES.items()})
    pairs = list(combinations(range(len(people)), 2))
    for at, name in enumerate(("ITA", "hue")):
        same = [apart(plain[a][at], plain[b][at]) for a, b in pairs if people[a] == people[b]]
        others = np.array([apart(plain[a][at], plain[b][at]) for a, b in pairs if people[a] != people[b]])
        if not same:
            print("\nskin: nobody with two photographs")
            return
        limit = float(np.quantile(same, 0.9))
        nearer = float(np.mean([(others > value).mean() for value in same]))
        print(f"\n{name}: {len(same)} pairs of one person differ by {np.median(same):.0f} degrees in the median, "
              f"{limit:.0f} in nine of ten; {len(others)} of two people by {np.median(others):.0f}. One person's pair "
              f"is the nearer one in {nearer:.0%} (chance: 50 %)")  # fmt: skip
        own = [(a, b) for one in pairs for a, b in (one, one[::-1]) if people[a] == people[b]]
        for change in CHANGES:
            told = sum(apart(changed[a][change][at], plain[b][at]) > limit for a, b in own)
            print(f"  {change:<26}{told} of {len(own)} beyond that")
