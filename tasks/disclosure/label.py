"""The visible label on a picture: a few plain words, or the icon that the company puts there, clear of face and circle.

Deployers in the Union tell people that a picture is AI-made (AI Act, Art. 50(4)); the Code of Practice of June 2026
offers icons for it, which companies download themselves and put into their kit as `labels/generated.png` and
`labels/faithful.png`. Without those files the label is text, in the words of those icons.

It stands at the bottom, in the middle: directories cut circles, and the lowest place of a circle's inside is there.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tasks.vision.images import Picture

WORDS = {"generated": "AI-generated", "faithful": "AI-modified"}
LEAST_SIDE = 128  # px; in a smaller picture no label can be read, and none is drawn

# Shares of the short side. The label's upper corners lie inside the inscribed circle: at .36 under the middle it is .69
# wide, and the label takes .52 at most. A kit's chin is never lower than that (its frame's head ends above .8).
HEIGHT, WIDTH, BELOW_MIDDLE = 0.075, 0.52, 0.36


def with_label(picture: Picture, lane: str, icon: Path | None = None) -> Picture:
    """The picture with its label; as it is when it is too small for one. `icon` is a PNG with alpha."""
    height, width = picture.shape[:2]
    side = min(height, width)
    if side < LEAST_SIDE:
        return picture
    room = (round(side * WIDTH), round(side * HEIGHT))
    label = _icon(icon, room) if icon else _text(WORDS.get(lane, WORDS["generated"]), room)
    middle = height - side / 2  # of the square at the bottom, which is where a portrait is cut round
    left, top = round((width - label.width) / 2), round(middle + side * BELOW_MIDDLE)
    image = Image.fromarray(np.ascontiguousarray(picture))
    image.paste(label, (left, min(top, height - label.height)), label)
    return np.asarray(image)


def _text(words: str, room: tuple[int, int]) -> Image.Image:
    """White on a dark plate: legible on every backdrop (contrast 12 to 1)."""
    width, height = room
    font = ImageFont.load_default(height * 0.62)
    left, top, right, bottom = font.getbbox(words)
    plate = Image.new("RGBA", (min(width, round(right - left + height * 0.8)), height), (0, 0, 0, 0))
    draw = ImageDraw.Draw(plate)
    draw.rounded_rectangle((0, 0, plate.width - 1, height - 1), height / 4, fill=(20, 22, 26, 215))
    place = ((plate.width - (right - left)) / 2 - left, (height - (bottom - top)) / 2 - top)
    draw.text(place, words, font=font, fill=(255, 255, 255, 255))
    return plate


def _icon(path: Path, room: tuple[int, int]) -> Image.Image:
    with Image.open(path) as image:
        whole = image.convert("RGBA")
    # An icon is as tall as two lines of text may be, since it holds a sign that text does not.
    ratio = min(room[0] / whole.width, room[1] * 1.4 / whole.height)
    return whole.resize((max(1, round(whole.width * ratio)), max(1, round(whole.height * ratio))))
