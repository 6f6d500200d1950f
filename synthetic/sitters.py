"""Cuts out three drawn people, for the pictures of brand kits at the desk: `python -m synthetic.sitters`.

Each lies alone on nothing, the middle of the eyes and their distance at the same place in every file, so that whoever
composes them on a backdrop knows where the eyes are without looking (`reports/kit_pictures.py`).
"""

from pathlib import Path

import numpy as np
from PIL import Image

from synthetic.painter import develop, truth
from synthetic.painter.capture import draw_capture
from synthetic.painter.identity import draw_identity
from synthetic.painter.painting import paint

FOLDER = Path(__file__).parents[1] / "reports" / "sitters"
SIZE = 400  # pixels of a file
WIDER = 0.8  # than the aligned portrait: shoulders are needed below
SEEDS = (3, 11, 7)


def cut_out(seed: int) -> Image.Image:
    """One person, upright, in even light, on a transparent ground."""
    person = draw_identity(seed)
    shot = draw_capture(seed * 64, person, "studio")
    view = truth.aligned_view(person, shot, SIZE) * WIDER
    view[:, 2] += SIZE * (1 - WIDER) * np.array([0.5, 0.42])
    one = paint(person, shot, SIZE, 2.0, view=view)
    whole = one.foreground / np.maximum(one.alpha, 1e-3)[..., None]
    picture = develop.finish(np.asarray(whole, np.float32), 0.0, 0.0, seed)
    alpha = np.asarray(np.round(one.alpha * 255), np.uint8)
    return Image.fromarray(np.dstack([picture, alpha]))


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for place, seed in enumerate(SEEDS, start=1):
        cut_out(seed).save(FOLDER / f"{place}.webp", quality=86, method=6)


if __name__ == "__main__":
    main()
