"""Exact sizes, limits in bytes that hold, and crops that follow the eyes."""

import io

import numpy as np
import pytest
from PIL import Image

from tasks.delivery.crop import EYE_LINE, HeadPlace, head_of
from tasks.delivery.sizes import TooManyBytes, encode_output, fit
from tasks.disclosure.source import origin_of, read_origin, xmp_packet
from tasks.headshots.backdrop import draw_backdrop
from tasks.headshots.kit import BrandKit
from tasks.headshots.kit_sections import Output
from tasks.vision.images import Picture

PACKET = xmp_packet(origin_of("generated", "0.1.0"))


def output(width: int, height: int, **more: object) -> Output:
    return Output.model_validate({"name": "out", "width": width, "height": height, **more})


def head(kit: BrandKit) -> HeadPlace:
    return head_of(None, kit.framing)


def with_eyes(kit: BrandKit) -> Picture:
    """The kit's backdrop with one white line at the eyes and a black one down the centre."""
    width, height = kit.framing.width, kit.framing.height
    picture = draw_backdrop(kit, width, height)
    x, y = round(width * kit.framing.centre), round(height * kit.framing.eye_line)
    picture[:, x - 4 : x + 4] = 0
    picture[y - 4 : y + 4] = 255
    return picture


@pytest.mark.parametrize(("width", "height"), [(512, 512), (648, 648), (96, 96), (400, 500), (1200, 300), (200, 600)])
def test_a_crop_has_the_size_and_keeps_the_eyes(kit: BrandKit, width: int, height: int) -> None:
    cropped = fit(with_eyes(kit), output(width, height), kit, head(kit))
    assert cropped.shape == (height, width, 3)
    brightest = cropped.min(-1).mean(1)
    eyes = int(brightest.argmax()) / height
    assert brightest.max() > 200
    assert 0.2 < eyes < 0.6
    if height * kit.framing.width < width * kit.framing.height:  # lower than the master: there was a choice
        assert eyes == pytest.approx(EYE_LINE, abs=0.06)
    columns = cropped.max(-1).mean(0)
    assert np.flatnonzero(columns < columns.min() + 20).mean() / width == pytest.approx(0.5, abs=0.03)


def test_contain_keeps_the_whole_picture_on_the_backdrop(kit: BrandKit) -> None:
    white = np.full((kit.framing.height, kit.framing.width, 3), 255, np.uint8)
    framed = fit(white, output(600, 300, crop="contain"), kit, head(kit))
    assert framed.shape == (300, 600, 3)
    assert framed[:, 290:310].min() > 250
    assert np.abs(framed[:, :40].astype(int) - draw_backdrop(kit, 600, 300)[:, :40]).max() == 0


@pytest.mark.parametrize("format", ["jpeg", "webp"])
def test_a_limit_in_bytes_holds_by_lowering_the_quality(format: str) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    free = encode_output(noise, output(300, 300, format=format), PACKET)
    limit = len(free) // 2
    data = encode_output(noise, output(300, 300, format=format, max_bytes=limit), PACKET)
    assert len(data) <= limit
    assert read_origin(data) is not None


def test_active_directory_takes_it(kit: BrandKit) -> None:
    small = fit(with_eyes(kit), output(96, 96), kit, head(kit))
    assert len(encode_output(small, output(96, 96, max_bytes=102_400), PACKET)) < 102_400


def test_a_limit_that_cannot_hold_is_said(kit: BrandKit) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    for format in ("png", "jpeg"):
        with pytest.raises(TooManyBytes, match="the limit is 2000"):
            encode_output(noise, output(300, 300, format=format, max_bytes=2000), PACKET)


@pytest.mark.parametrize("format", ["jpeg", "png"])
def test_badges_get_their_dots_per_inch(kit: BrandKit, format: str) -> None:
    data = encode_output(
        fit(with_eyes(kit), output(100, 120), kit, head(kit)), output(100, 120, format=format, dpi=300), PACKET
    )
    with Image.open(io.BytesIO(data)) as image:
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
