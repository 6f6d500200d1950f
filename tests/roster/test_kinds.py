"""The kinds of trouble with tables, each in several of its forms: other languages, other words, other signs.

Whoever cannot be read safely waits; nobody is read as active or as somebody else because a cell could not be read.
"""

from __future__ import annotations

import io
from datetime import date

import openpyxl
import pytest

from tasks.roster.dates import read_days
from tasks.roster.number_format import shown
from tasks.roster.read import Roster, UnreadableTable, read_roster
from tasks.roster.rows import Status

TODAY = date(2026, 11, 28)


def read(text: str, encoding: str = "utf-8", name: str = "roster.csv") -> Roster:
    return read_roster(text.encode(encoding), name, today=TODAY)


def status_of(header: str, cell: str) -> Status:
    return read(f'Employee ID;Name;{header}\n1;Ann Lee;"{cell}"\n').rows[0].status


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("31.05.2026", "left"), ("31/05/2026", "left"), ("31-05-26", "left"), ("31.5.26", "left"),
        ("2026/05/31", "left"),
        ("31 May 2026", "left"), ("May 31, 2026", "left"), ("31st of May 2026", "left"), ("31-MAY-2026", "left"),
        ("31. März 2026", "left"), ("31. Jänner 2026", "left"), ("Di, 31.03.2026", "left"), ("zum 31.03.2026", "left"),
        ("31 janv. 2026", "left"), ("1er août 2026", "left"), ("le 31 août 2026", "left"), ("31 déc. 2025", "left"),
        ("31 ene 2026", "left"), ("31 de agosto del 2026", "left"), ("15 sept. 2026", "left"), ("31052026", "left"),
        ("46112", "left"), ("46112.0", "left"), ("2026-05-31T00:00:00Z", "left"), ("31.05.2026 00:00", "left"),
        ("31MAY2026", "left"), ("2026 05 31", "left"), ("Mai 2026", "left"), ("05/2026", "left"),
        ("31.12.2026", "active"), ("31 Dec 2026", "active"), ("12/31/26", "active"), ("31.12.9999", "active"),
        ("9999-12-31", "active"), ("31.12.2099", "active"), ("4712-12-31", "active"), ("99991231", "active"),
        ("2958465", "active"), ("00.00.0000", "active"), ("0000-00-00", "active"), ("00000000", "active"),
        ("0", "active"),
        ("unbefristet", "active"), ("-", "active"), ("n/a", "active"), ("CDI", "active"), ("28.11.2026", "active"),
        ("05/06/2026", "left"), ("03/04/2027", "active"), ("01/12/2026", "unknown"), ("12/01/2026", "unknown"),
        ("Ende Q1", "unknown"), ("demnächst", "unknown"), ("31.03.", "unknown"), ("???", "unknown"),
        ("soon", "unknown"),
        ("31.02.2026", "unknown"), ("#REF!", "unknown"), ("31.12.99", "unknown"), ("bald, 2027?", "unknown"),
    ],
)  # fmt: skip
def test_last_days(cell: str, expected: Status) -> None:
    assert status_of("Last day of work", cell) == expected


