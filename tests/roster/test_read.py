"""Rosters as HR systems export them: read right, shown as understood, and nobody lost."""

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime

import openpyxl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tasks.roster.cells import read_number
from tasks.roster.grid import DELIMITERS
from tasks.roster.read import Roster, RosterRow, UnreadableTable, read_roster
from tasks.roster.rows import shape_of
from tasks.roster.signs import visible
from tasks.roster.write import roster_csv

WORKDAY = """Worker Report,,,,,,
As of 2026-11-01,,,,,,
Employee ID,Worker,Email - Primary Work,Supervisory Organization,Business Title,Worker Active,Cost Center
00123,Jane Doe (On Leave),jane@acme.example,People,Partner,Yes,CC1
00124,Bob Roe [C],bob@acme.example,IT,Engineer,Yes,CC2
00125,Ann Poe,ann@acme.example,IT,Engineer,No,CC2
"""
BAMBOO = """Employee #,First name,Last name,Preferred name,Job title,Work Email,Department,Location,Status
7,Robert,Roe,Bob,Engineer,bob@acme.example,IT,Oslo,Active
"""
PERSONIO_DE = """Personalnummer;Vorname;Nachname;E-Mail (geschäftlich);Abteilung;Position;Status
007;José;Núñez;jose@acme.example;Vertrieb;Leiter;Aktiv
008;Zoë;Lefèvre;zoe@acme.example;IT;Ärztin;Elternzeit
"""
PERSONIO_FR = """Matricule;Prénom;Nom de famille;Adresse e-mail;Département;Intitulé du poste;Statut
12;Zoé;Lefèvre;zoe@acme.example;Ventes;Directrice;En congé
"""
PERSONIO_ES = """Número de empleado;Nombre;Apellidos;Correo electrónico;Departamento;Puesto;Estado
12;José;Núñez Gil;jose@acme.example;Ventas;Jefe;Activo
"""
ADP = """File Number\tPayroll Name\tWork Contact: Work Email\tHome Department Description\tJob Title\tPosition Status
000412\tDoe, Jane\tjane@acme.example\tSales\tManager\tA
"""


def read(text: str, encoding: str = "utf-8") -> Roster:
    return read_roster(text.encode(encoding), "roster.csv")


def codes(roster: Roster) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for problem in roster.problems:
        found.setdefault(problem.row, []).append(problem.code)
    return found


def test_workday_with_title_rows_and_suffixes() -> None:
    roster = read(WORKDAY)
    assert roster.understood.header_row == 3
    assert [(r.number, r.name, r.status, r.row) for r in roster.rows] == [
        ("00123", "Jane Doe", "leave", 4),
        ("00124", "Bob Roe", "active", 5),
        ("00125", "Ann Poe", "left", 6),
    ]
    assert codes(roster) == {4: ["on_leave"], 6: ["left_company"]}
    assert roster.blocked_rows == {4, 6}
    assert roster.understood.unused == ("Cost Center",)


@pytest.mark.parametrize(
    ("text", "number", "name", "department", "title", "status"),
    [
        (BAMBOO, "7", "Bob Roe", "IT", "Engineer", "active"),
        (PERSONIO_DE, "007", "José Núñez", "Vertrieb", "Leiter", "active"),
        (PERSONIO_FR, "12", "Zoé Lefèvre", "Ventes", "Directrice", "leave"),
        (PERSONIO_ES, "12", "José Núñez Gil", "Ventas", "Jefe", "active"),
        (ADP, "000412", "Jane Doe", "Sales", "Manager", "active"),
    ],
)
def test_headers_of_other_systems(text: str, number: str, name: str, department: str, title: str, status: str) -> None:
    row = read(text).rows[0]
    assert (row.number, row.name, row.department, row.title, row.status) == (number, name, department, title, status)
    assert row.email.endswith("@acme.example")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_are_tried_in_order_and_shown(encoding: str) -> None:
    roster = read(PERSONIO_DE, encoding)
    assert [row.name for row in roster.rows] == ["José Núñez", "Zoë Lefèvre"]
    assert roster.understood.encoding == {"utf-16": "utf-16-le"}.get(encoding, encoding)
    assert roster.understood.delimiter == ";"


