"""What the last delivery changed, and what a delivery would change that stopped to ask: whose picture, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reports.data import ReportData
from reports.phrases import plain
from tasks.delivery.changes import say_why


@dataclass(frozen=True)
class Changed:
    """One list: "New", "Another picture", "Removed"; of people of this batch by id and name, of others the number."""

    title: str
    people: tuple[tuple[str, str, str], ...]  # id, name, why
    others: int  # people of other batches, and forgotten ones


@dataclass(frozen=True)
class DeliveryInWords:
    """A delivery in words."""

    at: datetime
    sentence: str
    lists: tuple[Changed, ...]
    asks: bool  # it stopped, and waits for somebody to allow it


def deliveries(data: ReportData) -> tuple[DeliveryInWords, ...]:
    """The delivery that waits for an answer, if one does, and the last one that was made."""
    found = []
    asks, made = data.batch.facts.get("delivery_asks"), data.batch.facts.get("delivered")
    if isinstance(asks, Mapping) and asks.get("at"):
        sentence = (
            "A delivery stopped: it would take away more than a tenth of the files there. If that is meant, deliver "
            "once more and allow it."
        )
        found.append(_delivered(data, asks, sentence, asks=True))
    if isinstance(made, Mapping) and made.get("at"):
        where = {"folder": "a folder", "zip": "a ZIP file", "s3": "a bucket"}.get(str(made.get("to")), "its place")
        sentence = f"{plain(made.get('people'))} people in {plain(made.get('files'))} files, to {where}."
        found.append(_delivered(data, made, sentence, asks=False))
    return tuple(found)


def _delivered(data: ReportData, facts: Mapping[str, Any], sentence: str, *, asks: bool) -> DeliveryInWords:
    away = "Would be taken away" if asks else "Taken away"
    titles = (("new", "New"), ("changed", "Another picture than before"), ("removed", away))
    lists = tuple(_changed(data, title, facts.get(key) or ()) for key, title in titles)
    shown = tuple(one for one in lists if one.people or one.others)
    return DeliveryInWords(datetime.fromisoformat(str(facts["at"])), sentence, shown, asks)


def _changed(data: ReportData, title: str, rows: Any) -> Changed:
    names = {person.id: person.name for person in data.people}
    known = tuple((str(one), names[one], say_why(str(why)) if why else "") for one, why in rows if one in names)
    return Changed(title, known, len(rows) - len(known))
