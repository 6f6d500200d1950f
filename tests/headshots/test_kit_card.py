"""The kit card shows every kit, whatever its shape."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.headshots.backdrop import draw_backdrop
from tasks.headshots.kit import BrandKit
from tasks.headshots.kit_card import draw_frame, draw_kit_card


@pytest.mark.parametrize("name", ["daylight", "harbour", "northwind", "signal"])
def test_a_card_is_drawn_for_every_kit(kits: dict[str, BrandKit], name: str) -> None:
    card = draw_kit_card(kits[name])
    assert card.shape == (900, 1400, 3)
    assert (card[:20] == 255).all()  # a margin, so nothing runs off the top
    assert card.std() > 20


def test_the_guides_lie_where_pictures_are_measured(kits: dict[str, BrandKit]) -> None:
    kit = kits["northwind"]
    plain, guided = draw_frame(kit, 400, guides=False), draw_frame(kit, 400, guides=True)
    changed = np.flatnonzero((plain != guided).any(axis=(1, 2)))
    row = round(kit.framing.eye_line * 400)
    assert row in changed or row - 1 in changed
    assert (plain[:30, :30] == draw_backdrop(kit, 400, 400)[:30, :30]).all()
