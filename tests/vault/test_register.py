"""The register is complete: what the code stores about people has an entry, and every entry says how it goes."""

import re
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from tasks.retention.policy import policy_page
from tasks.retention.rules import load_rules
from tasks.vault import records
from tasks.vault.failures import UnknownKind
from tasks.vault.register import REGISTER, blob_kind, data_map, kind_of

ROOT = Path(records.__file__).parents[2]


def test_every_kind_has_one_entry_that_says_how_it_goes() -> None:
    names = [kind.name for kind in REGISTER]
    assert len(names) == len(set(names))
    for kind in REGISTER:
        assert kind.what
        assert kind.where
        assert kind.how


def test_every_table_about_people_is_in_it() -> None:
    """A table with an employee's id in it holds something about them; `employee` itself holds the rest."""
    told = " ".join(kind.where for kind in REGISTER)
    for table in SQLModel.metadata.tables.values():
        if "employee_id" in table.c or table.name in ("employee", "auditentry"):
            assert re.search(rf"\b{table.name}\b", told), f"table {table.name} has no entry in the register"


def test_every_kind_written_anywhere_in_the_code_is_in_it() -> None:
    """vault.write(permit, "kind", ...) with a literal kind, found in the source: it fails here and not at HR's."""
    calls = re.compile(r"\.write\(\s*\w*permit\w*(?:\.\w+)?,\s*\"(\w+)\"")
    found = set()
    for room in ("tasks", "reports", "flows"):
        for path in (ROOT / room).rglob("*.py"):
            found |= set(calls.findall(path.read_text(encoding="utf-8")))
    assert "selfies" in found or "adapter" in found, "the pattern sees the calls there are"
    for kind in found:
        assert blob_kind(kind)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(UnknownKind):
        kind_of("hologram")
    with pytest.raises(UnknownKind):
        blob_kind("employee")


def test_the_data_map_has_a_line_for_everything() -> None:
    lines = data_map().splitlines()
    assert len(lines) == len(REGISTER) + 2
    assert all(line.startswith(("| ", "|---")) for line in lines)
    assert "photos the person sent" in policy_page(load_rules())
