"""No word outside the closed list ever opens a photo, whatever people make of a yes; and each way round it.

The property is tried on a hundred thousand cells through the one function that reads a line, and, a sample of them,
through files. Beside it stand registers as HR keeps them, each with a turn that once made a no into a yes.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from tasks.roster.answers import NO as NOES
from tasks.roster.answers import WITHDRAWN, YES, has_reservation
from tasks.roster.consent_line import Said, read_line
from tasks.roster.consents import consent_problem, read_consents
from tasks.roster.read import read_roster
from tasks.roster.whose_consent import settle_consents

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
CELLS = 100_000
BEFORE = (
    "not ",
    "no ",
    "nicht ",
    "pas ",
    "never ",
    "maybe ",
    "eher ",
    "un",
    "ne ",
    "bald ",
    "quasi ",
    "sin ",
    "was ",
    "“",
    "(",
)
BEHIND = ("?", " ?", ", aber", ", aber nicht fürs Intranet", " sauf photo", " mais plus tard", " but", " only",
          " nur fürs Badge",
          " pero no", "…", "..", " (unter Vorbehalt)", " / no", " oder nein", "-nein", " *", " bis 31.12.",
          " seulement", " erst ab Mai",
          "!?", " no", "%", ":", " später", " if", " solo")  # fmt: skip
SIGNS = "abcdefghijklmnopqrstuvwxyzäéñß?,;:*/()0123456789 '-"


def mutation(rng: random.Random) -> str:
    """A yes that somebody added to, cut, mistyped, or spoke of something else with."""
    word = rng.choice(sorted(YES))
    way = rng.randrange(7)
    if way == 0:
        return rng.choice(BEFORE) + word
    if way == 1:
        return word + rng.choice(BEHIND)
    if way == 2:
        return rng.choice(BEFORE) + word + rng.choice(BEHIND)
    at = rng.randrange(len(word) + 1)
    if way == 3:
        return word[:at] + rng.choice(SIGNS) + word[at:]
    if way == 4:
        return word[:at] + word[at + 1 :]
    if way == 5:
        return word[:at] + rng.choice(SIGNS) + word[at + 1 :]
    return "".join(rng.choice(SIGNS) for _ in range(rng.randrange(1, 14)))


def is_in_the_list(cell: str) -> bool:
    """Said once more here, so that a looser reading of cells fails instead of being taken for the list."""
    word = " ".join(cell.casefold().replace("’", "'").split())
    return word in YES or (len(word) > 2 and word[-1] in ".!" and word[:-1].rstrip() in YES)


def may_be_a_day(cell: str) -> bool:
    return sum(letter.isdigit() for letter in cell) >= 4


def test_no_word_outside_the_list_ever_opens_a_photo() -> None:
    rng = random.Random(20261128)
    tried, opened = 0, []
    for turn in range(CELLS):
        cell = mutation(rng).strip()
        if is_in_the_list(cell) or may_be_a_day(cell):
            continue
        tried += 1
        day = "2026-05-04" if turn % 10 == 0 else ""
        line = read_line(Said(answers=[("Consent", cell, "")], day=("Date", day)), lambda *_: None)
        if line is not None and consent_problem([line], NOW) is None:
            opened.append(cell)
    assert opened == []
    assert tried > CELLS * 0.9, "most of them are no yes"


def test_no_word_of_the_list_is_a_no_or_has_a_reservation_in_it() -> None:
    assert YES.isdisjoint(NOES | WITHDRAWN)
    assert [word for word in YES if has_reservation(word)] == []


def test_a_thousand_of_them_through_a_file_beside_a_date() -> None:
    rng = random.Random(7)
    cells = [mutation(rng).replace(";", "").replace('"', "").strip() for _ in range(1000)]
    cells = [cell for cell in cells if cell and not is_in_the_list(cell) and not may_be_a_day(cell)]
    people = "".join(f"P{i};Person {i}\n" for i in range(len(cells)))
    roster = read_roster(f"Personalnummer;Name\n{people}".encode(), "roster.csv")
    lines = "".join(f'P{i};"{cell}";2026-05-04\n' for i, cell in enumerate(cells))
    consents = settle_consents(roster, read_consents(f"Personalnummer;Einwilligung;Datum\n{lines}".encode(), "c.csv"))
    assert [row.number for row in roster.rows if consents.code(row, NOW) is None] == []


@pytest.mark.parametrize("word", sorted(YES))
def test_every_word_of_the_list_is_one(word: str) -> None:
    for cell in (word, word.upper(), f" {word}\u00a0", *([f"{word}."] if word.isalpha() else [])):
        line = read_line(Said(answers=[("Consent", cell, "")]), lambda *_: None)
        assert line is not None
        assert consent_problem([line], NOW) is None, cell


def codes(register: str, people: str = "1,Ann Lee,ann@x.example\n2,Bob Roe,bob@x.example\n") -> list[str | None]:
    roster = read_roster(f"Employee ID,Name,Work Email\n{people}".encode(), "roster.csv")
    consents = settle_consents(roster, read_consents(register.encode(), "consents.csv"))
    return [consents.code(row, NOW) for row in roster.rows]


NO, BACK = "no_consent", "consent_withdrawn"


@pytest.mark.parametrize(
    ("register", "expected"),
    [
        # a column of answers under another name; the day beside it is no answer
        ("Employee ID,Answer,Date\n1,yes,2026-05-04\n2,I refuse,2026-05-04\n", [None, NO]),
        ("Matricule;Réponse;Date\n1;oui;2026-05-04\n2;Je refuse;2026-05-04\n", [None, NO]),
        ("Employee ID,Status,Given at\n1,declined,2026-05-04\n2,given,2026-05-04\n", [NO, None]),
        ("Employee ID,Darf das Foto gemacht werden,Datum\n1,eher nicht,2026-05-04\n2,ja,2026-05-04\n", [NO, NO]),
        # a list without an answer: its day is one, unless the list is of something else
        ("Employee ID,Given at\n1,2026-05-04\n2,\n", [None, NO]),
        ("Employee ID,Date\n1,2026-05-04\n2,\n", [None, NO]),
        ("Employee ID,Given at\n1,03/04/2026\n2,2026-05-04\n", [NO, None]),
        ("Withdrawals 2026,\nEmployee ID,Date\n1,2026-05-04\n", [NO, NO]),
        ("Employee ID,Timestamp\n1,2026-05-04 08:01:02\n", [NO, NO]),
        # taken back, under whatever name
        ("Personalnummer;Einwilligung;Datum;Widerruf\n1;ja;2026-05-04;2026-06-01\n2;ja;2026-05-04;\n", [BACK, None]),
        ("Employee ID,Consent,Date,Date of withdrawal\n1,yes,2026-05-04,soon\n2,yes,2026-05-04,no\n", [BACK, None]),
        ("Employee ID,Consent,Valid until\n1,yes,2026-06-30\n2,yes,2027-06-30\n", [NO, None]),
        ("Employee ID,Consent,Comment\n1,yes,only for the badge\n2,yes,on paper\n", [NO, None]),
        ("Employee ID,Consent,State of file\n1,yes,withdrawn\n2,yes,complete\n", [BACK, None]),
        # two questions: both have to say yes
        ("Employee ID,Photo consent,Consent for portrait\n1,yes,no\n2,yes,yes\n", [NO, None]),
        # figures that are codes
        ("Employee ID,Consent\n1,1\n2,2\n", [NO, NO]),
        ("Employee ID,Consent\n1,1\n2,0\n", [None, NO]),
        # a column that nobody filled in makes no form of it
        ("No,Consent,Signature\n1,yes,\n2,no,\n", [None, NO]),
        # letters that are a yes in one language only
        ("Matricule;Consentement\n1;O\n2;N\n", [None, NO]),
        ("Employee ID,Consent\n1,o\n2,y\n", [NO, None]),
        # the order of words, and of lines
        ("Employee ID,Consent,Date\n1,yes,2026-05-04\n1,no,2026-01-04\n", [None, NO]),
        ("Employee ID,Consent,Date\n1,yes,\n1,no,2020-01-04\n", [NO, NO]),
        ("Employee ID,Consent,Date\n1,no,\n1,yes,2026-05-04\n", [NO, NO]),
        ("Employee ID,Consent,Date\n1,yes,06/07/2031\n", [NO, NO]),
        ("Employee ID,Consent,Date\n1,yes,2026-05-04 09:00\n1,no,2026-05-04\n", [NO, NO]),
        # the answer's own cell
        ("Employee ID,Consent\n1,bis 31.03.2026\n2,31.03.2026\n", [NO, None]),
        ("Employee ID,Consent\n1,46112\n2,ja.\n", [NO, None]),
    ],
)  # fmt: skip
def test_registers_as_hr_keeps_them(register: str, expected: list[str | None]) -> None:
    assert codes(register) == expected


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("ID,Start time,Completion time,Email,Name,I consent to a photo", "Microsoft, English"),
        ("ID,Heure de début,Heure de fin,Adresse de messagerie,Nom,Consentement", "Microsoft, French"),
        ("ID,Hora de inicio,Hora de finalización,Correo electrónico,Nombre,Consentimiento", "Microsoft, Spanish"),
        ("ID,Ora di inizio,Ora di completamento,Email,Name,Consent", "a language that is not read: by the times in it"),
        ("ID,Début x,Fin x,Email,Name,Consent", "names that nobody knows: by the times in it"),
    ],
)
def test_a_form_counts_answers_and_nobody_by_them(header: str, why: str) -> None:
    first = "1,12.03.2026 08:02:11,12.03.2026 08:02:49,bob@x.example,Bob Roe,yes"
    second = "2,12.03.2026 08:15:30,12.03.2026 08:16:02,ann@x.example,Ann Lee,no"
    assert codes(f"{header}\n{first}\n{second}\n") == [NO, None], why


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("1,bob@x.example,Ann Lee,yes", [NO, NO]),  # the e-mail is Bob's
        ("1,ann@x.example,Bob Roe,yes", [NO, NO]),
        ("2,ann@x.example,Ann Lee,no", [NO, NO]),  # and a no counts for both
        ("1,stranger@y.example,Rune Solberg,yes", [NO, NO]),  # a number that was somebody else's before
        ("1,,Ann Lee,yes", [None, NO]),
        (",ann@x.example,,yes", [None, NO]),
        (",,Lee Ann,yes", [None, NO]),
        ("1,ann@x.example,Ann Lee,yes\n2,bob@x.example,Bob Roe,yes\n2,ann@x.example,Ann Lee,no", [NO, NO]),
        ("01,ann@x.example,Ann Lee,yes", [None, NO]),  # a spreadsheet's noughts
    ],
)
def test_a_line_counts_for_the_one_whom_everything_in_it_means(line: str, expected: list[str | None]) -> None:
    assert codes(f"Employee ID,Work Email,Name,Consent\n{line}\n") == expected


def test_a_no_in_the_roster_counts_beside_a_yes_in_the_register_and_is_said() -> None:
    roster = read_roster(b"Employee ID,Name,Consent\n1,Ann,no\n2,Bob,\n", "roster.csv")
    consents = settle_consents(
        roster, read_consents(b"Employee ID,Consent,Date\n1,yes,2026-05-04\n2,yes,2026-05-04\n", "c.csv")
    )
    assert [consents.code(row, NOW) for row in roster.rows] == [NO, None]
    assert [problem.code for problem in consents.problems] == ["consent_differs"]