def test_an_encoding_that_was_asked_for_is_used_or_refused() -> None:
    assert read_roster(PERSONIO_ES.encode("mac_roman"), "r.csv", encoding="mac_roman").rows[0].name == "José Núñez Gil"
    with pytest.raises(UnreadableTable, match="encoding"):
        read_roster(PERSONIO_ES.encode("cp1252"), "r.csv", encoding="utf-8")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\xef\xbb\xbf\r\n", "empty_file"),
        (b"a,b,c\n1,2,3\n", "no_header"),
        (b"\x00\x01\x02\x03 rubbish", "encoding"),
        (b"Employee ID,Name\x81\n", "encoding"),
        (b"PK\x03\x04 not a workbook", "workbook"),
        (b'Employee ID,Name\n1,"' + b"x" * 200_000, "broken_quotes"),
    ],
)
def test_what_is_no_table_says_so(data: bytes, code: str) -> None:
    with pytest.raises(UnreadableTable) as refused:
        read_roster(data, "roster.csv")
    assert refused.value.code == code
    assert refused.value.fix


def test_one_bad_cell_is_one_problem_and_good_rows_go_on() -> None:
    roster = read(
        "Employee ID,Name,Work Email,Status\n"
        "1,Ann,ann@acme.example,Active\n"
        ",Bob,bob@acme.example,Active\n"
        "3,,not an address,Active\n"
        '4,=HYPERLINK("http://x"),dan@acme.example,Suspended\n'
        "5,<b>Eve</b>,eve@acme.example,Active\n"
    )
    assert codes(roster) == {
        3: ["missing_id"],
        4: ["missing_name", "bad_email"],
        5: ["formula_cell", "unknown_status"],
    }
    assert roster.blocked_rows == {3, 5}
    assert [row.name for row in roster.rows] == ["Ann", "Bob", "3", '=HYPERLINK("http://x")', "<b>Eve</b>"]
    bad = next(p for p in roster.problems if p.code == "bad_email")
    assert (bad.row, bad.column, bad.shape) == (4, "Work Email", "14 characters: letters, spaces")


def test_problems_describe_values_and_never_repeat_them() -> None:
    roster = read("Employee ID,Name,Work Email\n1,Ann,secret-address\n=2+5,Bob,b@acme.example\n")
    kept = repr(roster.problems) + repr([problem.as_finding() for problem in roster.problems])
    assert "secret" not in kept
    assert "=2+5" not in kept
    assert "“secret-address”" in roster.problems[0].as_finding(quoted=True)["sentence"], "for who mends it"
    assert shape_of("Ab 1@") == "5 characters: letters, digits, spaces, @"


def test_two_people_under_one_number_both_wait_and_one_person_in_two_lines_does_not() -> None:
    roster = read(
        "Employee ID,Name,Work Email\n"
        "1,Ann,ann@acme.example\n1,Bob,bob@acme.example\n2,Cy,cy@acme.example\n2,Cy,cy@acme.example\n"
        "02,Dee,cy@acme.example\n"
    )
    assert roster.blocked_rows == roster.doubtful_rows == {2, 3}
    assert codes(roster) == {
        2: ["duplicate_id"],
        3: ["duplicate_id"],
        4: ["same_person", "duplicate_email"],
        6: ["duplicate_email"],
    }
    assert [row.number for row in roster.rows] == ["1", "1", "2", "02"]
    assert roster.further == (5,)


def test_preferences_and_opting_out() -> None:
    roster = read(
        "Employee ID,Name,Work Email,Wardrobe,Glasses,Headshot generation\n"
        "1,A,a@x.example,Navy Suit,off,yes\n2,B,b@x.example,,mit Brille,opted out\n3,C,c@x.example,,sometimes,maybe\n"
    )
    assert [(r.wardrobe, r.glasses, r.generation) for r in roster.rows] == [
        ("navy suit", "off", True),
        (None, "on", False),
        (None, "keep", False),  # an answer that cannot be read is not a yes
    ]
    assert codes(roster) == {3: ["opted_out"], 4: ["unknown_choice", "opted_out", "unknown_choice"]}
    assert not roster.blocked_rows
    opposite = read("Employee ID,Name,Opt out\n1,A,yes\n2,B,\n3,C,no\n")
    assert [r.generation for r in opposite.rows] == [False, True, True]


