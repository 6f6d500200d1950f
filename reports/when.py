"""Moments and spans as the desk says them: in the company's time zone, without what everybody knows anyhow."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tasks.sentences import say_date, tell


def day(moment: datetime, zone: str, now: datetime) -> str:
    """ "today", "tomorrow", "yesterday", or "28 November", with the year where it is another one."""
    local, today = moment.astimezone(ZoneInfo(zone)).date(), now.astimezone(ZoneInfo(zone)).date()
    near = {0: "when.today", 1: "when.tomorrow", -1: "when.yesterday"}.get((local - today).days)
    if near:
        return tell(near)
    return say_date(local, year=local.year != today.year)


def clock(moment: datetime, zone: str) -> str:
    """The time of day, as the company's clocks show it."""
    return f"{moment.astimezone(ZoneInfo(zone)):%H:%M}"


def at(moment: datetime, zone: str, now: datetime) -> str:
    """Day and time: "today, 14:05"."""
    return f"{day(moment, zone, now)}, {clock(moment, zone)}"


def span(length: timedelta) -> str:
    """A length of time, roughly: "about 12 minutes"."""
    minutes = length.total_seconds() / 60
    if minutes < 1:
        return tell("when.under_a_minute")
    if minutes < 90:
        return tell("when.minutes", round(minutes))
    if minutes < 48 * 60:
        return tell("when.hours", round(minutes / 60))
    return tell("when.days", round(minutes / 60 / 24))
