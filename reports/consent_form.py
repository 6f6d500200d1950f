"""The consent form that people are asked with: one page to print or send, in four languages.

It says what really happens: how long what is kept comes from the retention rules in force, so that the form and the
sweep cannot differ. Its text version changes whenever a word or a duration does, and belongs into the register beside
the answer.
"""

import tomllib
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from reports.site import render
from tasks.retention.rules import Rules

TEXTS = Path(__file__).parent / "consent_texts"
LANGUAGES = {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español"}
_HOURS = {"year": 365 * 24, "week": 7 * 24, "day": 24, "hour": 1}


def consent_form(rules: Rules, language: str) -> str:
    """The form as one self-contained page. Raises KeyError for a language that it is not written in."""
    if language not in LANGUAGES:
        raise KeyError(language)
    text = tomllib.loads((TEXTS / f"{language}.toml").read_text(encoding="utf-8"))
    spans = {name: say_in(text["units"], length) for name, length in rules.keep.model_dump().items()}
    filled = {
        **spans,
        "company": rules.company.name or text["company_unnamed"],
        "contact": rules.company.contact or text["contact_unnamed"],
        "version": text_version(rules, language),
    }
    return render("consent_form.html", language=language, text=_filled(text, filled))


def text_version(rules: Rules, language: str) -> str:
    """`de-3f2a91c0`: which words and which durations somebody agreed to."""
    content = (TEXTS / f"{language}.toml").read_bytes() + rules.keep.model_dump_json().encode()
    return f"{language}-{sha256(content).hexdigest()[:8]}"


def say_in(units: dict[str, list[str]], length: timedelta) -> str:
    """A duration in a language's own words, in the largest unit that fits."""
    hours = round(length.total_seconds() / 3600)
    for unit, size in _HOURS.items():
        count, rest = divmod(hours, size)
        if count and not rest:
            one, many = units[unit]
            return one if count == 1 else many.format(n=count)
    return units["hour"][1].format(n=0)


def _filled(value: Any, filled: dict[str, str]) -> Any:
    """Every sentence with its braces filled in; what belongs to units stays."""
    if isinstance(value, str):
        return value.format(**filled)
    if isinstance(value, list):
        return [_filled(one, filled) for one in value]
    return {key: _filled(one, filled) for key, one in value.items() if key != "units"}
