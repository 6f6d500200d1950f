"""Compiles the painter once and calls it: parameters and a camera in, light and parts out.

Needs a C compiler (`gcc` or what `CC` names) where pictures are made, and nowhere else in the product. The library is
kept in a cache folder under the hash of its text and flags, so a second start costs nothing.
"""

import ctypes
import functools
import hashlib
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from synthetic.painter.kernels import source

Floats = npt.NDArray[np.float32]

FLAGS = (
    "-O2",
    "-ftree-vectorize",
    "-march=native",
    "-mprefer-vector-width=512",
    "-ffast-math",
    "-fopenmp",
    "-fPIC",
)
# Linked apart, without -ffast-math: with it, gcc links a start-up that flushes the smallest numbers to zero in the
# whole process that loads the library, not in the painter alone.
LINKING = ("-shared", "-fopenmp")


@dataclass(frozen=True)
class Light:
    """What the camera sees before development: planar float32 (3, h, w), and the part at each pixel (-1 nothing)."""

    energy: Floats
    mirror: Floats
    albedo: Floats
    part: npt.NDArray[np.int8]


def cache_folder() -> Path:
    """`ROLLCALL_CACHE` or the user's cache; the painter keeps nothing but its compiled self there."""
    root = os.environ.get("ROLLCALL_CACHE") or os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "rollcall" / "painter"


def compiler() -> str:
    return os.environ.get("CC", "gcc")


@functools.cache
def library() -> ctypes.CDLL:
    text = source() + (Path(__file__).parent / "driver.c").read_text(encoding="utf-8")
    machine = subprocess.run(
        [compiler(), "-march=native", "-Q", "--help=target"], capture_output=True, text=True, check=True
    ).stdout
    digest = hashlib.sha256((text + " ".join(FLAGS + LINKING) + machine).encode()).hexdigest()[:16]
    folder = cache_folder()
    target = folder / f"painter-{digest}.so"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as work:
            code, compiled, built = (Path(work) / f"painter.{end}" for end in ("c", "o", "so"))
            code.write_text(text, encoding="utf-8")
            subprocess.run([compiler(), *FLAGS, "-c", "-o", str(compiled), str(code)], check=True)
            subprocess.run([compiler(), *LINKING, "-o", str(built), str(compiled), "-lm"], check=True)
            built.replace(target)  # atomic: two processes may build at once
    return ctypes.CDLL(str(target))


def _pointer(array: npt.NDArray[np.generic]) -> ctypes.c_void_p:
    return array.ctypes.data_as(ctypes.c_void_p)


def trace_rays(parameters: Floats, eye: Floats, view: Floats, width: int, height: int) -> Light:
    """`eye` (3,) camera position; `view` (2, 3) affine map from pixels to the image plane at distance 1."""
    energy, mirror, albedo = (np.empty((3, height, width), np.float32) for _ in range(3))
    part = np.empty((height, width), np.int8)
    row, at, window = (np.ascontiguousarray(a, np.float32) for a in (parameters, eye, view))
    library().paint(
        _pointer(row),
        _pointer(at),
        _pointer(window),
        width,
        height,
        _pointer(energy),
        _pointer(mirror),
        _pointer(albedo),
        _pointer(part),
        70,
        18,
    )
    return Light(energy, mirror, albedo, part)
