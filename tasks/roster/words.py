"""What people write into cells: statuses, yes and no, glasses, dates, addresses; in four languages.

Every reader returns None for what it does not know: the caller reports it instead of taking a guess about a person.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from tasks.roster.columns import folded
from tasks.roster.rows import Glasses, Status

_YES = {
    "yes", "y", "true", "1", "x", "ja", "j", "wahr", "oui", "o", "vrai", "si", "s", "verdadero", "ok", "given",
    "granted", "allowed", "agreed", "accepted", "erteilt", "accorde", "otorgado", "opt in", "opted in", "signed",
    "erlaubt", "✓",
}  # fmt: skip
_NO = {
    "no", "n", "false", "0", "nein", "falsch", "non", "faux", "falso", "refused", "denied", "not given", "none",
    "declined", "verweigert", "abgelehnt", "refuse", "rechazado", "denegado", "opt out", "opted out", "photo only",
    "not allowed", "not agreed", "pending", "offen", "ausstehend", "en attente", "pendiente", "real photo", "faithful",
}  # fmt: skip
_STATUS: dict[Status, set[str]] = {
    "active": {
        "active", "a", "yes", "true", "1", "employed", "current", "regular", "permanent", "working", "onboarding",
        "full time", "part time", "hired", "new hire", "aktiv", "ja", "beschaftigt", "angestellt", "actif", "active e",
        "en poste", "oui", "activo", "activa", "si", "en activo", "probation", "contractor",
    },
    "leave": {
        "on leave", "leave", "l", "loa", "leave of absence", "parental leave", "maternity leave", "paternity leave",
        "sick leave", "long term sick", "sabbatical", "unpaid leave", "paid leave", "beurlaubt", "elternzeit",
        "in elternzeit", "mutterschutz", "abwesend", "freigestellt", "langzeitkrank", "en conge", "conge",
        "conge parental", "conge maternite", "absent", "excedencia", "de baja", "baja medica", "de permiso", "permiso",
    },
    "left": {
        "terminated", "inactive", "left", "t", "no", "false", "0", "leaver", "former", "resigned", "retired",
        "deceased", "dismissed", "offboarded", "exited", "ausgeschieden", "inaktiv", "nein", "ehemalig", "gekundigt",
        "verlassen", "inactif", "inactive e", "parti", "sorti", "non", "ancien", "inactivo", "inactiva", "baja",
        "cesado", "ex empleado",
    },
}  # fmt: skip
_GLASSES: dict[Glasses, set[str]] = {
    "keep": {"", "keep", "as is", "as in photos", "as usual", "same", "either", "wie auf fotos", "egal", "behalten",
             "garder", "mantener", "no preference", "both"},
    "on": {"on", "yes", "y", "with", "with glasses", "mit", "ja", "mit brille", "avec", "oui", "con", "si", "true",
           "1"},
    "off": {"off", "no", "n", "without", "without glasses", "ohne", "nein", "ohne brille", "sans", "non", "sin",
            "false", "0", "none"},
}  # fmt: skip
_EMAIL = re.compile(r"[^@\s,;<>()\"']+@[^@\s,;<>()\"'.]+(\.[^@\s,;<>()\"'.]+)+")
_SUFFIX = re.compile(r"\s*(\[[A-Z]\]|\((on leave|terminated|inactive|leave|\d+)\))\s*$", re.IGNORECASE)
_AFTER_COMMA = {"jr", "sr", "ii", "iii", "iv", "phd", "md", "dr", "mba", "esq", "cpa", "msc", "bsc"}
_DATES = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%Y/%m/%d",
    "%d %b %Y",
    "%d %B %Y",
)


def yes_or_no(value: str) -> bool | None:
    """True, False, or None for empty and for what is neither."""
    word = folded(value) or value.strip()
    return True if word in _YES else False if word in _NO else None


def read_status(value: str) -> Status | None:
    """An empty status is an active person: most exports leave leavers out and have no such column."""
    word = folded(value)
    if not word:
        return "active"
    return next((status for status, words in _STATUS.items() if word in words), None)


def read_glasses(value: str) -> Glasses | None:
    word = folded(value)
    return next((choice for choice, words in _GLASSES.items() if word in words), None)


def read_wardrobe(value: str) -> str | None:
    """HR's choice in plain lower-case words. Which choices exist is the brand kit's business."""
    return " ".join(value.lower().split())[:40] or None


def is_email(value: str) -> bool:
    return len(value) <= 254 and _EMAIL.fullmatch(value) is not None


def read_date(value: str) -> datetime | None:
    """A date that can only mean one day. 03/04/2026 means two, so it is not read unless a part exceeds twelve."""
    text = value.strip().removesuffix("Z")
    for form in ("", *_DATES):
        try:
            found = datetime.strptime(text, form) if form else datetime.fromisoformat(text)
        except ValueError:
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    slashed = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text)
    if slashed:
        first, second, year = (int(part) for part in slashed.groups())
        day, month = (first, second) if first > 12 else (second, first)
        if (first > 12) != (second > 12) or first == second:
            try:
                return datetime(year, month, day, tzinfo=UTC)
            except ValueError:
                return None
    return None


def tidy_name(value: str) -> tuple[str, Status | None]:
    """Workday hangs ` (On Leave)` and ` [C]` behind names, ADP writes `Last, First`. Returns name and status."""
    status: Status | None = None
    name = " ".join(value.split())
    while found := _SUFFIX.search(name):
        word = (found.group(2) or "").lower()
        status = "leave" if "leave" in word else "left" if word in {"terminated", "inactive"} else status
        name = name[: found.start()]
    last, comma, first = name.partition(", ")
    if comma and first and "," not in first and first.rstrip(".").lower().replace(".", "") not in _AFTER_COMMA:
        name = f"{first} {last}"
    return name, status