def test_a_last_day_in_the_past_is_a_leaver() -> None:
    text = "Employee ID,Name,Last Day Of Work\n1,A,2026-10-31\n2,B,2027-01-31\n3,C,\n"
    roster = read_roster(text.encode(), "r.csv", today=date(2026, 11, 23))
    assert [r.status for r in roster.rows] == ["left", "active", "active"]


def test_a_return_after_the_last_day_is_nobody_who_left() -> None:
    text = (
        "Employee ID,Name,Last Day Of Work,Rehire Date\n1,A,2026-05-31,2026-09-01\n2,B,2026-10-31,2026-02-01\n"
        "3,C,2026-10-31,\n4,D,2026-10-31,2026-10-31\n5,E,,2026-02-01\n"
    )
    roster = read_roster(text.encode(), "r.csv", today=date(2026, 11, 23))
    assert [r.status for r in roster.rows] == ["active", "left", "left", "left", "active"]


def test_the_header_again_is_nobody_even_where_it_is_the_only_cell() -> None:
    text = "Employee ID,Employee full name\n1,Ann Lee\nEmployee ID,Employee full name\n,Employee full name\n2,Bob Roe\n"
    assert [row.name for row in read_roster(text.encode(), "r.csv").rows] == ["Ann Lee", "Bob Roe"]


def test_without_a_number_column_the_address_stands_in() -> None:
    roster = read("Name,E-mail\nAnn,Ann@Acme.example\n")
    assert roster.rows[0].number == "ann@acme.example"
    assert codes(roster) == {0: ["missing_column"]}


def test_excel_hint_and_quoted_line_breaks() -> None:
    roster = read('sep=;\r\nEmployee ID;Name;Department\r\n1;"Ann;\r\nLee";IT\r\n2;Bob;HR\r\n')
    assert [(r.number, r.name, r.row) for r in roster.rows] == [("1", "Ann; Lee", 3), ("2", "Bob", 5)]


def workbook(rows: list[list[object]], formats: dict[str, str] | None = None) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    for place, number_format in (formats or {}).items():
        sheet[place].number_format = number_format
    book.create_sheet("Notes").append(["nothing", "here"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_workbook_numbers_come_out_as_they_are_shown() -> None:
    data = workbook(
        [
            ["Our people", None, None],
            ["Employee ID", "Name", "Work Email"],
            [7, "Ann", "ann@acme.example"],
            ["007", "Bob", "bob@acme.example"],
            [12.0, "=A3", "cy@acme.example"],
            [datetime(2026, 1, 2, tzinfo=UTC).replace(tzinfo=None), "Dee", "dee@acme.example"],
        ],
        {"A3": "00000"},
    )
    roster = read_roster(data, "roster.xlsx")
    assert [r.number for r in roster.rows] == ["00007", "007", "12", "2026-01-02"]
    assert roster.rows[2].name == "=A3"
    assert codes(roster) == {5: ["formula_cell"]}
    assert (roster.understood.kind, roster.understood.sheet) == ("xlsx", "Sheet")


def test_understood_is_told_in_words() -> None:
    lines = read(PERSONIO_DE, "cp1252").understood.lines()
    assert lines[0] == "Read as csv (cp1252, semicolon), header in row 1"
    assert "number ← Personalnummer" in lines[1]


def is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_in_cp1252(text: str) -> bool:
    return bool(text) and text.encode("cp1252", "ignore").decode("cp1252") == text


# What people type; no control characters (a NUL cannot be in a cell) and nothing that trimming would touch.
TEXT = st.text(
    st.characters(codec="cp1252", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")), min_size=1, max_size=12
).map(visible).filter(is_in_cp1252)  # fmt: skip
NUMBERS = st.one_of(
    st.from_regex(r"0{0,3}[0-9]{1,5}", fullmatch=True), st.from_regex(r"[A-Z]{1,2}-?[0-9]{3}", fullmatch=True), TEXT
).map(lambda text: read_number(text)[0]).filter(is_in_cp1252)  # fmt: skip
ROWS = st.builds(
    RosterRow,
    number=NUMBERS,
    name=TEXT.filter(lambda s: not s.endswith(")") and "]" not in s and "," not in s and s not in "-–—"),
    email=st.sampled_from(["a@x.example", "b.c@y.example"]),
    department=TEXT.filter(lambda s: s not in "-–—"),
    title=TEXT.filter(lambda s: s not in "-–—"),
    status=st.sampled_from(["active", "leave", "left"]),
    wardrobe=st.none() | st.sampled_from(["navy suit", "=1+1", "-5"]),
    glasses=st.sampled_from(["keep", "on", "off"]),
    generation=st.booleans(),
    consent=st.none(),
    row=st.just(0),
)


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(ROWS, min_size=1, max_size=5, unique_by=lambda row: row.number),
    delimiter=st.sampled_from(DELIMITERS),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "cp1252"]),
)
def test_what_is_written_is_read_back(rows: list[RosterRow], delimiter: str, encoding: str) -> None:
    data = roster_csv(rows, delimiter=delimiter, encoding=encoding)
    if encoding == "cp1252":  # a line that is UTF-8 as well is read as that: no reader can tell
        assume(not any(is_utf8(line) and not line.isascii() for line in data.split(b"\n")))
    roster = read_roster(data, "r.csv")
    kept = [(r.number, r.name, r.department, r.title, r.status, r.wardrobe, r.glasses, r.generation) for r in rows]
    assert [
        (r.number, r.name, r.department, r.title, r.status, r.wardrobe, r.glasses, r.generation) for r in roster.rows
    ] == kept
    assert roster.understood.delimiter == delimiter


