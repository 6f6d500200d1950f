"""Looks for a mark in a picture of any size, crop or mirror image, and reads its payload.

The copy is brought to the canvas at many scales, flattened (band-passed, divided by its own local strength and by its
smoothed spectrum, so that no edge of the picture outvotes the mark), and correlated with the pilot by FFT. The peak's
height in standard deviations of the whole correlation is the evidence; where it lies, the mark begins.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from tasks.disclosure.pattern import (
    BAND,
    BYTES,
    CANVAS,
    KINDS,
    PILOT,
    SHORT,
    STRIDE,
    MarkKey,
    Spectrum,
    check,
    pattern,
    payload_for,
)
from tasks.vision.images import Picture

Plane = NDArray[np.float32]

# Evidence that a word's check must come with. See `benchmarks/mark.py` for what unmarked pictures reach: these are
# designed for one false alarm in 10,000 and in 1,000,000 pictures.
PROBABLY, MARKED = 11.0, 12.5

# Of the whole mark at its own place, in standard deviations of the correlation. Marked pictures reach 38 to 49, others
# 2 at most.
CARRIED = 15.0

# The whole picture first, since directories resize more often than they crop; then down to 60 % of it. Seven
# thousandths a step: at half of that the outermost ring of the band has slid by a quarter of its wave at the edge.
WHOLE = (1.0, 0.993, 1.007)
CROPS = tuple(float(share) for share in np.arange(0.60, 1.06, 0.007))
_FINER = (-0.004, -0.002, 0.002, 0.004)  # halves and quarters of the rough search's steps of .007
_CANDIDATES = 4  # places of the rough search that are looked at closely
_WORDS = 4096  # tried from the likeliest down; chance lets one in sixteen pictures through the check of 16 bits


@dataclass(frozen=True)
class FoundMark:
    """The best sign of a mark in a picture. Only `verdict` may be told to people."""

    evidence: float  # pilot and bytes together, as a matched filter adds them; unmarked pictures lie round 8.5
    payload: int | None  # None when no word's check fits
    scale: float  # short side of the marked picture that this copy shows, 1 = all of it
    mirrored: bool

    @property
    def verdict(self) -> str:
        """`marked`, `probably`, or `none`."""
        if self.payload is None or self.evidence < PROBABLY:
            return "none"
        return "marked" if self.evidence >= MARKED else "probably"


def find_mark(copy: Copy, key: MarkKey) -> FoundMark:
    """The best reading over the whole copy and, where that shows no sure mark, over crops of it and their mirrors.

    Copies under about 150 px of short side seldom hold a mark any more. A copy may be looked at with several keys:
    what does not depend on the key is done once.
    """
    best = _closest(copy, key, max(_peaks(copy, key, WHOLE, CANVAS), key=lambda peak: peak.height))
    if best.verdict == "marked":
        return best
    rough = sorted(_peaks(copy, key, CROPS, CANVAS // 2), key=lambda peak: -peak.height)[:_CANDIDATES]
    return max(
        [best, *(_closest(copy, key, peak) for peak in rough)],
        key=lambda found: (found.payload is not None, found.evidence),
    )


def read_whole(picture: Picture, key: MarkKey) -> FoundMark:
    """The same where nothing has to be looked for: a copy of all of the picture, upright. In a third of the time."""
    copy = Copy(picture)
    (peak,) = _peaks(copy, key, (1.0,), CANVAS, mirrors=(False,))  # its short side is whole pixels: the scale is exact
    return _read(copy, key, peak)


def carries(picture: Picture, key: MarkKey, payload: int) -> bool:
    """Whether this very picture, neither cut nor resized, carries this mark and no other lane's: asked before a picture
    is marked, in a tenth of a search's time, since nothing has to be looked for."""
    flat = Copy(picture).flat(1.0)

    def height(of: int) -> float:
        response = fft.irfft2(flat * _whole(key, of), s=(CANVAS, CANVAS))
        return float(response[0, 0] / response.std())

    mine = height(payload)
    # Marks of one key have their pilot and some of their bytes in common: a third of the height is another lane's, too.
    others = {payload_for(key, lane) for lane in KINDS} - {payload}
    return mine >= CARRIED and all(height(other) < mine for other in others)


@lru_cache(maxsize=8)
def _whole(key: MarkKey, payload: int) -> Spectrum:
    return np.asarray(np.conj(fft.rfft2(pattern(key, payload))), np.complex64)


class Copy:
    """A picture (RGB, any size) that may hold a mark, flattened at each scale that was asked for."""

    def __init__(self, picture: Picture) -> None:
        self._luma = luminance(picture)
        self._flat: dict[float, Spectrum] = {}

    def flat(self, scale: float) -> Spectrum:
        if scale not in self._flat:
            self._flat[scale] = flattened(at_scale(self._luma, scale))
        return self._flat[scale]


def luminance(picture: Picture) -> Plane:
    """ITU-R BT.601 luma, 0 to 255: what JPEG keeps best."""
    return picture.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class _Peak:
    height: float
    scale: float
    place: tuple[int, int]
    mirrored: bool


