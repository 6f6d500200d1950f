"""The keyed noise of the imperceptible mark: which pattern a key and a payload draw, in units of the picture's size.

A spread-spectrum mark (Cox et al. 1997) with a pilot for finding scale and place (Kutter 1998): one noise field, the
pilot, says *that* and *where* a mark is; six more say *what*, each by the place on a 16 × 16 grid to which it is
shifted, so that one correlation reads one byte and the whole needs half the strength of one bit per field.

Everything lives on a canvas of CANVAS × CANVAS units on which the picture's short side is SHORT units, whatever its
pixels: copies of any size are brought there before they are read.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Field = NDArray[np.float32]  # CANVAS × CANVAS, mean 0, standard deviation 1
Spectrum = NDArray[np.complex64]  # CANVAS × (CANVAS / 2 + 1), the half that `rfft2` keeps

SHORT = 256  # units of the picture's short side
CANVAS = 512  # twice that, so that pictures up to 1:2 fit and a shift never wraps into the picture
GRID = 16  # places along one axis to which a payload field may be shifted: 16 × 16 of them are one byte
STRIDE = CANVAS // GRID
BYTES = 6  # four of the payload, two of its check

# Cycles per short side. Below 12 the picture's own content drowns the mark; above 56 a copy of 200 px that was
# compressed at quality 70 has nothing left (Nyquist there is 100, and JPEG rounds the upper half away). Of 6 to 36, 8
# to 44, 10 to 70 and this band, this one is read from most copies at equal strength.
LOW, HIGH = 12.0, 56.0
_SOFT_LOW, _SOFT_HIGH = 1.5, 3.0  # widths of the band's edges: a sharp edge rings

# Share of the mark's energy that is the pilot's. More finds marks better, less reads them better: of .2, .3 and .4 this
# one loses the fewest copies at the same strength.
PILOT = 0.3


def band() -> NDArray[np.float32]:
    """How much of each frequency the mark uses, 0 to 1, in the layout of `rfft2`."""
    down, across = np.fft.fftfreq(CANVAS)[:, None] * SHORT, np.fft.rfftfreq(CANVAS)[None] * SHORT
    cycles = np.hypot(down, across)
    inside = _rising(cycles, LOW, _SOFT_LOW) * (1 - _rising(cycles, HIGH, _SOFT_HIGH))
    return inside.astype(np.float32)


def _rising(cycles: NDArray[np.float64], edge: float, width: float) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-np.clip((cycles - edge) / width, -60, 60)))


BAND = band()


@dataclass(frozen=True)
class MarkKey:
    """An installation's key to its marks, 32 bytes. Whoever has it can find, forge and remove them."""

    secret: bytes

    def __post_init__(self) -> None:
        if len(self.secret) != 32:
            raise ValueError("A mark's key has 32 bytes.")

    def __repr__(self) -> str:
        return "MarkKey(...)"  # never in a log

    @cached_property
    def pilot(self) -> Field:
        return self._field("pilot")

    @cached_property
    def bytes(self) -> tuple[Field, ...]:
        return tuple(self._field(f"byte {place}") for place in range(BYTES))

    @cached_property
    def pilot_spectrum(self) -> Spectrum:
        return np.asarray(np.conj(fft.rfft2(self.pilot)), np.complex64)

    @cached_property
    def byte_spectra(self) -> tuple[Spectrum, ...]:
        return tuple(np.asarray(np.conj(fft.rfft2(field)), np.complex64) for field in self.bytes)

    def _field(self, label: str) -> Field:
        # Coin tosses from a hash, not from a library's generator: a mark must be readable with any later version.
        stream = hashlib.shake_256(b"rollcall mark 1\0" + label.encode() + b"\0" + self.secret)
        tosses = np.unpackbits(np.frombuffer(stream.digest(CANVAS * CANVAS // 8), np.uint8))
        white = tosses.reshape(CANVAS, CANVAS).astype(np.float32) * 2 - 1
        shaped = fft.irfft2(fft.rfft2(white) * BAND, s=(CANVAS, CANVAS))
        return np.asarray(shaped / shaped.std(), np.float32)


def word(payload: int) -> bytes:
    """The payload's four bytes and two of its checksum. ValueError outside 32 bits."""
    if not 0 <= payload < 2**32:
        raise ValueError("A payload has 32 bits.")
    data = payload.to_bytes(4, "big")
    return data + check(data)


def check(data: bytes) -> bytes:
    """Two bytes that a chance reading matches once in 65,536."""
    return (zlib.crc32(data) & 0xFFFF).to_bytes(2, "big")


def pattern(key: MarkKey, payload: int) -> Field:
    """The whole mark of a payload, at strength 1."""
    total = key.pilot * np.float32(np.sqrt(PILOT))
    share = np.float32(np.sqrt((1 - PILOT) / BYTES))
    for field, value in zip(key.bytes, word(payload), strict=True):
        total = total + np.roll(field, ((value // GRID) * STRIDE, (value % GRID) * STRIDE), (0, 1)) * share
    return total


KINDS = {"generated": 1, "faithful": 2}  # the last byte of a payload; 0 and the rest are free


def payload_for(key: MarkKey, lane: str) -> int:
    """What a picture carries: three bytes that tell one installation from another, one for the lane. Never a person."""
    return (int.from_bytes(_installation(key), "big") << 8) | KINDS.get(lane, KINDS["generated"])


def lane_of(key: MarkKey, payload: int) -> str | None:
    """The lane that a payload read with this key names, or None when it is not one of ours."""
    if payload >> 8 != int.from_bytes(_installation(key), "big"):
        return None
    return next((lane for lane, kind in KINDS.items() if kind == payload & 0xFF), None)


def _installation(key: MarkKey) -> bytes:
    return hashlib.sha256(b"rollcall installation\0" + key.secret).digest()[:3]
