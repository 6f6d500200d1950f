"""Brand kits as pictures: three drawn people before each kit's backdrop, framed as the kit frames everybody.

Read from the kits' folder each time, so a new kit is there without a restart, and a broken one breaks only itself and
says where. The people are drawn (`synthetic/sitters.py`); their eyes lie at one place in every file.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from tasks.headshots.backdrop import draw_backdrop
from tasks.headshots.kit import BrandKit, kit_digest, sort_kits
from tasks.vault.settings import Settings

SITTERS = Path(__file__).parent / "sitters"
# Of a sitter's file: where the middle of the eyes lies, and how far they are apart, as shares of its width.
EYES, INTER_EYE = (0.5, 0.444), 0.148
HEIGHT, GAP = 300, 6  # pixels of the whole picture, and between two people


@dataclass(frozen=True)
class KitShown:
    """One kit as the desk shows it. `broken`: what is wrong, for whoever wrote it; then there is no picture."""

    name: str
    title: str
    description: str
    picture: str  # its address; empty for a broken kit
    width: int
    sizes: tuple[str, ...]  # what a delivery of it writes
    clothes: str
    digest: str
    broken: str = ""


def kits_of(settings: Settings) -> list[KitShown]:
    """Every kit there is now, sound ones first, each by its title."""
    sound, broken = sort_kits(settings.kits)
    shown = [_shown(kit) for kit in sorted(sound.values(), key=lambda one: one.title.casefold())]
    return shown + [KitShown(name, name, "", "", 0, (), "", "", _where(why)) for name, why in sorted(broken.items())]


def _shown(kit: BrandKit) -> KitShown:
    digest = kit_digest(kit)
    return KitShown(
        kit.name, kit.title, kit.description, f"/kits/{kit.name}/{digest[:12]}.webp", _width(kit),
        tuple(output.title or output.name for output in kit.outputs),
        ", ".join(garment.label for garment in kit.wardrobe.choices), digest,
    )  # fmt: skip


def _where(why: str) -> str:
    """What is wrong, without the server's folders: HR hands it to whoever wrote the kit."""
    return "\n".join(_short(line) for line in why.splitlines())


def _short(line: str) -> str:
    place, colon, rest = line.partition(": ")
    return f"{'/'.join(Path(place).parts[-2:])}{colon}{rest}" if "/" in place else line


def draw_kit(kit: BrandKit) -> bytes:
    """The picture of a kit, as WebP."""
    each = _width(kit)
    files = sorted(SITTERS.glob("*.webp"))
    whole = Image.new("RGB", (len(files) * each + (len(files) - 1) * GAP, HEIGHT), "white")
    for place, file in enumerate(files):
        whole.paste(_framed(kit, file, each), (place * (each + GAP), 0))
    out = BytesIO()
    whole.save(out, "WEBP", quality=88)
    return out.getvalue()


def _width(kit: BrandKit) -> int:
    return round(HEIGHT * kit.framing.width / kit.framing.height)


def _framed(kit: BrandKit, file: Path, width: int) -> Image.Image:
    """One person before the kit's backdrop, their eyes where the kit wants them."""
    frame = Image.fromarray(np.asarray(draw_backdrop(kit, width, HEIGHT)))
    with Image.open(file) as kept:
        scale = kit.framing.inter_eye * width / (INTER_EYE * kept.width)
        size = round(kept.width * scale), round(kept.height * scale)
        person = kept.convert("RGBA").resize(size, Image.Resampling.LANCZOS)
    left = round(kit.framing.centre * width - EYES[0] * size[0])
    top = round(kit.framing.eye_line * HEIGHT - EYES[1] * size[1])
    frame.paste(person, (left, top), person)
    return frame
