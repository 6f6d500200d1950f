"""Somebody else's data that look like the forgotten person's hold nothing up; what is really left is listed."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from sqlmodel import select

from tasks.retention.case import Surroundings
from tasks.retention.choose_people import people_by_number
from tasks.retention.erase import forget, forget_people
from tasks.retention.left import path_of, read_list
from tasks.retention.rows import NOTE_REMOVED
from tasks.retention.rules import load_rules
from tasks.retention.search import search_bytes, search_files
from tasks.retention.spelled import spellings
from tasks.retention.tables import database_of
from tasks.vault.records import Batch, Consent, Decision, Employee
from tasks.vault.store import Vault

Add = Callable[..., str]


@pytest.fixture
def add(vault: Vault, kit: ModuleType) -> Add:
    def enrol(identity: str, number: str, name: str, email: str) -> str:
        with vault.session() as session:
            session.add(Employee(id=identity, number=number, name=name, email=email, updated_at=kit.NOW))
            session.add(Consent(id=f"c{identity}", employee_id=identity, given_at=kit.NOW))
        return identity

    return enrol


@pytest.mark.parametrize(
    ("forgotten", "other"),
    [
        (("EMP-10", "Quentin Zephyr", "q@x.example"), ("EMP-100", "Someone Else", "s@x.example")),
        (("N-40001", "Anna Li", "anna.li@corp.example"), ("N-40002", "Joanna Li-Wang", "joanna.li@corp.example")),
        (("N-40001", "Maria Lopez", "m@x.example"), ("N-40002", "Ana Maria Lopez", "am@x.example")),
        (("N-40001", "Maria Lopez", "m@x.example"), ("N-40002", "Maria Lopez", "m2@x.example")),
        (("N-40001", "Quentin Zephyr", "q@x.example"), ("N-40001 (row 9)", "Other Person", "q@x.example")),
    ],
    ids=["a longer number", "a longer address", "a longer name", "the same name", "the same line twice"],
)  # fmt: skip
def test_a_look_alike_holds_nothing_up(
    vault: Vault, add: Add, kit: ModuleType, forgotten: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    add("p1", *forgotten)
    add("p2", *other)
    with vault.session() as session:  # what stands beside them in the file, without anything between
        session.add(
            Batch(id="b1", order_key="b1", created_at=kit.NOW, drop="/in", kit="k", quality="draft", base="embedded",
                  problems=[{"said": other[0]}], facts={"by": other[2]})
        )  # fmt: skip
    receipt = forget(vault, "p1", "requested", kit.NOW)
    assert receipt.state == "provisional", (receipt.residue, read_list(vault.settings.home, receipt.id))
    with vault.reading() as session:
        assert session.get_one(Employee, "p2").name == other[1]
        assert session.get_one(Batch, "b1").facts == {"by": other[2]}


def test_what_is_shared_is_not_looked_for_and_the_receipt_says_so(vault: Vault, add: Add, kit: ModuleType) -> None:
    add("p1", "N-40001", "Maria Lopez", "m@x.example")
    add("p2", "N-40002", "Ana Maria Lopez", "am@x.example")
    receipt = forget(vault, "p1", "requested", kit.NOW)
    assert receipt.search["shared"] == ["name"]
    assert receipt.search["for"] == ["e-mail", "number"]
    page = (vault.settings.receipts / f"{receipt.id}.html").read_text()
    assert "name: somebody else&#x27;s too, or a part of theirs" in page


def test_two_of_one_name_who_go_together_are_both_looked_for(vault: Vault, add: Add, kit: ModuleType) -> None:
    for identity in ("p1", "p2"):
        add(identity, f"N-4000-{identity}", "Maria Lopez", f"{identity}@x.example")
    (vault.settings.home / "notes.txt").write_text("seen: Maria Lopez.")
    wishes = [(one, "requested", kit.NOW) for one in ("p1", "p2")]
    receipts = forget_people(vault, wishes, kit.NOW)
    assert [one.residue for one in receipts] == [("trace: 1",)] * 2


def test_who_is_asked_for_by_number_is_meant_in_every_line(vault: Vault, add: Add) -> None:
    for identity, number in (("p1", "A-4"), ("p2", "A-4 (row 9)"), ("p3", "A-40"), ("p4", "A-4 (row 9) x")):
        add(identity, number, f"Person {identity}", f"{identity}@x.example")
    assert people_by_number(vault, "A-4") == ["p1", "p2"]


def test_a_reviewer_who_is_forgotten_is_known_by_a_pseudonym_and_notes_about_them_go(
    vault: Vault, add: Add, kit: ModuleType
) -> None:
    add("p1", "N-40001", "Zyxquark Vellichor", "z@x.example")
    add("p2", "N-40002", "Bystander Plain", "b@x.example")
    with vault.session() as session:
        session.add(
            Batch(id="b1", order_key="b1", created_at=kit.NOW, drop="/in", kit="k", quality="draft", base="embedded")
        )
        for identity, by, note in (
            ("d1", "Zyxquark Vellichor", ""),
            ("d2", "Hannah Roth", "taken beside Zyxquark Vellichor"),
            ("d3", "Hannah Roth", "a little dark"),
        ):
            session.add(Decision(id=identity, employee_id="p2", batch_id="b1", verdict="reject", by=by, at=kit.NOW,
                                 note=note))  # fmt: skip
    receipt = forget(vault, "p1", "requested", kit.NOW)
    assert receipt.state == "provisional", read_list(vault.settings.home, receipt.id)
    with vault.reading() as session:
        said = {row.id: (row.by, row.note) for row in session.exec(select(Decision))}
    assert said["d1"][0].startswith("reviewer ")
    assert said["d2"] == ("Hannah Roth", NOTE_REMOVED)
    assert said["d3"] == ("Hannah Roth", "a little dark")


def test_the_keeper_is_told_where_and_the_list_goes_with_the_last_trace(
    vault: Vault, add: Add, kit: ModuleType, tmp_path: Path
) -> None:
    add("p1", "N-40001", "Zyxquark Vellichor", "z@x.example")
    add("p2", "N-40002", "Bystander Plain", "b@x.example")
    with vault.session() as session:
        session.get_one(Employee, "p2").title = "deputy of Zyxquark Vellichor"
    notes = vault.settings.home / "Zyxquark Vellichor.txt"
    notes.write_text("z@x.example")
    receipt = forget(vault, "p1", "requested", kit.NOW)
    assert receipt.state == "blocked"
    lines = read_list(vault.settings.home, receipt.id)
    assert any("table employee, column title" in line for line in lines), lines
    assert any(line.startswith("name of ....txt") for line in lines), lines
    assert not any("Zyxquark" in line for line in lines), "the list is no trace itself"
    notes.unlink()
    with vault.session() as session:
        session.get_one(Employee, "p2").title = ""
    from tasks.retention.erase import search_again

    again = search_again(vault, receipt.id, [("name", "Zyxquark Vellichor")], kit.NOW, Surroundings(load_rules()))
    assert again.state == "provisional"
    assert not path_of(vault.settings.home, receipt.id).exists()


@pytest.mark.parametrize("text", [
    "joanna.li@corp.example", "anna.li@corp.examples", "<b>xanna.li@corp.example</b>", "%41anna.li%40corp.example",
    "\\u00e4anna.li@corp.example", "äanna.li@corp.example",
])  # fmt: skip
def test_a_part_of_a_longer_word_is_none(text: str) -> None:
    assert list(search_bytes(text.encode(), spellings(["anna.li@corp.example"]), "here")) == []


@pytest.mark.parametrize("text", [
    "anna.li@corp.example", "<anna.li@corp.example>", "%2Fanna.li%40corp.example%2F", "\\u003canna.li@corp.example\\n",
    "\\nanna.li@corp.example", "“anna.li@corp.example”", "to_anna.li@corp.example_1", "anna.li@corp.example.",
])  # fmt: skip
def test_the_word_itself_is_found_whatever_stands_beside_it(text: str) -> None:
    assert list(search_bytes(text.encode(), spellings(["anna.li@corp.example"]), "here"))


def test_in_a_table_in_utf_16_the_edges_are_characters() -> None:
    wanted = spellings(["anna.li@corp.example"])
    assert list(search_bytes("7\tanna.li@corp.example\tx".encode("utf-16"), wanted, "here"))
    assert not list(search_bytes("7\tjoanna.li@corp.example\tx".encode("utf-16"), wanted, "here"))


def test_in_base64_and_hex_the_edges_count_too() -> None:
    import base64

    wanted = spellings(["EMP-10"])
    for filler in ("", "a ", "ab "):
        assert list(search_bytes(base64.b64encode(f"{filler}EMP-10, 7".encode()), wanted, "here")), filler
        assert not list(search_bytes(base64.b64encode(f"{filler}EMP-100, 7".encode()), wanted, "here")), filler
    assert list(search_bytes(b"EMP-10,".hex().encode(), wanted, "here"))
    for longer in ("EMP-100", "EMP-100,", "EMP-100 and more"):
        assert not list(search_bytes(longer.encode().hex().encode(), wanted, "here")), longer


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
def test_what_lies_beside_a_database_is_searched_as_it(tmp_path: Path, suffix: str) -> None:
    with sqlite3.connect(tmp_path / "a.db") as records:
        records.execute("CREATE TABLE x (y)")
    (tmp_path / f"a.db{suffix}").touch()
    assert database_of(str(tmp_path / f"a.db{suffix}")) == str(tmp_path / "a.db")
    assert database_of(str(tmp_path / f"b.db{suffix}")) is None


def test_deleted_rows_of_a_database_are_found_beside_a_look_alike(tmp_path: Path) -> None:
    import sqlite3

    connection = sqlite3.connect(tmp_path / "x.db")
    connection.execute("PRAGMA secure_delete=OFF")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, number, name)")
    connection.execute("INSERT INTO t (number, name) VALUES ('EMP-100', 'Zed')")
    connection.commit()
    wanted = spellings(["EMP-10"])
    assert list(search_files([tmp_path], wanted)) == []
    connection.execute("INSERT INTO t (number, name) VALUES ('EMP-10', 'Gone')")
    connection.commit()
    assert [hit.inside for hit in search_files([tmp_path], wanted)] == ["table t, column number, row id = 2"]
    connection.execute("DELETE FROM t WHERE number = 'EMP-10'")
    connection.commit()
    connection.close()
    assert [hit.inside for hit in search_files([tmp_path], wanted)] == ["no row: deleted rows or free pages"]
