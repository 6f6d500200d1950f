"""Sixty exports of twelve HR systems, in the layouts that their documentation describes, read as they come.

Each cites where its layout is documented (exports/exports.toml). Nobody's number, name or status may be wrong, the
check and the run have to say the same about everybody, and the README's table names the systems.
"""

import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tasks.roster.read import read_roster
from tests.roster.conftest import Standing, check, of_check

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


@pytest.mark.parametrize("export", INDEX, ids=lambda export: export["file"])
def test_the_check_and_the_run_agree_on_everybody(
    export: dict,
    run: Callable[..., Standing],
    tmp_path: Path,  # type: ignore[type-arg]
) -> None:
    """With a register in which the first said yes, the second no, and the third is not mentioned."""
    numbers = [person["number"] for person in export["people"]]
    who = "E-mail" if "@" in numbers[0] else "Employee ID"
    lines = [f"{who},Consent,Given at", f"{numbers[0]},yes,2026-10-01", f"{numbers[1]},no,2026-10-01"]
    consents = tmp_path / "consents.csv"
    consents.write_text("\n".join(lines) + "\n", encoding="utf-8")
    promised = of_check(check(EXPORTS / export["file"], consents))
    assert run(EXPORTS / export["file"], consents) == promised
    state = {"active": ("ready", None), "leave": ("blocked", "on_leave"), "left": ("blocked", "left_company")}
    first = export["people"][0]["status"]
    assert next(iter(promised.values())) == state.get(first, ("blocked", "unknown_status"))
