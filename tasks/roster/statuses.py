"""Reads a status cell and a last day of work. Whoever cannot be read safely waits: nobody is active by our ignorance.

The known word decides, whatever stands beside it: a code before, a reason behind, hours in brackets. A word of leaving
anywhere in a cell is never active; one beside a word of working is a question for HR.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import cache, lru_cache

from tasks.roster.columns import folded
from tasks.roster.dates import Days, is_never, is_no_day, read_days
from tasks.roster.rows import Status
from tasks.roster.status_words import (
    ACTIVE,
    AWAY,
    CODES,
    EMPLOYED,
    FORMERLY,
    LEFT,
    NOT,
    OPEN,
    SAP_CODES,
    UNTIL,
    UNTIL_DAY,
)

_CODE: dict[str, Status] = {code: status for status, codes in CODES.items() for code in codes}


@cache
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """Any of these words or phrases, longest first, as whole words; `*` stands for the rest of a word."""
    parts = sorted(
        (re.escape(word).replace(r"\*", r"\w*").replace(r"\ ", " ") for word in words), key=len, reverse=True
    )
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)")


def uses_sap_codes(cells: Iterable[str]) -> bool:
    """Whether a column holds SAP's figures 0 to 3, in which 1 is nobody at work."""
    filled = {cell.strip() for cell in cells if cell.strip()}
    return "3" in filled and filled <= SAP_CODES.keys()


@lru_cache(1024)  # a column of thousands holds a handful of words
def read_status(text: str, today: date | None = None, *, sap: bool = False) -> Status | None:
    """What a cell says; None where it is no word we know, or two that contradict each other.

    An empty status is an active person: most exports leave leavers out and have no such column.
    """
    words = folded(text)
    if not words:
        return "active" if not text.strip(" -–—/.") else None
    if sap and words in SAP_CODES:
        return SAP_CODES[words]
    if words in _CODE:
        return _CODE[words]
    if "?" in text or _pattern(OPEN).search(words):
        return None
    away = _pattern(AWAY).search(words)
    rest = _pattern(AWAY).sub(" ", words)  # `baja médica` is no `baja`, `garden leave` no leaving
    gone, working = _pattern(LEFT).search(rest), _pattern(ACTIVE).search(rest)
    if gone:
        both = working and not _is_part(gone, working) and not _pattern(FORMERLY).fullmatch(gone[0])
        return None if both or _is_denied(rest, gone) else "left"
    if away:
        return None if _is_denied(words, away) else "leave"
    found = working or _pattern(EMPLOYED).search(rest)
    if not found or _is_denied(rest, found):
        return None
    return _until(words, text, today)


def _is_part(gone: re.Match[str], working: re.Match[str]) -> bool:
    """`not active` holds `active`, and says one thing only."""
    return gone.start() <= working.start() and working.end() <= gone.end()


def _is_denied(words: str, found: re.Match[str]) -> bool:
    """`nicht gekündigt`, `pas encore actif`: a "not" before the word, within two words."""
    before = words[: found.start()].split()[-2:]
    return any(_pattern(NOT).fullmatch(word) for word in before)


def _until(words: str, text: str, today: date | None) -> Status | None:
    """Of `Active until 31.03.2026`: active while that day lies ahead, waiting where it cannot be read."""
    day_follows = re.search(rf"{_pattern(UNTIL_DAY).pattern} \d", words)
    if not _pattern(UNTIL).search(words) and not day_follows:
        return "active"
    spoken = re.search(r"\d.*", text)
    days = read_days(spoken[0].strip(" ()[].,;")) if spoken else None
    return judge_days(days, today)


def judge_days(days: Days | None, today: date | None) -> Status | None:
    """Left where every day it may be has passed, active where all of them lie ahead, else not to be told."""
    if days is None:
        return None
    if today is None or days.first >= today:
        return "active"
    return "left" if days.last < today else None


@lru_cache(1024)
def read_last_day(text: str, today: date | None) -> Status | None:
    """What a last day of work makes of somebody. Active where the cell says that there is none, or one far away."""
    if is_no_day(text) or is_never(text):
        return "active"
    days = read_days(text)
    if days is not None:
        return judge_days(days, today)
    return "left" if read_status(text) == "left" else None
