"""File names of a delivery, from a template: by default the employee number, which directories import by.

Names end up in other people's systems, so they are made of letters, digits and `. _ - @` only, whatever a roster says;
a name from the roster can neither leave its folder nor take a reserved word of Windows.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterable

from tasks.failures import RollcallError
from tasks.roster.folding import without_accents
from tasks.sentences import tell

# `upn`, the name that people sign in to Microsoft with: a roster's column of that name is read as the e-mail, and it is
# the e-mail in most companies.
FIELDS = ("number", "email", "upn", "name", "id")
DEFAULT = "{number}"
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_SPELT = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ø": "oe", "æ": "ae"}
)


class BadTemplate(RollcallError):
    """A template that names no known field. The message says which there are."""


def check_template(template: str) -> str:
    """The template itself, when every field in it is known and one of them tells people apart."""
    try:
        named = {field for _, field, spec, _ in string.Formatter().parse(template) if field is not None and not spec}
        plain = not any(spec for _, _, spec, _ in string.Formatter().parse(template))
    except ValueError as error:
        raise BadTemplate(tell("template.braces", fields=_all())) from error
    if not plain or named - set(FIELDS):
        raise BadTemplate(tell("template.fields", fields=_all()))
    if not named & {"number", "email", "upn", "id"}:
        raise BadTemplate(tell("template.needs_one", fields=_braced("number", "email", "upn", "id")))
    return template


def _all() -> str:
    return _braced(*FIELDS)


def _braced(*fields: str) -> str:
    return ", ".join("{" + field + "}" for field in fields)


def file_stem(template: str, *, number: str, email: str, name: str, id: str) -> str:
    """The name without its ending. What a person lacks (an e-mail) is replaced by their number."""
    filled = template.format(number=number, email=email or number, upn=email or number, name=name or number, id=id)
    return safe(filled) or id


def safe(text: str) -> str:
    """Only harmless characters, never hidden, never a reserved word, at most 100 long."""
    kept = without_accents(unicodedata.normalize("NFC", text).translate(_SPELT))
    clean = re.sub(r"[^A-Za-z0-9._@-]+", "_", kept).strip("._-")[:100]
    return f"_{clean}" if _RESERVED.fullmatch(clean) else clean


def apart(stems: Iterable[tuple[str, str]]) -> dict[str, str]:
    """(id, wanted stem) → stem, all different even where case does not count: the later of two gets its id appended."""
    taken: set[str] = set()
    result: dict[str, str] = {}
    for identity, stem in stems:
        unique = stem if stem.casefold() not in taken else f"{stem}-{identity}"
        taken.add(unique.casefold())
        result[identity] = unique
    return result
