"""The kit card: what a kit will do to everybody, drawn before anyone is trained.

Left the frame, with the backdrop as it will be, a placeholder head where heads will be, and the guides that pictures
are measured against; right the palette, the light, the wardrobe and the shape of every output.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tasks.headshots.backdrop import draw_backdrop
from tasks.headshots.kit import BrandKit, kit_digest
from tasks.headshots.shots import background_word, light_words
from tasks.vision.images import Picture

PAPER, INK, FAINT, GUIDE = "#ffffff", "#1f2430", "#8a919e", "#e4572e"
WIDTH, HEIGHT, MARGIN = 1400, 900, 48  # px of the card
FRAME_HEIGHT = 720  # px the large frame may be high
# Proportions of the placeholder head, in inter-eye distances from the middle of the eyes.
CROWN, CHIN, HALF_FACE, NECK, SHOULDER = 1.85, 1.85, 1.30, 0.78, 2.9


@dataclass(frozen=True)
class _Pen:
    draw: ImageDraw.ImageDraw

    def text(self, x: float, y: float, words: str, size: int = 22, fill: str = INK) -> None:
        """One line, its top left at (x, y)."""
        self.draw.text((x, y), words, fill=fill, font=_font(size))


def draw_kit_card(kit: BrandKit) -> Picture:
    """The card as a picture of 1400 by 900 pixels."""
    sheet = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    pen = _Pen(ImageDraw.Draw(sheet))
    pen.text(MARGIN, 30, kit.title, 36)
    pen.text(MARGIN, 78, f"{kit.name}  ·  {kit_digest(kit)[:12]}", 18, FAINT)
    frame_width = round(min(FRAME_HEIGHT * kit.framing.width / kit.framing.height, 640))
    frame = draw_frame(kit, frame_width, guides=True)
    top = 130
    sheet.paste(Image.fromarray(frame), (MARGIN, top))
    _right_column(sheet, pen, kit, MARGIN + frame_width + 56)
    return np.asarray(sheet, np.uint8)


def draw_frame(kit: BrandKit, width: int, *, guides: bool) -> Picture:
    """The kit's frame with a placeholder head; `guides` adds eye line, centre, crown and chin."""
    height = round(width * kit.framing.height / kit.framing.width)
    image = Image.fromarray(draw_backdrop(kit, width, height))
    unit = kit.framing.inter_eye * width
    x, y = kit.framing.centre * width, kit.framing.eye_line * height
    _placeholder(image, x, y, unit)
    if guides:
        _guides(image, kit, x, y, unit)
    return np.asarray(image, np.uint8)


def _placeholder(image: Image.Image, x: float, y: float, unit: float) -> None:
    """A head and shoulders in one flat grey: nobody in particular."""
    scale = 3  # drawn larger and reduced, for smooth edges
    shape = Image.new("L", (image.width * scale, image.height * scale), 0)
    draw = ImageDraw.Draw(shape)
    at = [v * scale for v in (x, y, unit)]
    cx, cy, u = at
    bottom = image.height * scale
    shoulder = cy + 2.75 * u
    draw.ellipse((cx - HALF_FACE * u, cy - CROWN * u, cx + HALF_FACE * u, cy + CHIN * u), fill=255)
    draw.rounded_rectangle((cx - NECK * u, cy + 0.9 * u, cx + NECK * u, shoulder + 0.5 * u), radius=0.3 * u, fill=255)
    left, right = cx - SHOULDER * u, cx + SHOULDER * u
    draw.rounded_rectangle((left, shoulder - 0.45 * u, right, bottom + 3 * u), radius=1.3 * u, fill=255)
    mask = shape.resize(image.size, Image.Resampling.LANCZOS).point(lambda v: round(v * 0.82))
    image.paste(Image.new("RGB", image.size, "#5b6270"), mask=mask)
    dots = ImageDraw.Draw(image)
    radius = 0.07 * unit
    for eye in (x - unit / 2, x + unit / 2):
        dots.ellipse((eye - radius, y - radius, eye + radius, y + radius), fill="#ffffff")


