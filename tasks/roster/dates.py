"""Reads days as people and systems write them, in four languages, and admits when a day may be two.

`06/07/2026` is the sixth of July or the seventh of June; nothing in the cell says which. So what is read is a span:
from the earliest to the latest day that the cell may mean. Whoever asks decides what a doubt is worth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from tasks.roster.columns import folded
from tasks.roster.signs import visible

# fmt: off
_MONTHS: dict[int, str] = {  # folded: without accents; short forms as calendars and spreadsheets write them
    1: "january jan januar janner janvier janv enero ene",
    2: "february feb februar feber fevrier fevr fev febrero febr",
    3: "march mar marz maerz mrz mars marzo",
    4: "april apr avril avr abril abr",
    5: "may mai mayo",
    6: "june jun juni juin junio",
    7: "july jul juli juillet juil julio",
    8: "august aug aout agosto ago",
    9: "september sept sep septembre septiembre setiembre set",
    10: "october oct oktober okt octobre octubre",
    11: "november nov novembre noviembre",
    12: "december dec dezember dez decembre diciembre dic",
}
_MONTH_OF = {name: number for number, names in _MONTHS.items() for name in names.split()}
# Words that stand around a day and say nothing about which day it is.
_AROUND = frozenset(
    ["the", "of", "on", "at", "as", "per", "to", "until", "till", "by", "st", "nd", "rd", "th", "am", "zum",
     "den", "bis", "der", "ab", "le", "du", "au", "jusqu", "er", "el", "de", "del", "al", "hasta", "dia",
     "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "mon", "tue", "tues", "wed",
     "thu", "thur", "fri", "sat", "sun", "montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag",
     "sonnabend", "sonntag", "mo", "di", "mi", "do", "fr", "sa", "so", "lundi", "mardi", "mercredi", "jeudi",
     "vendredi", "samedi", "dimanche", "lun", "mar", "mer", "jeu", "ven", "sam", "dim", "lunes", "martes",
     "miercoles", "jueves", "viernes", "sabado", "domingo", "mie", "jue", "vie", "sab", "dom"]
)
_LIMITS = frozenset(["until", "till", "to", "by", "bis", "ab", "jusqu", "au",
                     "hasta"])  # a bound, not the day something happened
# What stands in a column of last days when there is none.
_NO_DAY = frozenset({
    "", "n a", "na", "none", "null", "nan", "nil", "open", "open ended", "indefinite", "permanent", "unlimited",
    "present",
    "current", "ongoing", "not applicable", "unbefristet", "offen", "keine", "keins", "kein", "entfallt", "unbegrenzt",
    "cdi", "indetermine", "duree indeterminee", "indeterminee", "sans objet", "aucune", "aucun", "neant", "en cours",
    "indefinido", "indefinida", "ninguna", "ninguno", "no aplica", "sin fecha", "vigente", "actual",
})
# fmt: on
_CLOCK = re.compile(
    r"[\sT,]+(?:(?:um|at|a|à|a las)\s+)?\d{1,2}\s?[:.h]\s?\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?\s*(?:uhr|h)?\s*"
    r"(?:[ap]\.?\s?m\.?)?\s*(?:z|utc|gmt)?\s*(?:[+-]\d{1,2}(?::?\d{2})?)?\s*$",
    re.IGNORECASE,
)
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*|Z|[+-]\d{2}:?\d{2})?")
_DAY_ZERO = date(1899, 12, 30)  # of a spreadsheet's count
_FIRST_YEAR, _LAST_COUNT = 1950, 2_958_465  # 31 December 9999


@dataclass(frozen=True)
class Days:
    """The days a cell may mean; one day when `first` and `last` are the same."""

    first: date
    last: date

    @property
    def certain(self) -> bool:
        return self.first == self.last


@lru_cache(4096)  # whole columns hold one day
def read_days(text: str) -> Days | None:
    """The day in a cell, or the span of days it may mean; None where no day can be read."""
    found = sorted(set(_days_in(visible(text))))
    return Days(found[0], found[-1]) if found else None


@lru_cache(4096)
def is_no_day(text: str) -> bool:
    """Whether the cell says that there is no such day: nothing, a dash, zeros, a spreadsheet's day nought."""
    words = folded(visible(text))
    if words in _NO_DAY:
        return bool(words) or not visible(text).strip("-–—/. ")  # `???` is no word, and no nothing
    digits = re.sub(r"\D", "", _CLOCK.sub("", visible(text)))
    return digits != "" and not re.search(r"[^\W\d_]", words) and (
        not digits.strip("0") or digits in {"19000100", "00011900", "18991230", "30121899", "18991231", "31121899",
                                            "00010101", "01010001"}
    )  # fmt: skip


def is_never(text: str) -> bool:
    """Whether the cell holds a day of nines, as some systems write for "no end"."""
    return re.fullmatch(r"9{2,4}\D?9{2}\D?9{2,4}", visible(text)) is not None


def has_clock(text: str) -> bool:
    """Whether a time of day stands behind the day, as in a form's time stamp."""
    return _CLOCK.search(visible(text)) is not None


