"""What a single cell holds once a spreadsheet's ways are taken off it: error values, spoiled numbers, forced text."""

from __future__ import annotations

import re
from typing import Literal

from tasks.roster.signs import plain_number, visible

# Of Excel and LibreOffice in four languages. An error is no value: nobody is called #N/A.
_ERROR = re.compile(
    r"#(?:N/?A|N/?V|N/?D|¡?REF|BEZUG|¿?NAME|NOM|¿?NOMBRE|¡?VALUE|WERT|VALEUR|¡?VALOR|DIV/?0|¡?DIV/?0|NULL?|¡?NULO|"
    r"NUL|NUM|ZAHL|"
    r"NOMBRE|SPILL|ÜBERLAUF|CALC|GETTING_DATA|FIELD|BLOCKED|CONNECT|BUSY|UNKNOWN)[!?]?|Err:\d{3}",
    re.IGNORECASE,
)
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+E[+-]?\d+|E[+-]\d+)", re.IGNORECASE)
_WHOLE = re.compile(r"(\d+)[.,]0+")
_FORCED = re.compile(r"=\s*\"([^\"]*)\"")
_APOSTROPHES = "'’‘`´"

Spoiled = Literal["scientific", "error"]


def is_error(text: str) -> bool:
    """Whether the cell holds a spreadsheet's error and no value."""
    plain = text.strip()
    return plain[:1] in ("#", "E") and _ERROR.fullmatch(plain) is not None


def unforced(text: str) -> str:
    """`="000417"` is the usual way to keep noughts in a CSV: the text between the quotes. Anything else stays."""
    found = _FORCED.fullmatch(text)
    return found[1] if found else text


def read_number(text: str) -> tuple[str, Spoiled | None]:
    """An employee number in the form that is compared and kept, and what spoiled it.

    `1034.0` was 1034 before a program made decimals of it; `2.026E+09` may have been any of a thousand numbers.
    """
    if is_error(text):
        return "", "error"
    number = plain_number(text).lstrip(_APOSTROPHES).strip()
    if _SCIENTIFIC.fullmatch(number):
        return number, "scientific"
    whole = _WHOLE.fullmatch(number)
    return (whole[1] if whole else number), None


def read_text(text: str) -> str:
    """A name, title or department as it is shown: one line, no unseen signs, no error value."""
    return "" if is_error(text) else visible(text)
