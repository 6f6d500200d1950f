"""What people write into cells: yes and no, glasses, addresses, names; in four languages.

Every reader returns None for what it does not know: the caller reports it instead of taking a guess about a person.
"""

from __future__ import annotations

import re

from tasks.roster.answers import read_answer
from tasks.roster.columns import folded
from tasks.roster.rows import Glasses, Status
from tasks.roster.signs import visible

_GLASSES: dict[Glasses, set[str]] = {
    "keep": {"", "keep", "as is", "as in photos", "as usual", "same", "either", "wie auf fotos", "egal", "behalten",
             "garder", "mantener", "no preference", "both"},
    "on": {"on", "yes", "y", "with", "with glasses", "mit", "ja", "mit brille", "avec", "oui", "con", "si", "true",
           "1"},
    "off": {"off", "no", "n", "without", "without glasses", "ohne", "nein", "ohne brille", "sans", "non", "sin",
            "false", "0", "none"},
}  # fmt: skip
# What may stand before the @ without quotes (RFC 5322), and a domain of at least two labels.
_EMAIL = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*@(?:[\w](?:[\w-]*[\w])?\.)+[\w][\w-]*[\w]")
_AROUND_EMAIL = re.compile(r"(?:mailto:)?([^?]*)(?:\?.*)?", re.IGNORECASE)
_SUFFIX = re.compile(r"\s*(\[[A-Z]\]|\((on leave|terminated|inactive|leave|\d+)\))\s*$", re.IGNORECASE)
_PARTICLES = {"de", "del", "della", "di", "da", "dos", "das", "do", "la", "las", "los", "le", "les", "el", "al",
              "van", "von", "der",
              "den", "ter", "ten", "zu", "zur", "vom", "af", "bin", "ben", "st", "san", "santa", "mc", "y",
              "e"}  # fmt: skip
_AFTER_COMMA = {"jr", "sr", "ii", "iii", "iv", "phd", "md", "dr", "mba", "esq", "cpa", "msc", "bsc"}


def yes_or_no(value: str) -> bool | None:
    """True, False, or None for empty and for what is neither: `yes?` is neither."""
    answer = read_answer(value)
    return None if answer is None else answer == "yes"


def read_glasses(value: str) -> Glasses | None:
    word = folded(value)
    return next((choice for choice, words in _GLASSES.items() if word in words), None)


def read_wardrobe(value: str) -> str | None:
    """HR's choice in plain lower-case words. Which choices exist is the brand kit's business."""
    return " ".join(value.lower().split())[:40] or None


def is_email(value: str) -> bool:
    return len(value) <= 254 and _EMAIL.fullmatch(value) is not None


def read_email(value: str) -> str:
    """The address in a cell: without a name around it, a mail program's link, or quotes. "" where none is in it."""
    text = visible(value).replace("’", "'")
    inside = re.fullmatch(r"[^<>]*<\s*([^<>]+?)\s*>[\s;,.]*", text)
    text = inside[1] if inside else text
    linked = re.fullmatch(r"\[?([^\[\]]+)\]?\s?\((mailto:[^()]+)\)", text)  # as chats and wikis write a link
    text = linked[2] if linked else text
    text = (_AROUND_EMAIL.fullmatch(text) or [text, text])[1].strip("\"' ;,") if "mailto:" in text.lower() else text
    text = text.strip('"; ,')
    return text if is_email(text) else ""


def tidy_name(value: str) -> tuple[str, Status | None]:
    """Workday hangs ` (On Leave)` and ` [C]` behind names, ADP writes `Last, First`. Returns name and status."""
    status: Status | None = None
    name = " ".join(value.split())
    while found := _SUFFIX.search(name):
        word = (found.group(2) or "").lower()
        status = "leave" if "leave" in word else "left" if word in {"terminated", "inactive"} else status
        name = name[: found.start()]
    return _turned(name), status


def turn_name(value: str, *, last_stands_first: bool) -> tuple[str, Status | None]:
    """A column for both names, in the order its header says: `Okonkwo, Adaeze`, or `DUPONT Jean` under "Nom Prénom"."""
    status = tidy_name(value)[1]
    name = _without_marks(value)
    if "," in name:
        parts = [part.strip() for part in name.split(",") if part.strip()]
        return (_turned(name) if last_stands_first else " ".join(parts)), status
    words = name.split()
    return (" ".join(_last_behind(words)) if last_stands_first and len(words) > 1 else name), status


def _without_marks(value: str) -> str:
    name = " ".join(value.split())
    while found := _SUFFIX.search(name):
        name = name[: found.start()]
    return name


def _turned(name: str) -> str:
    """`Doe, Jane`, `Doe,Jane` and `Doe, Jr., Jane` with the first name first; `Jane Doe, PhD` as it is."""
    parts = [part.strip() for part in name.split(",")]
    names = [part for part in parts if part and part.rstrip(".").lower().replace(".", "") not in _AFTER_COMMA]
    if len(names) != 2 or names != [part for part in parts if part in names]:
        return name
    behind = [part for part in parts if part and part not in names]
    return " ".join([names[1], names[0], *behind])


def _last_behind(words: list[str]) -> list[str]:
    """The family name behind: all words in capitals, or the first word with the particles before it."""
    capitals = [i for i, word in enumerate(words) if word.isupper() and len(word) > 1]
    end = 1
    if capitals and capitals[0] == 0 and len(capitals) < len(words):
        while end < len(words) and (words[end].isupper() or words[end].lower() in _PARTICLES):
            end += 1
    else:
        while end < len(words) - 1 and words[end - 1].lower() in _PARTICLES:
            end += 1
    return [*words[end:], *words[:end]]