def _guides(image: Image.Image, kit: BrandKit, x: float, y: float, unit: float) -> None:
    draw = ImageDraw.Draw(image)
    size = max(12, round(image.width / 44))
    crown_to_chin = kit.framing.head_height * image.height
    chin = y + CHIN * unit
    lines = (
        (y, f"eye line {kit.framing.eye_line:.3g}"),
        (chin - crown_to_chin, f"crown: head {kit.framing.head_height:.3g}"),
        (chin, "chin"),
    )
    for height, words in lines:
        _dashed(draw, (0, height), (image.width, height))
        draw.text((8, min(max(height - size - 4, 2), image.height - size - 4)), words, fill=GUIDE, font=_font(size))
    _dashed(draw, (x, 0), (x, image.height))
    draw.text((x + 8, image.height - size - 10), f"centre {kit.framing.centre:.3g}", fill="#ffffff", font=_font(size))


def _dashed(draw: ImageDraw.ImageDraw, start: tuple[float, float], end: tuple[float, float]) -> None:
    length = math.dist(start, end)
    steps = max(1, round(length / 14))
    for step in range(0, steps, 2):
        a, b = step / steps, min(1.0, (step + 1) / steps)
        draw.line(
            (
                start[0] + (end[0] - start[0]) * a,
                start[1] + (end[1] - start[1]) * a,
                start[0] + (end[0] - start[0]) * b,
                start[1] + (end[1] - start[1]) * b,
            ),
            fill=GUIDE,
            width=2,
        )


def _right_column(sheet: Image.Image, pen: _Pen, kit: BrandKit, left: float) -> None:
    y = 130.0
    for line in _wrapped(kit.description, 54):
        pen.text(left, y, line, 22)
        y += 30
    y = _palette(pen, kit, left, y + 14)
    light = kit.lighting
    facts = (
        ("Light", f"{light_words(kit, small=False)}, {light.key_angle:.0f}° off, {light.ratio:g} to 1"),
        ("Background word", background_word(kit, small=True)),
        ("Frame", f"{kit.framing.aspect}, {kit.framing.width} x {kit.framing.height} px"),
        ("Wardrobe", f"{kit.wardrobe.dress_code}" + (", own clothes allowed" if kit.wardrobe.keep_own else "")),
        ("", ", ".join(garment.label for garment in kit.wardrobe.choices)),
        ("Candidates", f"{kit.candidates.per_person} for each person"),
    )
    for name, words in facts:
        pen.text(left, y, name, 18, FAINT)
        for line in _wrapped(words, 44):
            pen.text(left + 160, y, line, 20)
            y += 27
        y += 5
    _outputs(sheet, pen, kit, left, y + 14)


def _palette(pen: _Pen, kit: BrandKit, left: float, top: float) -> float:
    colours = kit.palette or tuple(c for c in (kit.backdrop.colour, kit.backdrop.to) if c)
    for index, colour in enumerate(colours[:7]):
        x = left + index * 96
        pen.draw.rounded_rectangle((x, top, x + 80, top + 56), radius=8, fill=colour, outline="#d5d9e0")
        pen.text(x, top + 62, colour, 16, FAINT)
    return top + 104


def _outputs(sheet: Image.Image, pen: _Pen, kit: BrandKit, left: float, top: float) -> None:
    """Every output as it will be cut, side by side, in proportion."""
    x, tallest = left, 108
    for output in kit.outputs:
        height = round(tallest * min(1.0, 0.35 + 0.65 * output.height / 1024))
        width = max(20, round(height * output.width / output.height))
        if x + max(width, 92) > WIDTH - 24:
            x, top = left, top + tallest + 62
        if top + tallest + 30 > HEIGHT:
            break
        crop = _cut(draw_frame(kit, 240, guides=False), width, height)
        sheet.paste(Image.fromarray(crop), (round(x), round(top)))
        pen.text(x, top + height + 6, output.name[:13], 15)
        pen.text(x, top + height + 24, f"{output.width} x {output.height}", 14, FAINT)
        x += max(width, 92) + 18


def _cut(frame: Picture, width: int, height: int) -> Picture:
    """The largest part with this shape, centred, its top kept when the frame is taller."""
    have_height, have_width = frame.shape[:2]
    scale = max(width / have_width, height / have_height)
    part_width, part_height = round(width / scale), round(height / scale)
    left, top = (have_width - part_width) // 2, (have_height - part_height) // 4
    part = Image.fromarray(frame[top : top + part_height, left : left + part_width])
    return np.asarray(part.resize((width, height), Image.Resampling.LANCZOS), np.uint8)


def _wrapped(words: str, width: int) -> list[str]:
    lines, line = [], ""
    for word in words.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line] if line else lines


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own scalable face: the same on every machine."""
    return ImageFont.load_default(size)
