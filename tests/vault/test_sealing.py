"""A sealed blob opens as it was, under its own name, or not at all."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.vault import sealing
from tasks.vault.failures import Unreadable
from tasks.vault.sealing import is_sealed, seal, unseal

KEY = bytes(range(32))


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> int:
    """Chunks of 16 bytes, so that short data has many and every boundary is near."""
    monkeypatch.setattr(sealing, "CHUNK", 16)
    return 16


def _sealed(data: bytes, name: str = "people/p1/selfies/1") -> bytes:
    return b"".join(seal(KEY, name, data))


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 31, 32, 33, 160])
def test_every_length_round_trips(small_chunks: int, size: int) -> None:
    data = os.urandom(size)
    assert unseal(KEY, "people/p1/selfies/1", _sealed(data)) == data


def test_megabytes_round_trip() -> None:
    data = os.urandom((3 << 20) + 5)
    assert unseal(KEY, "n", b"".join(seal(KEY, "n", data))) == data


@settings(max_examples=60, deadline=None)
@given(size=st.integers(0, 100), where=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_any_flipped_bit_is_found(size: int, where: int, bit: int) -> None:
    sealed = bytearray(_sealed(os.urandom(size)))
    sealed[where % len(sealed)] ^= 1 << bit
    with pytest.raises(Unreadable):
        unseal(KEY, "people/p1/selfies/1", bytes(sealed))


def test_any_cut_is_found(small_chunks: int) -> None:
    sealed = _sealed(os.urandom(100))
    for length in range(len(sealed)):
        with pytest.raises(Unreadable):
            unseal(KEY, "people/p1/selfies/1", sealed[:length])


def test_swapped_repeated_and_appended_chunks_are_found(small_chunks: int) -> None:
    sealed = _sealed(os.urandom(100))
    head, body, step = sealed[:27], sealed[27:], 32
    pieces = [body[at : at + step] for at in range(0, len(body), step)]
    for altered in (
        [pieces[1], pieces[0], *pieces[2:]],
        [pieces[0], *pieces],
        [*pieces, pieces[-1]],
        pieces[:-1],
        pieces[1:],
    ):
        with pytest.raises(Unreadable):
            unseal(KEY, "people/p1/selfies/1", head + b"".join(altered))


def test_another_name_or_key_does_not_open_it() -> None:
    sealed = _sealed(b"a face")
    with pytest.raises(Unreadable):
        unseal(KEY, "people/p2/selfies/1", sealed)
    with pytest.raises(Unreadable):
        unseal(bytes(32), "people/p1/selfies/1", sealed)


def test_equal_pictures_look_different_and_hide_their_bytes() -> None:
    first, second = _sealed(b"the same face"), _sealed(b"the same face")
    assert first != second
    assert b"face" not in first
    assert is_sealed(first)
    assert not is_sealed(b"\xff\xd8\xff a jpeg")
