"""A company's retention rules: one TOML file, checked down to each key, with defaults for what it leaves out.

Durations are written as people say them. What cannot be meant (a negative time, "selfies for 40 years") is refused
with the key's name and the limit, because a typing mistake here deletes a company or keeps faces for ever.
"""

import re
import tomllib
from datetime import date, timedelta
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from tasks.failures import RollcallError
from tasks.sentences import tell

_DEFAULTS = Path(__file__).parent / "defaults.toml"
_UNITS = {"hour": 1, "day": 24, "week": 7 * 24, "month": 30 * 24, "year": 365 * 24}
_DURATION = re.compile(r"\s*(\d+)\s*(hour|day|week|month|year)s?\s*")


class BadRules(RollcallError):
    """The rules cannot be meant; the message names the file, the key and what would do."""


def parse_duration(text: object) -> timedelta:
    """ "7 days" as a timedelta. Months have 30 days and years 365: a rule should not depend on the calendar."""
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f'{text!r} is not a duration; write "36 hours", "7 days", "2 weeks", "6 months" or "1 year"')
    return timedelta(hours=int(match[1]) * _UNITS[match[2]])


def say_duration(length: timedelta) -> str:
    """The duration in words, in the largest unit that fits."""
    hours = round(length.total_seconds() / 3600)
    for unit in ("year", "week", "day", "hour"):
        count, rest = divmod(hours, _UNITS[unit])
        if rest == 0 and count:
            return tell(f"kept.{unit}", count, count=count)
    return tell("kept.no_time")


# The shortest and longest each duration can sensibly be.
_SPANS = {
    "selfies_after_approval": ("0 days", "1 year"),
    "selfies_at_latest": ("1 day", "1 year"),
    "rejected_pictures": ("0 days", "1 year"),
    "undecided_pictures": ("1 day", "1 year"),
    "after_leaving": ("0 days", "1 year"),
    "after_withdrawal": ("0 days", "14 days"),
    "unfinished_work": ("12 hours", "30 days"),
    "batch_records": ("30 days", "10 years"),
    "proof": ("1 year", "30 years"),
}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Company(_Section):
    name: str = ""
    contact: str = ""


class Keep(_Section):
    """How long what is kept; the TOML says what each means."""

    selfies_after_approval: timedelta
    selfies_at_latest: timedelta
    rejected_pictures: timedelta
    undecided_pictures: timedelta
    after_leaving: timedelta
    after_withdrawal: timedelta
    unfinished_work: timedelta
    batch_records: timedelta
    proof: timedelta

    @field_validator("*", mode="before")
    @classmethod
    def _spelled_out(cls, value: object, info: ValidationInfo) -> timedelta:
        least, most = _SPANS[str(info.field_name)]
        found = parse_duration(value)
        if not parse_duration(least) <= found <= parse_duration(most):
            raise ValueError(f"{value!r} is outside {least} to {most}")
        return found

    @model_validator(mode="after")
    def _approval_shortens(self) -> "Keep":
        if self.selfies_after_approval > self.selfies_at_latest:
            raise ValueError("selfies_after_approval is longer than selfies_at_latest, so it would never apply")
        return self


class MassLimits(_Section):
    people_at_least: int = Field(25, ge=1)
    people_share: float = Field(0.2, gt=0, le=1)


class StandingHold(_Section):
    """Nothing about this person goes while the hold stands."""

    person: str = Field(pattern=r"^p[0-9a-z]+$")
    reason: str = Field(min_length=3)
    until: date | None = None


class Rules(_Section):
    """Everything a sweep needs to know. Frozen; `digest` names exactly these rules."""

    company: Company = Company()
    keep: Keep
    limits: MassLimits = MassLimits()
    hold: tuple[StandingHold, ...] = ()

    @cached_property
    def digest(self) -> str:
        """Changes whenever a duration or a limit does; holds and names do not count."""
        return sha256(f"{self.keep.model_dump_json()}|{self.limits.model_dump_json()}".encode()).hexdigest()[:16]


def rules_or_built_in(path: Path | None) -> tuple[Rules, BadRules | None]:
    """The company's rules; or the built-in ones and why: who asks to be forgotten does not wait for a mended file."""
    try:
        return load_rules(path), None
    except BadRules as fault:
        return load_rules(), fault


def load_rules(path: Path | None = None) -> Rules:
    """The company's rules over the built-in ones; BadRules names whatever cannot be meant."""
    merged = tomllib.loads(_DEFAULTS.read_text(encoding="utf-8"))
    name = "the built-in rules"
    if path is not None:
        name = path.name
        try:
            own = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except UnicodeDecodeError as error:
            raise BadRules(
                f"{name}: not written in UTF-8 (Windows Notepad calls its own encoding ANSI): save it again as UTF-8"
            ) from error
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise BadRules(f"{name}: {error}") from error
        for section, value in own.items():
            both = isinstance(value, dict) and isinstance(merged.get(section), dict)
            merged[section] = {**merged[section], **value} if both else value
    try:
        return Rules.model_validate(merged)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise BadRules(f"{name}: " + "; ".join(lines)) from error
