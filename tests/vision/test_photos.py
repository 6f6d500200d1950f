"""Photos from outside: what was made to hurt costs itself, and what phones make comes in whatever its size."""

from __future__ import annotations

import io
import os
import signal
import time
from collections.abc import Iterator

import numpy as np
import pillow_heif
import psutil
import pytest
from PIL import Image

from tasks.sandbox import Limits, the_sandbox
from tasks.vision import photos
from tasks.vision.glance import Refused
from tasks.vision.images import resize
from tasks.vision.photos import LONG_SIDE, open_photo
from tests.vision.crafted import CRAFTED, MIB, jpeg, photo, png, saved

MEMORY, SECONDS = 600 * MIB, 10
# Whole pictures with rubbish around them, or of an allowed size: these are read, as cheaply as the others are refused.
HARMLESS = {"exif_no_end.jpg", "comments.gif", "rgba16.png"}


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if _is_ours(child)]


def _is_ours(child: psutil.Process) -> bool:
    try:
        return "tasks.sandbox_child" in " ".join(child.cmdline())
    except psutil.Error:  # it has just ended
        return False


def peak(child: psutil.Process) -> int:
    """Most memory that a process ever had, in bytes."""
    with open(f"/proc/{child.pid}/status") as status:
        return next((int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM")), 0)


@pytest.fixture(autouse=True)
def no_child_has_grown() -> Iterator[None]:
    yield
    assert [peak(child) // MIB for child in children() if peak(child) > MEMORY] == []


@pytest.mark.parametrize("name", CRAFTED)
def test_a_crafted_picture_costs_little_and_is_refused_or_read(name: str) -> None:
    data = CRAFTED[name]()
    good = jpeg()
    open_photo(good)
    used, began = sum(sum(child.cpu_times()[:2]) for child in children()), time.process_time()
    if name in HARMLESS:
        assert max(open_photo(data).judged.shape) <= LONG_SIDE
    else:
        with pytest.raises(Refused) as refused:
            open_photo(data)
        assert refused.value.code in ("bomb", "truncated", "animated", "unopenable")
        assert len(refused.value.measured) < 80
    assert time.process_time() - began < 2, "the parent did the work"
    assert sum(sum(child.cpu_times()[:2]) for child in children()) - used < SECONDS
    assert open_photo(good).judged.shape == (480, 640, 3), "the next one is opened"


def test_a_decoder_that_is_killed_in_the_middle_of_a_file_costs_that_file_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child is ended by a signal while it opens; the photos beside it come out."""
    monkeypatch.setattr(photos, "__name__", "tests.vision.dying_opener")
    with pytest.raises(Refused) as refused:
        photos._opened("killed_inside", str(int(signal.SIGSEGV)).encode(), {})
    assert (refused.value.code, refused.value.measured) == ("unopenable", "what opens photos broke: signal 11")
    monkeypatch.undo()
    assert open_photo(jpeg()).judged.shape == (480, 640, 3)


def test_time_and_memory_are_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "LIMITS", Limits(memory=8 * MIB))
    with pytest.raises(Refused, match="more memory"):
        open_photo(png(3000, 3000))


def test_the_parent_never_decodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever would open a picture here is broken; photos open all the same."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("decoded in the parent")

    monkeypatch.setattr(photos, "read_picture", never)
    monkeypatch.setattr(Image.Image, "load", never)
    data = png(64, 48)
    assert open_photo(data, keep=True).judged.shape == (48, 64, 3)
    assert os.getpid() not in {child.pid for child in children()}


@pytest.mark.parametrize(
    ("width", "height", "judged", "kept"),
    [
        (4032, 3024, 2016, 2048),  # 12 megapixels
        (8160, 6120, 2040, 2048),  # 50
        (12_000, 9_000, 2048, 2048),  # 108
        (16_320, 12_240, 2040, 2048),  # 200
        (16_382, 3_628, 2048, 2048),  # a panorama
        (2_000, 1_500, 2_000, 2_000),  # not enlarged
    ],
)
def test_jpegs_of_any_phone_are_judged_small_and_kept_as_large_as_ever(
    width: int, height: int, judged: int, kept: int
) -> None:
    data = saved(Image.new("RGB", (width, height), (90, 60, 30)), "JPEG")
    checked, taken = open_photo(data), open_photo(data, keep=True)
    assert max(checked.judged.shape) == judged
    assert np.array_equal(checked.judged, taken.judged), "a check and a run judge one picture"
    assert checked.kept is None
    assert taken.kept is not None
    assert max(taken.kept.shape) == kept == max(taken.size) == max(checked.size)
    assert max(np.abs(np.subtract(checked.size, taken.size))) <= 1
    assert taken.enlarged == pytest.approx(checked.enlarged, rel=0.002) == pytest.approx(kept / judged, rel=0.002)


def test_what_cannot_be_read_small_is_refused_by_its_name_and_size() -> None:
    with pytest.raises(Refused, match=r"81 megapixels as PNG \(limit: 75\)"):
        open_photo(png(9000, 9000))


def test_a_motion_photos_video_is_left_alone() -> None:
    video = b"\0\0\0\x18ftypmp42" + b"\xff\xda" * 100_000
    assert np.array_equal(open_photo(jpeg() + video).judged, open_photo(jpeg()).judged)


@pytest.mark.parametrize("how", [{}, {"progressive": True}, {"subsampling": 0}, {"optimize": True}])
def test_a_jpeg_without_its_last_two_bytes_is_whole_and_a_cut_one_is_not(how: dict[str, object]) -> None:
    whole = jpeg(**how)
    assert whole.endswith(b"\xff\xd9")
    assert np.array_equal(open_photo(whole[:-2]).judged, open_photo(whole).judged)
    assert open_photo(whole[:-1]).judged.shape == (480, 640, 3)
    for share in (0.3, 0.6, 0.85):
        with pytest.raises(Refused, match="truncated"):
            open_photo(whole[: int(len(whole) * share)])


def test_a_plain_floor_may_be_at_the_bottom_of_what_lost_its_end() -> None:
    pixels = np.asarray(photo()).copy()
    pixels[-120:] = 200  # a quarter, without any grain
    whole = saved(Image.fromarray(pixels), "JPEG", quality=85)
    assert open_photo(whole[:-2]).judged.shape == (480, 640, 3)


def test_avif_and_heic_are_photos_and_videos_are_videos() -> None:
    heif = io.BytesIO()
    pillow_heif.from_pillow(photo()).save(heif, quality=90)
    for data in (saved(photo(), "AVIF", quality=90), heif.getvalue()):
        assert np.abs(open_photo(data).judged.astype(int) - np.asarray(photo())).mean() < 6
    for head in (b"\0\0\0\x14ftypqt  ", b"\0\0\0\x18ftypmp42", b"\0\0\0\x18ftyp3gp5", b"\0\0\0\x08wide\0\0\x05\xe4mdat",
                 b"\x1aE\xdf\xa3webm", b"RIFF\0\0\0\0AVI LIST"):  # fmt: skip
        with pytest.raises(Refused, match="video"):
            open_photo(head + bytes(99))


@pytest.mark.parametrize("size", [(1, 1), (3000, 1), (1, 9000), (2, 70)])
def test_pictures_of_one_line_are_opened(size: tuple[int, int]) -> None:
    for format in ("PNG", "JPEG", "WEBP"):
        opened = open_photo(saved(Image.new("RGB", size), format), keep=True)
        assert min(opened.judged.shape[:2]) >= 1
        assert min(opened.size) >= 1


def test_the_reduced_picture_is_the_picture() -> None:
    """Judged at half its size by the decoder, kept by averaging: both are what averaging the whole one gives."""
    large = photo(3000, 2250).resize((4032, 3024), Image.Resampling.BICUBIC)
    taken = open_photo(saved(large, "JPEG", quality=95), keep=True)
    assert taken.kept is not None
    for picture in (taken.judged, taken.kept):
        height, width = picture.shape[:2]
        assert np.abs(picture.astype(int) - resize(np.asarray(large), width, height)).mean() < 2


@pytest.mark.parametrize("mode", ["RGBA", "LA", "I;16", "P", "1"])
def test_large_pictures_of_other_kinds_are_worked_on_in_bands(mode: str) -> None:
    """Rows of 4,200 px are cut into several bands, and no seam shows."""
    ramp = np.linspace(0, 250, 4200)[:, None].repeat(2100, 1)
    grey = Image.fromarray(ramp.astype(np.uint8))
    image = Image.fromarray((ramp * 257).astype(np.uint16)) if mode == "I;16" else grey.convert(mode)
    read = open_photo(saved(image, "PNG", compress_level=1)).judged
    assert read.shape[0] == LONG_SIDE
    steps = np.diff(read[..., 0].astype(int).mean(axis=1))
    assert np.abs(steps).max() < (3 if mode != "1" else 60)
    assert np.abs(read[..., 0].mean(axis=1) - np.linspace(0, 250, LONG_SIDE)).max() < (4 if mode != "1" else 40)


def test_there_is_one_sandbox_for_photos_and_tables() -> None:
    open_photo(jpeg())
    assert 1 <= len(children()) <= len(os.sched_getaffinity(0))
    assert the_sandbox() is the_sandbox()
