"""How far a base moves people's skin, by thirds from the darkest to the lightest, in degrees of ITA.

The truth is the painter's: the same people in the light that is asked for. Median over somebody's pictures, mean over
a third, so that neither one odd picture nor one odd person makes the figure.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks.headshots.measure import bare_skin, skin_colour
from tasks.vision.colour import ita
from tasks.vision.faces import Eyes
from tasks.vision.images import Picture

People = Sequence[Sequence[Picture]]  # pictures by person
THIRDS = ("darkest", "middle", "lightest")
GOAL = "2°"


def tone(eyes: Eyes, pictures: Sequence[Picture]) -> float:
    """ITA of the skin, degrees: median over the pictures in which a face is found, nan if there is none."""
    colours = [
        skin_colour(picture, bare_skin(picture, faces[0]))
        for picture in pictures
        if (faces := eyes.finder.find(picture))
    ]
    return float(ita(np.median(colours, axis=0))) if colours else float("nan")


def skin_lines(eyes: Eyes, painted: People, drawn: People, beside: Mapping[str, People]) -> list[tuple[str, str, str]]:
    """(what, figure, target): the mean shift of each third of `drawn`, so that a company is not drawn towards one tone,
    and of what else is to be held beside it."""
    true = np.asarray([tone(eyes, pictures) for pictures in painted])
    shift = np.asarray([tone(eyes, pictures) for pictures in drawn]) - true
    order = [i for i in np.argsort(true) if np.isfinite(shift[i])]
    thirds = np.array_split(np.asarray(order, int), 3)
    lines = [
        (f"skin, {name} third of {len(third)}", f"{np.mean(shift[third]):+.1f}°" if len(third) else "none", GOAL)
        for name, third in zip(THIRDS, thirds, strict=True)
    ]
    lines.append(("skin, shift of a person without its sign", f"{np.mean(np.abs(shift[order])):.1f}°", ""))
    for what, pictures in beside.items():
        other = np.asarray([tone(eyes, row) for row in pictures]) - true
        means = " / ".join(f"{np.nanmean(other[third]):+.1f}" for third in thirds if len(third))
        lines.append((f"skin, {what}", f"{means}°", ""))
    return lines