@pytest.mark.parametrize("first", [date(2020, 1, 1), date(2026, 2, 28)])
def test_every_day_is_read_in_every_written_form(first: date) -> None:
    for turn in range(0, 400, 7):
        day = date.fromordinal(first.toordinal() + turn)
        for form in ("%Y-%m-%d", "%d.%m.%Y", "%Y%m%d", "%d %B %Y", "%d-%b-%Y", "%Y/%m/%d", "%d.%m.%y", "%B %d, %Y"):
            days = read_days(day.strftime(form))
            assert days is not None
            assert (days.first, days.certain) == (day, True), day.strftime(form)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("Active", "active"), ("A - Active", "active"), ("1 Aktiv", "active"), ("aktiv (40h)", "active"),
        ("Actif(ve)", "active"),
        ("Activo/a", "active"), ("En activo - jornada completa", "active"), ("En poste", "active"),
        ("Beschäftigt", "active"),
        ("Employed since 2019", "active"), ("Full-Time", "active"), ("Regular / Salaried", "active"),
        ("Vollzeit 100 %", "active"),
        ("Unbefristet", "active"), ("CDI", "active"), ("Alta", "active"), ("Onboarding", "active"),
        ("Probezeit", "active"),
        ("Active until 31.12.2027", "active"), ("", "active"),
        ("T", "left"), ("Terminated", "left"), ("TERMINATED 03/2026", "left"), ("Resigned (voluntary)", "left"),
        ("Leaver", "left"),
        ("Former employee", "left"), ("No longer active", "left"), ("Inactive", "left"), ("Deceased", "left"),
        ("Laid off", "left"),
        ("Ausgetreten", "left"), ("ausgeschieden 31.03.26", "left"), ("Ehemaliger Mitarbeiter", "left"),
        ("Rente", "left"),
        ("Im Ruhestand", "left"), ("nicht mehr aktiv", "left"), ("Aktiv bis 31.03.2026", "left"),
        ("Parti le 31/03", "left"),
        ("Licencié", "left"), ("A quitté l'entreprise", "left"), ("Retraité", "left"), ("Démissionnaire", "left"),
        ("Baja voluntaria", "left"), ("Jubilada", "left"), ("Despedido", "left"), ("Inactivo/a", "left"),
        ("Cesado", "left"),
        ("On Leave", "leave"), ("Active - Paid Leave", "leave"), ("Leave of absence (unpaid)", "leave"),
        ("Parental leave", "leave"),
        ("Elternzeit", "leave"), ("Mutterschutz ab 1.12.", "leave"), ("Langzeitkrank", "leave"), ("beurlaubt", "leave"),
        ("Congé parental", "leave"), ("Arrêt maladie", "leave"), ("Baja médica", "leave"), ("Excedencia", "leave"),
        ("De baja por maternidad", "leave"), ("Sabbatical until May", "leave"), ("Auszeit", "leave"),
        ("Suspended", "unknown"), ("suspendiert", "unknown"), ("Suspendu", "unknown"), ("Suspendido", "unknown"),
        ("Sonderfall", "unknown"), ("Active?", "unknown"), ("tbd", "unknown"),
        ("aktiv, gekündigt zum 31.12.2027", "unknown"),
        ("#N/A", "unknown"), ("Aktiv bis auf weiteres", "unknown"), ("notice period", "unknown"), ("xyz", "unknown"),
    ],
)  # fmt: skip
def test_statuses(cell: str, expected: Status) -> None:
    assert status_of("Status", cell) == expected


def test_what_a_system_writes_beside_everybody_causes_no_remark() -> None:
    for word in ("Employed", "Regular", "Aktiv (Vollzeit)", "En poste", "Activo - indefinido", "True", "A"):
        lines = "".join(f"{i};Person {i};{word}\n" for i in range(1, 6))
        assert read(f"Employee ID;Name;Status\n{lines}").problems == ()


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ('="00417"', "00417"), ("'00417", "00417"), ("1034.0", "1034"), ("1034,00", "1034"),
        ("\u200e00417\u200f", "00417"),
        ("００４１７", "00417"), ("00\u00ad417", "00417"), ("A\u20111", "A-1"), ("А-17", "A-17"), (" 417\u00a0", "417"),
        ("000\u202f058", "000 058"), ("4E10", "4E10"), ("HR-007", "HR-007"),
    ],
)  # fmt: skip
def test_numbers_that_look_alike_are_alike(cell: str, number: str) -> None:
    escaped = cell.replace('"', '""')
    roster = read(f'Employee ID;Name\n"{escaped}";Ann Lee\n')
    assert roster.rows[0].number == number
    assert not roster.blocked_rows


@pytest.mark.parametrize("cell", ["2.026E+09", "7,1E+05", "1E+06", "1.2e5"])
def test_one_shortened_number_is_enough_to_block(cell: str) -> None:
    roster = read(f'Employee ID;Name\n"{cell}";Ann Lee\n')
    assert [problem.code for problem in roster.problems if problem.blocking] == ["spoiled_number"]


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (57, '"HR-"00000', "HR-00057"), (58, r"000\ 000", "000 058"), (59, r"\P0000", "P0059"),
        (60, "[$-407]00000", "00060"),
        (61, "00000;-00000;;@", "00061"), (57, "[Red]000", "057"), (57, "_-0000_-", "0057"),
        (57, '0000"/24"', "0057/24"),
        (1234567, "000-0000", "123-4567"), (57, "General", "57"), (57, "*00000", "0057"), (7, '"MA "0', "MA 7"),
        (57, "#,##0", None), (57, "[<100]000;0", None), (57, "# ?/?", None), (57, "0.00E+00", None), (57, "0%", None),
    ],
)  # fmt: skip
def test_numbers_as_the_sheet_shows_them(value: float, code: str, text: str | None) -> None:
    assert shown(value, code) == text


