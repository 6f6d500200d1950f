"""What a header claims is judged before any decoder sees it: each limit by itself, without the sandbox behind it."""

from __future__ import annotations

import time

import pytest

from tasks.vision.glance import MAX_DECODED, Glance, Refused, format_of, glance, refuse_size
from tests.vision.crafted import CRAFTED, chunk, in_front, jpeg, photo, png, saved, scans, segment

BY_HEADER = {
    "exif_many.jpg": "parts in its header",
    "fill.jpg": "parts in its header",
    "app.jpg": "parts in its header",
    "com.jpg": "parts in its header",
    "dht.jpg": "parts in its header",
    "header.jpg": "a header of",
    "scans.jpg": "scans of",
    "claims_much.jpg": "scans of",
    "private.png": "parts in its header",
    "empty_idat.png": "parts in its header",
    "moves.webp": "more than 1 frame",
}
BY_SIZE = ("coefficients.jpg", "rgb.png", "claims_much.png", "lossless.webp", "claims_much.webp")


@pytest.mark.parametrize("name", BY_HEADER)
def test_a_header_is_refused_without_a_decoder_and_at_once(name: str) -> None:
    data = CRAFTED[name]()
    began = time.process_time()
    with pytest.raises(Refused, match=BY_HEADER[name]):
        glance(data)
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize("name", BY_SIZE)
def test_what_decoding_would_take_is_counted_in_bytes(name: str) -> None:
    look = glance(CRAFTED[name]())
    with pytest.raises(Refused, match="megapixels as"):
        refuse_size(look, look.width, look.height)


def test_formats_that_take_more_may_have_fewer_pixels() -> None:
    for bytes_per_pixel in (1.0, 4.0, 17.0):
        look = Glance("WEBP", bytes_per_pixel=bytes_per_pixel)
        most = int(MAX_DECODED / bytes_per_pixel)
        refuse_size(look, most, 1)
        with pytest.raises(Refused):
            refuse_size(look, most + 1, 1)
    refuse_size(Glance("JPEG"), 20_000, 15_000, scale=8)  # read row by row, at an eighth
    with pytest.raises(Refused):  # as a progressive one: all of it is kept
        refuse_size(Glance("JPEG", coefficients=3.0), 20_000, 15_000, scale=8)


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (jpeg(321, 123), (321, 123)),
        (jpeg(321, 123, progressive=True), (321, 123)),
        (png(321, 123), (321, 123)),
        (saved(photo(321, 123), "WEBP"), (321, 123)),
        (saved(photo(321, 123), "WEBP", lossless=True), (321, 123)),
        (saved(photo(321, 123).convert("RGBA"), "WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0"), (321, 123)),
    ],
)
def test_sizes_are_read_as_they_are(data: bytes, size: tuple[int, int]) -> None:
    look = glance(data)
    assert (look.width, look.height) == size


def test_ordinary_headers_pass() -> None:
    assert glance(in_front(segment(0xE1, bytes(60_000)) * 80)).ends, "a depth map of five megabytes"
    assert glance(in_front(b"\xff" * 20 + segment(0xFE, b"a word"))).width == 640
    assert glance(scans(20)).width == 4000
    assert glance(png(64, 64, extra=chunk(b"tEXt", b"a\0b") * 100)).width == 64


def test_an_end_that_is_missing_is_seen_and_what_follows_an_end_is_not() -> None:
    whole = jpeg()
    assert glance(whole).ends
    assert not glance(whole[:-2]).ends
    assert glance(whole + whole + b"\xff\xda" * 1000).ends
    assert glance(whole + whole).coefficients == glance(whole).coefficients == 0
    assert glance(jpeg(progressive=True)).coefficients == pytest.approx(3.0)  # 4:2:0


def test_formats_go_by_the_first_bytes() -> None:
    for data, code in ((b"%PDF-1.7 and more", "not_a_picture"), (b"MZ" + bytes(40), "not_a_picture"),
                       (b"\0\0\0\x18ftypisom" + bytes(9), "video")):  # fmt: skip
        with pytest.raises(Refused, match=code):
            format_of(data)
