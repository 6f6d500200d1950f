"""Temporary folders of steps: removed for the forgotten, and for everybody once they are older than any run.

Up to 0.1 half-trained adapters of a whole cohort lay here in clear, in folders that named nobody: a run that was killed
left them, and forgetting passed them by. They wait in the vault now; what is left goes whenever somebody looks.
"""

import os
import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

_HALF_LEARNED = "cohort-"  # how 0.1 called the folders of its checkpoints


def clear_half_learned(scratch: Path) -> int:
    """Remove what an older run left half learned; how much is left of it."""
    return clear_scratch(scratch, ())


def clear_scratch(scratch: Path, people: Iterable[str]) -> int:
    """Remove everything under `scratch` that carries one of these ids in its name, or that may hold anybody's half
    learned face; how much is left of it."""
    ids = set(people)
    for path in _named(scratch, ids):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(_named(scratch, ids))


def _named(scratch: Path, ids: set[str]) -> list[Path]:
    found = []
    for base, folders, names in os.walk(scratch):
        mine = [
            name
            for name in (*folders, *names)
            if name.startswith(_HALF_LEARNED) or any(part in ids for part in _parts(name))
        ]
        found += [Path(base) / name for name in mine]
        folders[:] = [name for name in folders if name not in mine]
    return found


def _parts(name: str) -> list[str]:
    for sign in "-_.":
        name = name.replace(sign, " ")
    return name.split()


def clear_old_scratch(scratch: Path, before: datetime) -> int:
    """Remove whatever nobody has touched since; how much that was."""
    removed = 0
    for base, folders, names in os.walk(scratch, topdown=False):
        for name in names:
            path = Path(base) / name
            if path.lstat().st_mtime < before.timestamp():
                path.unlink()
                removed += 1
        for name in folders:
            path = Path(base) / name
            if not path.is_symlink() and not any(path.iterdir()):
                path.rmdir()
    return removed