def workbook(rows: list[list[object]], **formats: str) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for place, code in formats.items():
        book.active[place].number_format = code
    return book


def saved(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_format_that_cannot_be_followed_is_a_remark_on_the_column_and_never_silent() -> None:
    roster = read_roster(saved(workbook([["Employee ID", "Name"], [1034, "Ann"]], A2="#,##0")), "r.xlsx")
    assert [(p.code, p.row, p.column) for p in roster.problems] == [("number_format", 0, "Employee ID")]
    assert roster.rows[0].number == "1034"


def test_very_hidden_sheets_and_hidden_columns_are_said() -> None:
    book = workbook([["Employee ID", "Name", "Status"], [1, "Ann", "Active"]])
    book.create_sheet("Old").append(["Employee ID", "Name"])
    book["Old"].append([2, "Bob"])
    book["Old"].sheet_state = "veryHidden"
    book.active.column_dimensions["C"].hidden = True
    roster = read_roster(saved(book), "r.xlsx")
    assert [row.number for row in roster.rows] == ["1"]
    assert roster.understood.not_read == ("Old (a hidden sheet)",)
    assert [(p.code, p.column) for p in roster.problems] == [("hidden_column", "Status")]


def test_merged_cells_stand_for_the_rows_they_cover_and_a_header_may_have_two_rows() -> None:
    rows: list[list[object]] = [
        ["Personalnummer", "Name", None, "Notfallkontakt", None, "Abteilung"],
        [None, "Vorname", "Nachname", "Name", "E-Mail", None],
        ["007", "Ann", "Lee", "Max Lee", "max@home.example", "Vertrieb"],
        ["008", "Bob", "Roe", "Eva Roe", "eva@home.example", None],
    ]
    book = workbook(rows)
    for place in ("A1:A2", "B1:C1", "D1:E1", "F1:F2", "F3:F4"):
        book.active.merge_cells(place)
    roster = read_roster(saved(book), "r.xlsx")
    assert [(row.number, row.name, row.email, row.department) for row in roster.rows] == [
        ("007", "Ann Lee", "", "Vertrieb"),
        ("008", "Bob Roe", "", "Vertrieb"),
    ]


def test_the_same_person_in_two_sheets_is_one() -> None:
    book = workbook([["Employee ID", "Name", "Status"], [1, "Ann Lee", "Terminated"], [2, "Bob Roe", "Active"]])
    second = book.create_sheet("Lille")
    for row in (["Name", "Employee ID", "Status"], ["Ann Lee", 1, "Active"]):
        second.append(row)
    roster = read_roster(saved(book), "r.xlsx", today=TODAY)
    assert [(row.number, row.status, row.where) for row in roster.rows] == [
        ("2", "active", "sheet Sheet, row 3"),
        ("1", "active", "sheet Lille, row 2"),
    ]
    assert not roster.blocked_rows


@pytest.mark.parametrize(
    "line",
    ["Total;57;;", "Grand total: 57;;;", "Summe;;;", "Gesamt: 3 Mitarbeitende;;;", "Nombre de salariés : 12;;;",
     "Suma;12;;",
     "As of 14.03.2026;;;", "Stand: 14.03.2026;;;", "Édité le 14/03/2026;;;", "Generado el 14/03/2026;;;",
     "Strictly confidential;;;",
     "Vertraulich - nur für den internen Gebrauch;;;", "Confidentiel;;;", "Uso interno;;;", "Vertrieb;;;",
     ";Werkstatt;;", "Page 1 of 3;;;",
     "Report generated;14.03.2026;by HR;", "Employee ID;Name;Work Email;Department", "-----;;;",
     "Applied filters: Status is Active;;;"],
)  # fmt: skip
def test_lines_that_are_no_people(line: str) -> None:
    people = "17;Ann Lee;ann@x.example;IT\n18;Count Dracula;;IT\n19;Summer Stand;s@x.example;\n"
    roster = read(f"Employee ID;Name;Work Email;Department\n{people}{line}\n")
    assert [row.number for row in roster.rows] == ["17", "18", "19"]
    assert [(p.code, p.row) for p in roster.problems if p.code == "no_person"] == [("no_person", 5)]


@pytest.mark.parametrize("line", ["20;;;", ";Wulandari Sari;;", ";;c@x.example;", "AB-20;박서연;;", "20;Total;;IT"])
def test_people_of_whom_little_is_known_are_people(line: str) -> None:
    roster = read(f"Employee ID;Name;Work Email;Department\n17;Ann Lee;ann@x.example;IT\n{line}\n")
    assert len(roster.rows) == 2


@pytest.mark.parametrize(
    ("name", "email", "strange"),
    [
        ("Ma³gorzata Œwi¹tek", "", True), ("£ucja £êcka", "", True), ("ZoÃ« BrÃ¼ckner", "", True),
        ("Jiøí Dvoøák", "jiri.dvorak", True),
        ("ÀîÄÈ", "", True), ("Ïåòðîâ Èâàí", "", True), ("JosŽ Mu–oz", "", True), ("MŸller", "", True),
        ("Br?ckner", "", True),
        ("J\ufffdrg", "", True), ("M&uuml;ller", "", True), ("Zo√´ Br√ºckner", "", True), ("Ren‚", "", True),
        ("N¤ez", "", True),
        ("Yýldýz Çaðla", "cagla.yildiz", True), ("Zo├½", "", True),
        ("Zoë Brückner", "zoe.brueckner", False), ("Łukasz Wójcik", "lukasz.wojcik", False),
        ("Siobhan O’Connor", "", False),
        ("Þórður Ægisson", "thordur.aegisson", False), ("Müller–Schmidt", "", False),
        ("Nguyễn Thị Ánh", "", False), ("李娜", "", False),
        ("Øyvind Ås", "oyvind.as", False), ("Anaïs d’Hautefeuille", "", False),
        ("Cédric N’Diaye", "cedric.ndiaye", False),
        ("ÉLODIE LEFÈVRE", "", False), ("Jean-Noël Œuvrard", "", False), ("Ștefan Țurcanu", "stefan.turcanu", False),
        ("Emre Aydın", "emre.aydin", False), ("José Araújo", "jose.araujo", False), ("Άννα Παππά", "", False),
        ("Ivana Horvat", "", False),
    ],
)  # fmt: skip
def test_wrong_letters_are_found_and_right_ones_left_alone(name: str, email: str, strange: bool) -> None:
    address = f"{email or 'a.b'}@x.example"
    roster = read(f'Employee ID;Name;Work Email\n1;"{name}";{address}\n')
    assert ("wrong_letters" in [problem.code for problem in roster.problems]) is strange


def test_a_single_line_of_another_program_does_not_spoil_the_others() -> None:
    data = "Employee ID;Name\n1;José Araújo\n".encode() + "2;Jörg Weiß\n".encode("cp1252") + "3;Zoë Lefèvre\n".encode()
    roster = read_roster(data, "r.csv")
    assert [row.name for row in roster.rows] == ["José Araújo", "Jörg Weiß", "Zoë Lefèvre"]
    assert [(problem.code, problem.row) for problem in roster.problems] == [("wrong_letters", 3)]


PAGE = (
    "<html><body><h1>Staff</h1><table><tr><th>Personalnummer</th><th>Name</th><th>Abteilung</th></tr>"
    "<tr><td>00417</td><td>J&ouml;rg Wei&szlig;</td><td rowspan=2>Vertrieb</td></tr>"
    "<tr><td>00418</td><td>Ann<br>Lee</td></tr>"
    "</table></body></html>"
)
XML = (
    '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
    'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="S"><Table>'
    '<Row><Cell><Data ss:Type="String">Matricule</Data></Cell>'
    '<Cell ss:Index="3"><Data ss:Type="String">Nom complet</Data></Cell></Row>'
    '<Row ss:Hidden="1"><Cell><Data ss:Type="String">00417</Data></Cell>'
    '<Cell ss:Index="3"><Data ss:Type="String">Zoé Roy</Data></Cell></Row>'
    "</Table></Worksheet></Workbook>"
)


def test_a_web_page_or_xml_called_xls_is_the_table_it_is() -> None:
    rows = read_roster(PAGE.encode(), "roster.xls").rows
    assert [(row.number, row.name, row.department) for row in rows] == [
        ("00417", "Jörg Weiß", "Vertrieb"),
        ("00418", "Ann Lee", "Vertrieb"),
    ]
    roster = read_roster(XML.encode(), "roster.xls")
    assert [(row.number, row.name) for row in roster.rows] == [("00417", "Zoé Roy")]
    assert [problem.code for problem in roster.problems] == ["hidden_row"]


def test_an_xml_table_is_as_wide_as_a_spreadsheet_can_be_and_no_wider() -> None:
    """A stray value in a column that no spreadsheet has would take the memory of all columns before it."""
    widest = XML.replace(
        '<Cell ss:Index="3"><Data ss:Type="String">Zoé Roy', '<Cell ss:Index="{}"><Data ss:Type="String">Zoé Roy'
    )
    assert read_roster(widest.format(16_384).encode(), "roster.xls").rows
    with pytest.raises(UnreadableTable, match="too far right"):
        read_roster(widest.format(16_385).encode(), "roster.xls")


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"%PDF-1.7\n", "a PDF"), (b"MIME-Version: 1.0\n", "MHTML"), (b"<?xml version='1.0'?><a/>", "XML")],
)
def test_what_is_no_table_is_refused_by_its_right_name(data: bytes, said: str) -> None:
    with pytest.raises(UnreadableTable) as refused:
        read_roster(data, "roster.xls")
    assert said in refused.value.fix
    assert "XLSX" in refused.value.fix


