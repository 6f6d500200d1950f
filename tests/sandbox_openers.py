"""What the sandbox's tests let it run: openers that are greedy, slow, deadly or curious."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from tasks.sentences import tell


def echo(data: bytes, **options: Any) -> tuple[Any, list[bytes]]:
    return {"options": options, "pid": os.getpid()}, [data, data[:1]]


def told(data: bytes) -> tuple[Any, list[bytes]]:
    return tell(data.decode()), []


def greedy(data: bytes) -> tuple[Any, list[bytes]]:
    return len(bytes(int(data))), []


def busy(data: bytes) -> tuple[Any, list[bytes]]:
    while True:
        hash(data)


def sleepy(data: bytes) -> tuple[Any, list[bytes]]:
    time.sleep(60)
    return None, []


def dying(data: bytes) -> tuple[Any, list[bytes]]:
    os.kill(os.getpid(), int(data))
    return None, []


def dying_once(data: bytes) -> tuple[Any, list[bytes]]:
    """`data` names a folder, whose making is all that a child may write: it is there from the second time on."""
    try:
        os.mkdir(data.decode())
    except FileExistsError:
        return "alive", []
    os.kill(os.getpid(), 9)
    return None, []


def threads(data: bytes) -> tuple[Any, list[bytes]]:
    import cv2

    return {
        "opencv": cv2.getNumThreads(), "openmp": int(os.environ["OMP_NUM_THREADS"]), "environment": dict(os.environ)
    }, []  # fmt: skip


def raising(data: bytes) -> tuple[Any, list[bytes]]:
    raise ValueError("quotes what it read: " + data.decode())


def looking(data: bytes) -> tuple[Any, list[bytes]]:
    try:
        Path("/tmp/written-from-the-sandbox").write_bytes(data)
        wrote = True
    except OSError:
        wrote = False
    return {"environment": dict(os.environ), "wrote": wrote, "handles": [_inode(n) for n in range(3, 64)]}, []


def _inode(handle: int) -> int:
    try:
        return os.fstat(handle).st_ino
    except OSError:
        return 0
