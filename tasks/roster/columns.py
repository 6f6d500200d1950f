"""Says which column of a table means which field (the words stand in headers.py).

Headers are compared folded: case, accents, signs and spaces do not count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tasks.roster.folding import without_accents
from tasks.roster.headers import ALIASES, BARE_NUMBERS

PLACES = {alias: (field, place) for field, aliases in ALIASES.items() for place, alias in enumerate(aliases)}
# Words that speak of consent in a register, and of anything in a roster: a contract is signed, a licence is given.
REGISTER_ONLY = frozenset({"version", "date", "given", "datum", "fecha", "withdrawn", "purpose", "retire",
                           "zweck", "given at",
                           "signed at", "signed on", "erteilt am", "withdrawn at", "withdrawn on", "revoked",
                           "revoked at",
                           "widerrufen", "widerrufen am", "retire le", "retirado", "retirado el", "revocado",
                           "text version",
                           "finalite", "finalidad", "textversion", "version du texte",
                           "version del texto"})  # fmt: skip
_SQUEEZED = {alias.replace(" ", ""): place for alias, place in reversed(PLACES.items()) if len(alias) > 4}
# What systems write behind a header about filling it in; anything else in brackets belongs to its name.
_REMARK = re.compile(
    r"[\[(](?:required|read ?only|upload only|optional|mandatory|pflicht\w*|erforderlich|obligatoire|facultatif|"
    r"obligatorio|opcional|text|date|datum|dd[./-]mm[./-]yyyy|mm[./-]dd[./-]yyyy|yyyy-mm-dd|tt\.mm\.jjjj|jj/mm/aaaa|dd/mm/aaaa|\*)[\])]",
    re.IGNORECASE,
)
OF_OTHERS = re.compile(
    r"\b(manager\w*|supervisors?|emergency|notfall\w*|vorgesetzte\w*|teamleiter\w*|responsable|superieur\w*|"
    r"urgence|jefe|emergencia|partner\w*|spouse|ehepartner\w*|conjoint\w*|conyuge|recruiter|mentor\w*|assistant|"
    r"home email|private?n? e ?mail|e mail privat|email privado|personal e ?mail|e ?mail personnel\w*|"
    r"correo personal)\b"
)
_OF_THEMSELVES = frozenset(
    {"employee", "employees", "worker", "staff", "mitarbeiter", "mitarbeiters", "mitarbeitenden", "des", "der", "du",
     "de", "l", "salarie", "employe", "collaborateur", "del", "empleado", "trabajador", "s"}
)  # fmt: skip
WHO = frozenset({"number", "email", "name", "first", "last", "last_first", "first_last"})
_ALL_COUNT = (
    "status",
    "last_day",
    "gone",
    "enabled",
    "contract_end",
)  # fields of which every column is read, and the strictest counts


def folded(header: str) -> str:
    """`E-Mail (geschäftlich)` → `e mail geschaftlich`."""
    words = re.sub(r"[^\w#]+", " ", without_accents(header).casefold().replace("ß", "ss")).replace("_", " ").split()
    if len(words) > 1 and words[0] == "n" and words[1] in {"de", "d"}:
        words[0] = "numero"
    return " ".join(words)


def meaning(header: str) -> tuple[str, int] | None:
    """The field a header means and how good an alias it is (0 is best), or None.

    A remark in brackets, a star, the word for an employee or a group's name before a colon do not change the meaning:
    `Status [READ ONLY]`, `Vorname (Pflichtfeld)`, `Employee First Name`. That it is a manager's does.
    """
    forms = [header, _REMARK.sub(" ", header).rstrip("* "), header.rpartition(":")[2]]
    for form in forms:
        words = folded(form)
        if not words or OF_OTHERS.search(words):
            return None
        # `n°` folds to `no` by NFKD; `employeeId`, `FIRSTNAME` and `EmployeeID` have no space to fold.
        found = PLACES.get(words) or _SQUEEZED.get(words.replace(" ", ""))
        plain = " ".join(word for word in words.split() if word not in _OF_THEMSELVES)
        found = found or (PLACES.get(plain) if plain not in BARE_NUMBERS and plain != "name" else None)
        if found:
            return found
    return None


def header_score(row: list[str]) -> int:
    """How many different fields a row would name; 0 when nobody could be told by it."""
    fields = {found[0] for cell in row if (found := meaning(cell))}
    return len(fields) if fields & WHO else 0


@dataclass(frozen=True)
class Columns:
    """Where each field stands. `headers[i]` is what HR wrote over column i."""

    place: dict[str, int]
    headers: tuple[str, ...]
    also: dict[str, tuple[int, ...]] = field(default_factory=dict)  # further columns that mean the same

    def cell(self, row: list[str], field: str) -> str:
        at = self.place.get(field)
        return row[at] if at is not None and at < len(row) else ""

    def further(self, row: list[str], field: str) -> list[tuple[str, str]]:
        """(header, cell) of the other columns that mean the same field, best first."""
        return [(self.headers[at], row[at]) for at in self.also.get(field, ()) if at < len(row)]

    def header(self, field: str) -> str:
        at = self.place.get(field)
        return self.headers[at] if at is not None else ""

    @property
    def unused(self) -> tuple[str, ...]:
        used = {*self.place.values(), *(at for field in _ALL_COUNT for at in self.also.get(field, ()))}
        return tuple(header for i, header in enumerate(self.headers) if header and i not in used)


def map_columns(header: list[str], *, register: bool = False) -> Columns:
    """Best alias wins. Words that only make sense in a consent register (`Date`) mean nothing in a roster."""
    ranked: dict[str, list[tuple[int, int]]] = {}
    for column, text in enumerate(header):
        found = meaning(text)
        if found is None or (not register and folded(text) in REGISTER_ONLY):
            continue
        ranked.setdefault(found[0], []).append((found[1], column))
    place = {field: min(ranked[field])[1] for field in ALIASES if field in ranked}
    also = {field: tuple(column for _, column in sorted(columns)[1:]) for field, columns in ranked.items()}
    return Columns(place, tuple(header), also)
