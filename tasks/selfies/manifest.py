"""Reads `manifest.csv`: a table that says whose photo each file is, for folders named by nobody."""

from __future__ import annotations

from tasks.roster.columns import folded
from tasks.roster.drop import TABLES, Drop
from tasks.roster.rows import UnreadableTable
from tasks.roster.tables import read_grid

_FILE = {"file", "filename", "file name", "photo", "path", "picture", "image", "selfie", "datei", "dateiname",
         "fichier", "archivo", "foto"}  # fmt: skip
_WHO = {"number", "employee id", "employee number", "employee", "id", "personalnummer", "email", "e mail", "work email",
        "name", "person", "matricule", "who", "owner"}  # fmt: skip


def _score(row: list[str]) -> int:
    words = {folded(cell) for cell in row}
    return bool(words & _FILE) + bool(words & _WHO)


def read_manifest(drop: Drop) -> dict[str, str] | None:
    """File path → number, e-mail or name; None without a manifest. One that cannot be read counts as none: its photos
    then come out as matched by name, or as nobody's."""
    tables = [f for f in drop.files() if f.lower().endswith(TABLES) and "manifest" in f.rsplit("/", 1)[-1].lower()]
    if not tables:
        return None
    path = min(tables, key=lambda f: (f.count("/"), len(f), f))
    try:
        grid = read_grid(drop.read(path), path, None, _score)
    except UnreadableTable:
        return None
    at = next((i for i, row in enumerate(grid.rows[:30]) if _score(row) == 2), None)
    if at is None:
        return None
    header = [folded(cell) for cell in grid.rows[at]]
    file_at = next(i for i, word in enumerate(header) if word in _FILE)
    who_at = next(i for i, word in enumerate(header) if word in _WHO)
    wide = max(file_at, who_at)
    return {
        row[file_at]: row[who_at] for row in grid.rows[at + 1 :] if len(row) > wide and row[file_at] and row[who_at]
    }
