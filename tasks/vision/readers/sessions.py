"""onnxruntime sessions, opened once, on one thread: the same figures on every machine, and cores left for others."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@functools.cache
def _session(path: str) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run(path: Path, batch: Floats) -> list[Floats]:
    """One forward pass of the network at `path`; loaded at the first call."""
    session = _session(str(path))
    outputs = session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(batch, dtype=np.float32)})
    return [np.asarray(o, dtype=np.float32) for o in outputs]


def forget() -> None:
    """Close all sessions: for training scripts, which write a network anew under the same path."""
    _session.cache_clear()