@lru_cache(4096)
def read_moment(value: str) -> datetime | None:
    """A day that can only mean one, with its time where one is written, in UTC where the cell names no zone. `bis
    31.03.2026` is a bound and no such day."""
    text = visible(value)
    if _LIMITS & set(folded(text).split()):
        return None
    try:
        found = datetime.fromisoformat(text.removesuffix("Z"))
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except ValueError:
        days = read_days(text)
    if days is None or not days.certain or days.first.year < _FIRST_YEAR:
        return None
    return datetime.combine(days.first, _time_in(text), tzinfo=UTC)


def _time_in(text: str) -> time:
    found = re.search(r"(\d{1,2})[:h](\d{2})(?::(\d{2}))?\s*([ap])?", text, re.IGNORECASE)
    if not found:
        return time()
    hour = int(found[1]) % 12 + (12 if found[4].lower() == "p" else 0) if found[4] else int(found[1])
    try:
        return time(hour, int(found[2]), int(found[3] or 0))
    except ValueError:
        return time()


def _days_in(text: str) -> Iterator[date]:
    iso = _ISO.fullmatch(text)
    if iso:
        yield from _possible(int(iso[1]), int(iso[2]), int(iso[3]))
        return
    bare = _without_company(_CLOCK.sub("", text).strip()).rstrip(".")
    count = re.fullmatch(r"(\d{5,7})(?:[.,]\d+)?", bare)
    if count and (len(count[1]) != 6 or "." in bare) and 20_000 <= int(count[1]) <= _LAST_COUNT:
        yield _DAY_ZERO + timedelta(days=int(count[1]))
        return
    digits = re.fullmatch(r"\d{8}|\d{6}", bare)
    if digits:
        yield from _without_signs(bare)
        return
    parts = re.fullmatch(r"(\d{1,4})\s?([./-]|\s)\s?(\d{1,2})\s?\2\s?(\d{1,4})", bare)
    if parts:
        yield from _with_signs(parts[1], parts[3], parts[4], parts[2])
        return
    month_only = re.fullmatch(r"(\d{1,2})\s?[./-]\s?(\d{4})|(\d{4})\s?[./-]\s?(\d{1,2})", bare)
    if month_only:
        yield from _month(int(month_only[2] or month_only[3]), int(month_only[1] or month_only[4]))
        return
    yield from _with_a_name(bare)


def _without_company(text: str) -> str:
    """`Di, 31.03.2026` and `zum 31.03.2026` without what stands around the day; as it is where other words do."""
    words = re.findall(r"[^\W\d_]+", text)
    if not words or any(folded(word) not in _AROUND or folded(word) in _MONTH_OF for word in words):
        return text
    return " ".join(re.sub(r"[^\W\d_]+\.?,?", " ", text).split())


def _possible(year: int, month: int, day: int) -> Iterator[date]:
    """That day if there is one, and if somebody may have left or agreed on it."""
    if year >= _FIRST_YEAR and 1 <= month <= 12 and 1 <= day <= 31:
        try:
            yield date(year, month, day)
        except ValueError:  # 31 April: no day
            return


def _years(text: str) -> tuple[int, ...]:
    """A year of two digits is of this century; from 70 on it may be of the last one too."""
    if len(text) == 4:
        return (int(text),)
    if len(text) != 2:
        return ()
    return (2000 + int(text),) if int(text) < 70 else (1900 + int(text), 2000 + int(text))


def _with_signs(first: str, middle: str, last: str, sign: str) -> Iterator[date]:
    if len(first) == 4:
        yield from _possible(int(first), int(middle), int(last))
        return
    for year in _years(last):
        yield from _possible(year, int(middle), int(first))
        if sign != ".":  # with dots the day stands first wherever dots are written
            yield from _possible(year, int(first), int(middle))
    # 26-03-31 may be the ISO order with half a year; 31-03-26 is not, while years like 26 are what is written today.
    if sign in ("-", "") and len(last) == 2 and first[0] == "2" and len(first) == 2 and last[0] != "2":
        yield from _possible(2000 + int(first), int(middle), int(last))


def _without_signs(digits: str) -> Iterator[date]:
    whole = list(_possible(int(digits[:4]), int(digits[4:6]), int(digits[6:]))) if len(digits) == 8 else []
    yield from whole or _with_signs(digits[:2], digits[2:4], digits[4:], "")


def _month(year: int, month: int) -> Iterator[date]:
    """The first and the last day of a month of which no day is named."""
    for first in _possible(year, month, 1):
        yield first
        after = date(year + month // 12, month % 12 + 1, 1) if (year, month) != (9999, 12) else date.max
        yield after - timedelta(days=1) if after != date.max else after


def _with_a_name(text: str) -> Iterator[date]:
    words = re.findall(r"\d+|[^\W\d_]+", folded(text))
    months = [word for word in words if word in _MONTH_OF]
    if len(months) > 1:  # `mar` is Tuesday in French and Spanish, `mars 2026` and `mar. 3 mars`
        months = [word for word in months if word not in _AROUND] or months
    figures = [word for word in words if word.isdigit()]
    strange = [word for word in words if not word.isdigit() and word not in _MONTH_OF and word not in _AROUND]
    if len(set(months)) != 1 or strange or not 1 <= len(figures) <= 2:
        return
    month = _MONTH_OF[months[0]]
    if len(figures) == 1:
        for year in _years(figures[0]) if len(figures[0]) == 4 else ():
            yield from _month(year, month)
        return
    day, year_text = figures if len(figures[0]) <= 2 else figures[::-1]
    if len(day) <= 2:
        for year in _years(year_text):
            yield from _possible(year, month, int(day))
