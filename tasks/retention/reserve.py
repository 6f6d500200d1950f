"""A little room on the disk, kept for the day it is full: forgetting is what frees it, and forgetting has to write.

A case, a log entry and a receipt need some pages of the records. So a megabyte is held by a file that means nothing,
and forgetting begins by giving it up when nothing else is free.
"""

import os
import shutil
from pathlib import Path

from tasks.vault.files import make_folders

SIZE = 1 << 20  # bytes held
_TIGHT = 2 << 20  # with less than this free, the reserve is given up
_PLENTY = 64 << 20  # with more than this free, it is made again


def give_way(home: Path) -> None:
    """Give the reserve up when the disk is as good as full."""
    if home.is_dir() and shutil.disk_usage(home).free < _TIGHT:
        _file(home).unlink(missing_ok=True)


def keep_reserve(home: Path) -> None:
    """Hold some room again when there is plenty."""
    path = _file(home)
    if path.exists() or shutil.disk_usage(home).free < _PLENTY:
        return
    make_folders(path.parent)
    with open(path, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, SIZE)


def _file(home: Path) -> Path:
    return home / "audit" / "reserve"
