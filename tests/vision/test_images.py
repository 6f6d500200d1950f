"""Decoding: what phones send comes out upright in sRGB with nothing but pixels; what attackers send is refused."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import numpy.typing as npt
import pillow_heif
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from tasks.vision import images
from tasks.vision.images import Refused, encode, read_picture, resize
from tests.vision.crafted import scans

Picture = npt.NDArray[np.uint8]


def _bytes(image: Image.Image, format: str, **how: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **how)
    return out.getvalue()


def _photo() -> Image.Image:
    """Red left, blue right, dark below: every turn of it can be told."""
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:, :32] = (200, 40, 40)
    pixels[:, 32:] = (40, 40, 200)
    pixels[36:] //= 3
    return Image.fromarray(pixels)


@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
def test_encode_and_read_agree(noise_picture: Picture, format: str) -> None:
    decoded = read_picture(encode(noise_picture, format, quality=95))  # type: ignore[arg-type]
    assert decoded.picture.shape == noise_picture.shape
    assert np.abs(decoded.picture.astype(int) - noise_picture).mean() < 4
    assert len(decoded.digest) == 64


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    upright = _photo()
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[274] = orientation
    decoded = read_picture(_bytes(stored, "JPEG", quality=95, exif=exif))
    assert np.abs(decoded.picture.astype(int) - np.asarray(upright)).mean() < 6


def test_heic_is_upright_and_loses_its_gps() -> None:
    exif = Image.Exif()
    exif[274] = 6
    exif.get_ifd(0x8825)[1] = "N"
    heif = pillow_heif.from_pillow(_photo().transpose(Image.Transpose.ROTATE_90))
    out = io.BytesIO()
    heif.save(out, quality=90, exif=exif.tobytes())
    decoded = read_picture(out.getvalue())
    assert decoded.format == "HEIF"
    assert np.abs(decoded.picture.astype(int) - np.asarray(_photo())).mean() < 8


def test_nothing_but_pixels_survives() -> None:
    exif = Image.Exif()
    exif[271] = "Camera of somebody"
    again = encode(read_picture(_bytes(_photo(), "JPEG", exif=exif, comment=b"somebody")).picture)
    assert b"somebody" not in again
    assert "exif" not in Image.open(io.BytesIO(again)).info


def test_xmp_travels_in_every_format() -> None:
    packet = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>trainedAlgorithmicMedia</x:xmpmeta>"
    for format in ("jpeg", "png", "webp"):
        assert b"trainedAlgorithmicMedia" in encode(np.asarray(_photo()), format, xmp=packet)  # type: ignore[arg-type]


def test_profiles_become_srgb() -> None:
    """The same numbers under another profile are another colour, and come out as another one."""
    lab = ImageCms.createProfile("LAB")  # type: ignore[attr-defined]
    plain = read_picture(_bytes(_photo(), "PNG")).picture
    grey_profile = read_picture(_bytes(_photo(), "PNG", icc_profile=ImageCms.ImageCmsProfile(lab).tobytes())).picture
    assert np.array_equal(plain, grey_profile)  # a profile for other channels is ignored, not obeyed
    broken = read_picture(_bytes(_photo(), "PNG", icc_profile=b"no profile at all")).picture
    assert np.array_equal(plain, broken)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    same = read_picture(_bytes(_photo(), "PNG", icc_profile=srgb)).picture
    assert np.abs(plain.astype(int) - same).max() <= 2


def test_cmyk_grey16_palette_and_transparency_become_rgb() -> None:
    photo = _photo()
    assert np.abs(read_picture(_bytes(photo.convert("CMYK"), "JPEG", quality=95)).picture - np.asarray(photo)).size
    ramp = (np.linspace(0, 65535, 64 * 48).reshape(48, 64)).astype(np.uint16)
    grey = read_picture(_bytes(Image.fromarray(ramp), "PNG")).picture
    assert grey.max() == 255
    assert 120 < grey.mean() < 135  # and not clipped to white
    assert read_picture(_bytes(photo.quantize(16), "PNG")).picture.shape == (48, 64, 3)
    clear = photo.convert("RGBA")
    clear.putalpha(0)
    assert read_picture(_bytes(clear, "PNG")).picture.min() == 255


def test_two_frames_are_refused_but_a_phone_jpeg_with_a_second_picture_is_read() -> None:
    a, b = _photo(), _photo().transpose(Image.Transpose.ROTATE_180)
    for format in ("GIF", "PNG", "WEBP"):
        with pytest.raises(Refused) as refused:
            read_picture(_bytes(a, format, save_all=True, append_images=[b]))
        assert refused.value.code == "animated"
    assert read_picture(_bytes(a, "MPO", save_all=True, append_images=[b])).picture.shape == (48, 64, 3)


def test_a_bomb_is_refused_by_its_header() -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    for side, code in ((9000, "bomb"), (60000, "bomb")):
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
        data = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
        with pytest.raises(Refused) as refused:
            read_picture(data)
        assert refused.value.code == code


def test_scan_bombs_large_files_and_rubbish() -> None:
    with pytest.raises(Refused, match="bomb"):
        read_picture(scans(200))
    assert read_picture(scans(1)).picture.shape == (4000, 4000, 3)
    with pytest.raises(Refused, match="too_large"):
        read_picture(bytes(images.MAX_BYTES + 1))
    for data, code in (
        (b"", "truncated"),
        (b"%PDF-1.7 and so on and on", "not_a_picture"),
        (bytes(99), "not_a_picture"),
    ):
        with pytest.raises(Refused) as refused:
            read_picture(data)
        assert refused.value.code == code


def test_large_pictures_are_reduced_while_decoding() -> None:
    tall = read_picture(_bytes(Image.new("RGB", (1200, 6000), (10, 200, 30)), "JPEG")).picture
    assert max(tall.shape) <= images.MAX_SIDE
    assert tall.shape[0] / tall.shape[1] == pytest.approx(5, rel=0.01)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_cut_off_files_are_refused(format: str) -> None:
    if format == "HEIF":
        pillow_heif.register_heif_opener()
    rng = np.random.default_rng(0)
    whole = _bytes(Image.fromarray(rng.integers(0, 255, (96, 96, 3), dtype=np.uint8)), format)
    with pytest.raises(Refused, match="truncated"):
        read_picture(whole[: len(whole) // 2])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_bytes_are_decoded_or_refused_and_nothing_else(data: st.DataObject) -> None:
    pillow_heif.register_heif_opener()
    format = data.draw(st.sampled_from(["JPEG", "PNG", "WEBP", "HEIF", "GIF", "BMP"]))
    damaged = bytearray(_bytes(_photo(), format))
    for _ in range(data.draw(st.integers(1, 12))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place] = data.draw(st.integers(0, 255))
    try:
        picture = read_picture(bytes(damaged)).picture
    except Refused:
        return  # anything else that is raised fails the test
    assert picture.dtype == np.uint8
    assert picture.ndim == 3


def test_resize_to_the_same_size_is_a_copy(noise_picture: Picture) -> None:
    same = resize(noise_picture, 320, 240)
    assert np.array_equal(same, noise_picture)
    assert same is not noise_picture
    assert resize(noise_picture, 64, 48).shape == (48, 64, 3)
