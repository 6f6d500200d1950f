"""Opens HR's tables in the sandbox: what comes back is rows of text, or a sentence about why not.

A workbook of two kilobytes can ask for 500 gigabytes. What reads it dies there, and whoever asked goes on.
"""

from __future__ import annotations

import importlib
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tasks.roster.grid import Grid, Scorer, parse_grid
from tasks.roster.rows import Unreadable
from tasks.sandbox import Fallen, Limits, the_sandbox

LIMITS = Limits(memory=448 * 2**20, cpu=20.0, answer=192 * 2**20)
_GRID = TypeAdapter(Grid)


def read_grid(data: bytes, name: str, encoding: str | None, score: Scorer) -> Grid:
    """Reads CSV in any usual form, or XLSX/XLS/ODS. `score` tells how well a row serves as header (see columns.py); it
    goes into the sandbox by its name. Raises Unreadable."""
    options = {"name": name, "encoding": encoding, "scorer": f"{score.__module__}:{score.__qualname__}"}
    try:
        opened = the_sandbox().open(f"{__name__}:open_table", data, LIMITS, options)
    except Fallen as fallen:
        raise _unreadable(fallen.how) from None
    if opened.value is not None:
        raise Unreadable(str(opened.value["code"]), str(opened.value["fix"]))
    try:
        return _GRID.validate_json(bytes(opened.blocks[0]))
    except (ValidationError, IndexError):
        raise _unreadable("nonsense") from None


def open_table(data: bytes, *, name: str, encoding: str | None, scorer: str) -> tuple[Any, list[bytes]]:
    """Runs in the sandbox."""
    module, _, function = scorer.partition(":")
    try:
        grid = parse_grid(data, name, encoding, getattr(importlib.import_module(module), function))
    except Unreadable as refused:
        return {"code": refused.code, "fix": refused.fix}, []
    del data
    return None, [_GRID.dump_json(grid)]


def _unreadable(how: str) -> Unreadable:
    if how in ("memory", "time"):
        much = f"{LIMITS.memory // 2**20} MiB" if how == "memory" else f"{LIMITS.cpu:.0f} seconds"
        return Unreadable("too_large", f"Opening the file takes more than {much}: {_CURE}")
    return Unreadable("workbook", f"What opens tables broke on this file ({how}): {_CURE}")


_CURE = "copy the rows with people into a new sheet, without empty rows and columns, and save it as CSV."
