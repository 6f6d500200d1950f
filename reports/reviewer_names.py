"""What a reviewer calls themselves, without signs that nobody sees and that turn the words around them.

A name stands in cookies, records, pages and terminals. Control signs would command a terminal, direction marks would
turn the rest of a line; letters of every script stay, and so do the two joiners that Persian and Indian names need.
"""

import unicodedata

LENGTH = 80  # signs that fit beside a decision
_JOINERS = "\u200c\u200d"


def plain_name(text: str) -> str:
    """The name on one line, at most LENGTH signs; empty when nothing of it can be shown."""
    seen = "".join(sign if _is_shown(sign) else " " for sign in unicodedata.normalize("NFC", text))
    return " ".join(seen.split()).strip(_JOINERS)[:LENGTH].strip()


def plain_note(text: str) -> str:
    """The same for a note, which may have lines."""
    return "".join(sign for sign in text if sign in "\n\t" or _is_shown(sign) or sign.isspace()).strip()


def _is_shown(sign: str) -> bool:
    """No controls, formats (direction marks among them), halves of signs, private signs, line or paragraph ends."""
    return sign in _JOINERS or unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
