"""What a training caption says of one selfie: place, light, clothes, smile, glasses as measured; of the face, nothing.

What differs between photos is named, so that it does not go to the trigger word; what is always the same (face, hair,
build, glasses that are never taken off) is not, so that it does. What our eyes cannot tell is left out. Words are those
that the base was trained with: few for a small one.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from tasks.vision.colour import delta_e, to_lab
from tasks.vision.images import Picture
from tasks.vision.looks import PhotoLooks

Floats = npt.NDArray[np.float32]

PLAIN = "selfie photo of a {token} person"
# sRGB of colours as people name them; cloth is darker than walls of the same name.
WALLS = {
    "white": "#eeeff0", "light grey": "#c9cacb", "grey": "#8c8d8e", "dark grey": "#4a4b4d", "navy": "#232e50",
    "blue": "#3f70bb", "light blue": "#9dc2df", "teal": "#24868a", "green": "#478a5e", "burgundy": "#7a2440",
    "orange": "#dd8a38", "beige": "#cfb999", "purple": "#6f449a", "yellow": "#e9c340",
}  # fmt: skip
CLOTHES = {
    "white": "#e4e4e1", "grey": "#959596", "black": "#29292b", "navy": "#2c385d", "blue": "#456fae", "red": "#b33538",
    "green": "#3f7c59", "beige": "#c4af95", "charcoal": "#424346", "teal": "#30818a", "mustard": "#c49938",
    "burgundy": "#732639", "pink": "#d59aa1", "light blue": "#a1bedc",
}  # fmt: skip
SIDED = 0.35  # stops between the cheeks from which the light has a side
# Shares of the portrait frame: two patches beside the head, one below it, and a cheek each (left, top, right, bottom).
WALL_BOXES = ((0.02, 0.05, 0.16, 0.35), (0.84, 0.05, 0.98, 0.35))
CLOTHES_BOX = (0.3, 0.9, 0.7, 0.99)
CHEEKS = ((0.37, 0.5, 0.44, 0.6), (0.56, 0.5, 0.63, 0.6))


def plain_caption(token: str) -> str:
    """The sentence that is true of every photo."""
    return PLAIN.format(token=token)


def class_caption() -> str:
    """The same of anybody: what the base makes of it may be kept while a person is learned."""
    return plain_caption("").replace("  ", " ")


def what_differs(looks: Sequence[PhotoLooks]) -> list[PhotoLooks]:
    """The same without glasses that all of a person's photos show: those are theirs."""
    both = {True, False} <= {one.glasses for one in looks}
    return [one if both else replace(one, glasses=None) for one in looks]


def caption_of(portrait: Picture, alpha: Floats, token: str, looks: PhotoLooks, *, small: bool) -> str:
    """The sentence of one aligned portrait. `alpha`: 1 where the person is. `small`: the grammar of a small base."""
    wall = _name(_median(portrait, [(box, alpha < 0.1) for box in WALL_BOXES]), WALLS)
    cloth = _name(_median(portrait, [(CLOTHES_BOX, alpha > 0.9)]), CLOTHES)
    side = _side(portrait)
    who = plain_caption(token) + (" with glasses" if looks.glasses else "")
    smile = "smiling" if looks.smiling else ""
    if small:
        light = "soft daylight" if side is None else f"window light from the {side}"
        behind = "park" if looks.outdoors else wall
        parts = [f"{behind} background" if behind else "", light, f"{cloth} t-shirt" if cloth else "", smile]
    else:
        light = "even light" if side is None else f"light from the {side}"
        place = "outdoors" if looks.outdoors else f"{wall} background" if wall else ""
        parts = [smile, f"{cloth} clothes" if cloth else "", place, light]
    return ", ".join([who, *(part for part in parts if part)])


def _pixels(shape: tuple[int, ...], box: tuple[float, ...]) -> tuple[slice, slice]:
    size = shape[0]
    left, top, right, bottom = (round(share * size) for share in box)
    return slice(top, max(top + 1, bottom)), slice(left, max(left + 1, right))


def _median(
    portrait: Picture, places: list[tuple[tuple[float, ...], npt.NDArray[np.bool_]]]
) -> npt.NDArray[np.uint8] | None:
    """The median colour inside these boxes where their mask is true; None where too little is."""
    found = [portrait[_pixels(portrait.shape, box)][mask[_pixels(portrait.shape, box)]] for box, mask in places]
    pixels = np.concatenate(found)
    if len(pixels) < 0.002 * portrait.shape[0] ** 2:
        return None
    return np.asarray(np.median(pixels, axis=0), np.uint8)


def _name(colour: npt.NDArray[np.uint8] | None, words: dict[str, str]) -> str | None:
    """The word whose colour is nearest (CIEDE2000)."""
    if colour is None:
        return None
    names = list(words)
    known = np.array([[[int(words[n][i : i + 2], 16) for i in (1, 3, 5)] for n in names]], np.uint8)
    return names[int(delta_e(to_lab(colour[None, None])[0], to_lab(known)[0]).argmin())]


def _side(portrait: Picture) -> str | None:
    """Where the light comes from, as seen in the picture."""
    left, right = (float(portrait[_pixels(portrait.shape, box)].mean()) + 1 for box in CHEEKS)
    stops = 2.2 * float(np.log2(left / right))  # of light, not of sRGB levels
    if abs(stops) < SIDED:
        return None
    return "left" if stops > 0 else "right"