def _closest(copy: Copy, key: MarkKey, rough: _Peak) -> FoundMark:
    """What is read at the best of the scales round a peak."""
    finer = _peaks(copy, key, [rough.scale, *(rough.scale * (1 + step) for step in _FINER)], CANVAS)
    return _read(copy, key, max(finer, key=lambda peak: peak.height))


def _peaks(
    copy: Copy, key: MarkKey, scales: Iterable[float], grid: int, mirrors: Sequence[bool] = (False, True)
) -> Iterator[_Peak]:
    """The highest place of each scale and mirror image. Half of the canvas's grid is rougher and four times faster: the
    band ends below its Nyquist frequency, so that only the peak's place is less sure."""
    for scale in scales:
        flat = copy.flat(scale)
        for mirrored in mirrors:
            product = (_mirror(flat) if mirrored else flat) * key.pilot_spectrum
            half = grid // 2
            kept = product if grid == CANVAS else np.concatenate([product[:half], product[-half:]])[:, : half + 1]
            response = fft.irfft2(kept, s=(grid, grid))
            at, step = int(response.argmax()), CANVAS // grid
            height = float(response.flat[at] / response.std())
            yield _Peak(height, scale, (at // grid * step, at % grid * step), mirrored)


def _mirror(spectrum: Spectrum) -> Spectrum:
    """The spectrum of the mirror image (left and right changed), up to a shift that the correlation finds anyway."""
    return np.conj(np.roll(spectrum[::-1], 1, axis=0))


def at_scale(luma: Plane, scale: float) -> Plane:
    """The copy as large on the canvas as it was in the marked picture, if it shows `scale` of that one's short side."""
    ratio = SHORT * scale / min(luma.shape)
    size = (max(8, round(luma.shape[1] * ratio)), max(8, round(luma.shape[0] * ratio)))
    small = cv2.resize(luma, size, interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC)
    return np.asarray(small[:CANVAS, :CANVAS], np.float32)


def flattened(luma: Plane) -> Spectrum:
    """The spectrum of the copy with its own content held down, on the canvas."""
    height, width = luma.shape
    detail, inside = np.zeros((CANVAS, CANVAS), np.float32), np.zeros((CANVAS, CANVAS), np.float32)
    detail[:height, :width] = luma - cv2.GaussianBlur(luma, (0, 0), 8)
    inside[:height, :width] = 1
    banded = fft.irfft2(fft.rfft2(detail) * BAND, s=(CANVAS, CANVAS)) * inside
    # Locally to one strength, at least .4 levels, so that a flat wall's rounding noise is not made into a picture.
    strength = np.sqrt(np.maximum(cv2.GaussianBlur(banded * banded, (0, 0), 5), 0)) + 0.4
    level = np.clip(banded / strength * inside, -3, 3)
    spectrum = fft.rfft2(level)
    size = np.fft.fftshift(np.abs(spectrum).astype(np.float32), axes=0)
    smooth = np.fft.ifftshift(cv2.GaussianBlur(size, (0, 0), 6), axes=0)
    flat: Spectrum = (spectrum / (smooth + smooth.max() * 0.02) * BAND).astype(np.complex64)
    return flat


def _read(copy: Copy, key: MarkKey, peak: _Peak) -> FoundMark:
    """The payload at the peak: of the words whose check fits, the one that all six fields together speak for most."""
    flat = copy.flat(peak.scale)
    if peak.mirrored:
        flat = _mirror(flat)
    moved = fft.rfft2(np.roll(fft.irfft2(flat, s=(CANVAS, CANVAS)), (-peak.place[0], -peak.place[1]), (0, 1)))
    heights = np.zeros((BYTES, 256), np.float32)
    for place, spectrum in enumerate(key.byte_spectra):
        response = fft.irfft2(moved * spectrum, s=(CANVAS, CANVAS))
        heights[place] = (response[::STRIDE, ::STRIDE] / response.std()).ravel()
    value, total = _likeliest_word(heights)
    evidence = float(np.sqrt(PILOT) * peak.height + np.sqrt((1 - PILOT) / BYTES) * total)
    return FoundMark(evidence, value, peak.scale, peak.mirrored)


def _likeliest_word(heights: NDArray[np.float32]) -> tuple[int | None, float]:
    """Tries words from the likeliest down, until one's check fits: its payload and the sum of its bytes' heights."""
    order = np.argsort(-heights, axis=1)
    ranked = np.take_along_axis(heights, order, axis=1)
    first = (0,) * BYTES
    queue, seen = [(-float(ranked[:, 0].sum()), first)], {first}
    for _ in range(_WORDS):
        loss, ranks = heapq.heappop(queue)
        data = bytes(int(order[place, rank]) for place, rank in enumerate(ranks))
        if check(data[:4]) == data[4:]:
            return int.from_bytes(data[:4], "big"), -loss
        for place in range(BYTES):
            after = (*ranks[:place], ranks[place] + 1, *ranks[place + 1 :])
            if after[place] < 256 and after not in seen:
                seen.add(after)
                step = float(ranked[place, ranks[place]] - ranked[place, after[place]])
                heapq.heappush(queue, (loss + step, after))
    return None, float(ranked[:, 0].sum())