@pytest.mark.parametrize(
    ("header", "cell", "name"),
    [
        ("Name", "Doe, Jane", "Jane Doe"), ("Name", "Doe,Jane", "Jane Doe"), ("Name", "Doe, Jr., Jane", "Jane Doe Jr."),
        ("Name", "Jane Doe, PhD", "Jane Doe, PhD"), ("Nom et prénom", "DUPONT Jean", "Jean DUPONT"),
        ("Nachname, Vorname", "von der Heyde, Änne", "Änne von der Heyde"),
        ("Apellidos y nombre", "Núñez Gil, José", "José Núñez Gil"),
        ("Prénom et nom", "Jean Dupont", "Jean Dupont"), ("Name", "Ann\nLee", "Ann Lee"),
        ("Name", "#N/A", "1"),
    ],
)  # fmt: skip
def test_names_in_the_order_their_header_says(header: str, cell: str, name: str) -> None:
    assert read(f'Employee ID;"{header}"\n1;"{cell}"\n').rows[0].name == name


@pytest.mark.parametrize(
    ("cell", "address"),
    [
        ("marco.d'angelo@x.example", "marco.d'angelo@x.example"), ("<a@x.example>", "a@x.example"),
        ("mailto:a@x.example", "a@x.example"),
        ("Ann Lee <mailto:a@x.example>", "a@x.example"), ("a@x.example\u200b", "a@x.example"),
        ("[a@x.example](mailto:a@x.example)", "a@x.example"),
        ('"Lee, Ann" <a@x.example>;', "a@x.example"), ("a+b/c=d@x.example", "a+b/c=d@x.example"),
        ("müller@x.example", "müller@x.example"),
        ("mailto:a@x.example?subject=Hi", "a@x.example"), ("a@x", ""), ("a[at]x.example", ""),
        ("a@x.example b@x.example", ""), ("@x.example", ""),
    ],
)  # fmt: skip
def test_addresses(cell: str, address: str) -> None:
    escaped = cell.replace('"', '""')
    assert read(f'Employee ID;Name;Work Email\n1;Ann;"{escaped}"\n').rows[0].email == address


def test_numbers_that_differ_in_case_are_pointed_out() -> None:
    roster = read("Employee ID;Name\na7;Ann Lee\nA7;Bob Roe\n")
    assert [problem.code for problem in roster.problems] == ["similar_number", "similar_number"]


def test_a_rehire_beside_the_old_line_is_one_active_person_with_one_remark() -> None:
    lines = "1;Ann Lee;a@x.example;Terminated\n1;Lee, Ann;a@x.example;Active\n1;Ann Lee;;Active\n"
    roster = read(f"Employee ID;Name;Work Email;Status\n{lines}")
    assert [(row.number, row.status) for row in roster.rows] == [("1", "active")]
    assert [problem.code for problem in roster.problems if problem.row] == ["same_person"]
    assert not roster.blocked_rows