@settings(max_examples=25, deadline=None)
@given(
    cells=st.lists(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=3, max_size=5), max_size=8),
    delimiter=st.sampled_from(DELIMITERS),
)
def test_everybody_who_goes_in_comes_out(cells: list[list[str]], delimiter: str) -> None:
    """Whatever the cells hold: every line is a person, a further line about one, or named as none."""
    from tasks.roster.grid import unquoted
    from tasks.roster.write import table_csv

    data = table_csv(["Employee ID", "Name", "Work Email"], cells, delimiter=delimiter)
    roster = read_roster(data, "r.csv")
    filled = [row for row in cells if any(unquoted([cell.replace("\x00", "") for cell in row]))]
    people = [row.row for row in roster.rows]
    assert len({*people, *roster.further, *roster.no_people}) == len(filled)
    assert len(people) + len(roster.further) + len(roster.no_people) == len(filled)
    assert {problem.row for problem in roster.problems if problem.code == "no_person"} == {*roster.no_people}
    assert all(problem.row in {0, *people, *roster.no_people} for problem in roster.problems)


def test_five_thousand_people_are_read_in_a_moment() -> None:
    lines = "".join(f"{i:05d},Person {i},p{i}@acme.example,IT,Engineer,Active\n" for i in range(5000))
    roster = read("Employee ID,Name,Work Email,Department,Job Title,Status\n" + lines)
    assert len(roster.rows) == 5000
    assert not roster.problems


def repacked(data: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The same workbook with one of its parts changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            content = old.read(entry)
            new.writestr(entry.filename, change(content) if entry.filename == part else content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("docProps/core.xml", b"</cp:coreProperties>", b""),  # not even XML any more
        ("xl/styles.xml", b"<cellXfs", b'<cellXfs odd="1"'),
        ("xl/styles.xml", b"<fonts", b"<fonts><font><b val='perhaps'/></font></fonts><fonts"),
        ("[Content_Types].xml", b"<Override ", b'<Override Odd="1" '),
    ],
)
def test_what_openpyxl_chokes_on_costs_number_formats_only(part: str, old: bytes, new: bytes) -> None:
    plain = workbook([["Employee ID", "Name"], [7, "Ann"]], {"A2": "000"})
    assert read_roster(plain, "r.xlsx").rows[0].number == "007"
    odd = repacked(plain, part, lambda content: content.replace(old, new, 1))
    assert odd != plain
    assert [(row.number, row.name) for row in read_roster(odd, "r.xlsx").rows] in ([("7", "Ann")], [("007", "Ann")])


def test_a_number_that_everybody_shares_is_said_in_a_short_sentence() -> None:
    people = 20_000
    roster = read("Employee ID,Name\n" + "".join(f"ACME,Person {i}\n" for i in range(people)))
    assert len(roster.rows) == people
    said = [problem.fix for problem in roster.problems if problem.code == "duplicate_id"]
    assert len(said) == people
    assert "Rows 2, 3, 4, 5, 6 and 19,995 more" in said[0]
    assert max(map(len, said)) < 300
