"""Sixty exports of twelve HR systems, in the layouts that their documentation describes, read as they come.

Each cites where its layout is documented (exports/exports.toml). Nobody's number, name or status may be wrong, the
check and the run have to say the same about everybody, and the README's table names the systems.
"""

import tomllib
from datetime import date
from pathlib import Path

import pytest

from tasks.roster.read import read_roster

EXPORTS = Path(__file__).parent / "exports"
INDEX = tomllib.loads((EXPORTS / "exports.toml").read_text(encoding="utf-8"))["export"]
TODAY = date(2026, 11, 28)


@pytest.mark.parametrize("export", INDEX, ids=lambda export: export["file"])
def test_everybody_is_read_with_their_number_name_and_status(export: dict) -> None:  # type: ignore[type-arg]
    file = EXPORTS / export["file"]
    roster = read_roster(file.read_bytes(), file.name, today=TODAY)
    found = [{"number": row.number, "name": row.name, "status": row.status} for row in roster.rows]
    assert found == export["people"], roster.understood.lines()


def test_sixty_exports_of_twelve_systems_in_four_languages() -> None:
    assert len(INDEX) == 60
    assert len({export["system"] for export in INDEX}) == 12
    assert {export["language"] for export in INDEX} == {"en", "de", "fr", "es"}
    assert all(export["sources"] for export in INDEX), "each cites where its layout is documented"
    assert {export["file"] for export in INDEX} == {path.name for path in EXPORTS.iterdir()} - {"exports.toml"}
