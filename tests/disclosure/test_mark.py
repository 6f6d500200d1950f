"""The imperceptible mark: it survives what directories do to a picture, is weak, and is found nowhere else."""

import hashlib

import numpy as np
import pytest

from tasks.disclosure.finding import Copy, carries, find_mark, read_whole
from tasks.disclosure.marking import MARGIN, MarkedPicture, put_mark
from tasks.disclosure.pattern import MarkKey, check, lane_of, pattern, payload_for, word
from tasks.vision.images import Picture, resize
from tests.disclosure.conftest import COPIES

GOLDEN = [[0.8, 1.07, 1.11, 0.74], [0.36, 0.34, 0.57, 0.64]]


@pytest.fixture(scope="module")
def marked(masters: list[Picture], key: MarkKey) -> list[MarkedPicture]:
    return [put_mark(picture, key, payload_for(key, "generated")) for picture in masters]


@pytest.mark.parametrize("copy", COPIES)
def test_it_is_read_from_every_copy_that_a_directory_makes(
    copy: str, marked: list[MarkedPicture], key: MarkKey
) -> None:
    for one in marked:
        found = find_mark(Copy(COPIES[copy](one.picture)), key)
        assert (found.verdict, found.payload) == ("marked", payload_for(key, "generated"))
        assert found.mirrored == ("mirrored" in copy)


@pytest.mark.parametrize("short", [200, 233, 397])  # px: the sides of a copy are whole, its scale is not
def test_a_copy_of_all_of_it_is_read_as_well_where_nothing_is_looked_for(
    short: int, marked: list[MarkedPicture], key: MarkKey
) -> None:
    for one in marked:
        height, width = one.picture.shape[:2]
        copy = resize(
            one.picture, round(width * short / min(height, width)), round(height * short / min(height, width))
        )
        searched, read = find_mark(Copy(copy), key), read_whole(copy, key)
        assert (read.payload, read.mirrored) == (searched.payload, False)
        assert read.evidence == pytest.approx(searched.evidence, abs=0.5)


def test_it_is_weaker_than_a_jpeg_of_quality_95(marked: list[MarkedPicture], masters: list[Picture]) -> None:
    for one, picture in zip(marked, masters, strict=True):
        error = np.mean((one.picture.astype(float) - picture.astype(float)) ** 2)
        assert 10 * np.log10(255**2 / error) >= 44  # dB
        assert one.evidence >= MARGIN


def test_no_patch_of_it_changes_a_colour(marked: list[MarkedPicture], masters: list[Picture]) -> None:
    """A wall stays within a tenth of a level of its colour, so that a brand's background stays the brand's."""
    for one, picture in zip(marked, masters, strict=True):
        change = one.picture.astype(float)[:960, :960] - picture.astype(float)[:960, :960]
        assert np.abs(change.reshape(5, 192, 5, 192, 3).mean(axis=(1, 3))).max() < 0.1


def test_the_same_picture_is_marked_the_same(masters: list[Picture], marked: list[MarkedPicture], key: MarkKey) -> None:
    again = put_mark(masters[0], key, payload_for(key, "generated"))
    assert np.array_equal(again.picture, marked[0].picture)


def test_another_key_finds_nothing_and_an_unmarked_picture_holds_nothing(
    masters: list[Picture], marked: list[MarkedPicture], key: MarkKey
) -> None:
    other = MarkKey(hashlib.sha256(b"another installation").digest())
    assert [find_mark(Copy(one.picture), other).verdict for one in marked] == ["none"] * len(marked)
    assert [find_mark(Copy(picture), key).verdict for picture in masters] == ["none"] * len(masters)


def test_pictures_of_any_shape_are_marked(masters: list[Picture], key: MarkKey) -> None:
    for cut in (masters[0][:, 300:700], masters[1][400:700], masters[1][:300, :290]):
        picture = np.ascontiguousarray(cut)
        one = put_mark(picture, key, payload_for(key, "faithful"))
        assert one.picture.shape == picture.shape
        assert find_mark(Copy(one.picture), key).payload == payload_for(key, "faithful")


def test_a_payload_names_the_installation_and_the_lane_and_nobody_else_can_read_it_as_theirs(key: MarkKey) -> None:
    other = MarkKey(bytes(32))
    assert [lane_of(key, payload_for(key, lane)) for lane in ("generated", "faithful")] == ["generated", "faithful"]
    assert payload_for(key, "a lane of later") == payload_for(key, "generated")  # the stronger statement
    assert lane_of(other, payload_for(key, "generated")) is None


def test_the_pattern_is_the_same_in_every_version(key: MarkKey) -> None:
    """Pictures marked today must be found in ten years: a change here needs a second pattern, not another one."""
    noise = pattern(MarkKey(bytes(range(32))), 0x12345678)
    assert noise[:2, :4] == pytest.approx(np.array(GOLDEN), abs=0.01)
    assert abs(float(noise.mean())) < 1e-3
    assert float(noise.std()) == pytest.approx(1, abs=0.05)


def test_a_word_has_a_check_and_a_key_is_never_printed(key: MarkKey) -> None:
    assert word(0x01020304)[:4] == b"\x01\x02\x03\x04"
    assert check(b"\x01\x02\x03\x04") != check(b"\x01\x02\x03\x05")
    assert key.secret.hex() not in repr(key)
    with pytest.raises(ValueError, match="32 bits"):
        word(2**32)
    with pytest.raises(ValueError, match="32 bytes"):
        MarkKey(b"short")


def test_what_is_marked_is_known_at_a_glance_and_another_lane_s_mark_is_not_taken_for_it(
    masters: list[Picture], marked: list[MarkedPicture], key: MarkKey
) -> None:
    mine, other = payload_for(key, "generated"), payload_for(key, "faithful")
    elsewhere = MarkKey(hashlib.sha256(b"another installation").digest())
    for one, picture in zip(marked, masters, strict=True):
        assert carries(one.picture, key, mine)
        assert not carries(one.picture, key, other)
        assert not carries(one.picture, elsewhere, payload_for(elsewhere, "generated"))
        assert not carries(picture, key, mine)


def test_it_is_nowhere_stronger_than_44_db_however_busy_the_ground(key: MarkKey) -> None:
    noise = np.random.default_rng(3).normal(128, 60, (256, 256, 3)).clip(40, 215)
    busy = np.repeat(np.repeat(noise, 2, 0), 2, 1).astype(np.uint8)
    one = put_mark(busy, key, payload_for(key, "generated"))
    assert 10 * np.log10(255**2 / np.mean((one.picture.astype(float) - busy) ** 2)) >= 44
