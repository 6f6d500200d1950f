"""Finds the header of a table, and says which of its columns means which field (the words stand in headers.py).

Headers are compared folded: case, accents, signs and spaces do not count.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from tasks.roster.headers import ALIASES

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
WHO = frozenset({"number", "email", "name", "first", "last", "last_first", "first_last"})
_ALL_COUNT = ("status", "last_day", "gone")  # fields of which every column is read, and the strictest counts


def folded(header: str) -> str:
    """`E-Mail (geschäftlich)` → `e mail geschaftlich`."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", header) if not unicodedata.combining(c))
    words = re.sub(r"[^\w#]+", " ", plain.casefold().replace("ß", "ss")).replace("_", " ").split()
    if len(words) > 1 and words[0] == "n" and words[1] in {"de", "d"}:
        words[0] = "numero"
    return " ".join(words)


def meaning(header: str) -> tuple[str, int] | None:
    """The field a header means and how good an alias it is (0 is best), or None."""
    words = folded(header)
    # `n°` folds to `no` by NFKD; `employeeId` and `EmployeeID` have no space to fold.
    return PLACES.get(words) or PLACES.get(folded(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)))


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


def find_header(rows: list[list[str]], within: int = 30) -> int | None:
    """Index of the header row: the one that names most fields, the upper one if two do. Title rows name none."""
    scores = [header_score(row) for row in rows[:within]]
    best = max(scores, default=0)
    return scores.index(best) if best else None
