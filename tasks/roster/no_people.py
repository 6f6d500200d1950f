"""Tells lines that are no people from people: sums, group headings, the date of the report, notes on confidentiality.

Such a line is never a person, in no count and no record; a remark names its row, so that a person who was taken for one
is found. Whoever has a name and a number, or an address, is a person whatever else stands there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tasks.roster.columns import Columns, folded
from tasks.roster.words import read_email

# fmt: off
_SUMS = re.compile(
    r"(?:(grand )?(sub ?)?totals?|sum|sums|count|record count|headcount|number of (records|employees|people|rows)|"
    r"total (number )?of|"
    r"average|(zwischen|gesamt|end)?summen?|gesamt(zahl|anzahl)?|anzahl|insgesamt|total(es|aux)?|somme|sous total|"
    r"effectif total|"
    r"nombre( total)?|nombre de (salaries|collaborateurs)|suma|subtotal|recuento|numero de (empleados|registros)|"
    r"total general)(?!\w)"
)
_NOTES = re.compile(
    r"(as of|stand( vom)?|date of report|report (date|generated|run|created|name)|generated|created|printed|exported|"
    r"prepared|run (on|date|by)|"
    r"(strictly )?confidential\w*|internal use|for internal|private|page \d+|end of (report|file|list)|source|"
    r"sources|note|notes|legend|disclaimer|"
    r"applied filters?|filters?|filtered by|copyright|all rights|"
    r"erstellt|erzeugt|gedruckt|exportiert|ausgegeben|stichtag|auswertung|bericht|vertraulich|streng vertraulich|"
    r"nur fur|nur intern|intern|"
    r"seite \d+|quelle|hinweis\w*|anmerkung\w*|legende|ende der liste|druckdatum|exportdatum|filter|"
    r"edite|genere|imprime|exporte|etabli|etat au|situation au|date d (edition|export|extraction)|extrait|"
    r"confidentiel\w*|strictement|usage interne|"
    r"fin (du|de la|de l)|remarque\w*|legende|document|mis a jour|filtres?|"
    r"generado|creado|impreso|exportado|elaborado|fecha de|informe|confidencial\w*|uso interno|pagina \d+|fuente|"
    r"nota|notas|leyenda|fin del|"
    r"actualizado|filtros?)\b")
# fmt: on
_NO_LETTER = re.compile(r"[\W_]+")


def shapes_of(numbers: Iterable[str]) -> frozenset[str]:
    """What the numbers of a file look like: `HR-00417` and `HR-00058` are of one shape."""
    return frozenset(_shape(number) for number in numbers if number)


def _shape(number: str) -> str:
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "0", number))


def is_no_person(cells: list[str], columns: Columns, shapes: frozenset[str]) -> bool:
    """Whether this line is about nobody. `shapes`: of the numbers of lines that are people without a doubt."""
    filled = [cell for cell in cells if cell]
    if not filled or all(_NO_LETTER.fullmatch(cell) for cell in filled):
        return bool(filled)
    if _repeats(cells, columns.headers):
        return True
    if any(read_email(cell) for cell in filled):
        return False
    number, name = columns.cell(cells, "number"), _name(columns, cells)
    if _speaks(filled[0]) and (not (name and _is_number(number, shapes)) or (_adds_up(filled[0]) and len(filled) < 3)):
        return True
    if len(filled) > 1 or not columns.place.keys() & {"number", "email"}:
        return False
    if number:
        return not _is_number(number, shapes)
    # One word alone under "Name" is a heading; two are somebody, and so may be a name that is written without a space.
    return not name or (len(name.split()) == 1 and len(name) > 3 and all(letter < "\u0250" for letter in name))


def _repeats(cells: list[str], header: Sequence[str]) -> bool:
    """The header again, as printed at the top of each page."""
    there = [(cell, header[i]) for i, cell in enumerate(cells) if cell and i < len(header)]
    return bool(there) and all(folded(cell) == folded(title) for cell, title in there)


def _adds_up(text: str) -> bool:
    """`Summe`, `Grand total:`, and nothing besides."""
    return _SUMS.fullmatch(folded(text)) is not None


def _speaks(text: str) -> bool:
    """A sum or a note: it begins with one of their words, and says more or nothing besides."""
    words = folded(text)
    found = _SUMS.match(words)
    if found:
        return True
    note = _NOTES.match(words)
    return note is not None and (len(words.split()) > 1 or ":" in text or note.end() == len(words))


def _name(columns: Columns, cells: list[str]) -> str:
    parts = (
        columns.cell(cells, field) for field in ("name", "first", "last", "preferred_first", "last_first", "first_last")
    )
    return " ".join(part for part in parts if part)


def _is_number(number: str, shapes: frozenset[str]) -> bool:
    if not number:
        return False
    return _shape(number) in shapes or (
        bool(re.search(r"\d", number)) and not re.search(r"\s", number) and len(number) <= 20
    )
