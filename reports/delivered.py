"""What the last delivery changed, and what a delivery would change that stopped to ask: whose picture, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reports.data import ReportData
from reports.phrases import plain
from tasks.delivery.changes import say_why
from tasks.sentences import tell, tell_if_known


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
        found.append(_delivered(data, asks, tell("delivered.asks"), asks=True))
    if isinstance(made, Mapping) and made.get("at"):
        where = tell_if_known(f"delivered.to.{made.get('to')}", tell("delivered.elsewhere"))
        count = int(made.get("people") or 0)
        sentence = tell("delivered.made", count, files=plain(made.get("files")), where=where)
        found.append(_delivered(data, made, sentence, asks=False))
    return tuple(found)


def _delivered(data: ReportData, facts: Mapping[str, Any], sentence: str, *, asks: bool) -> DeliveryInWords:
    kinds = {"new": "new", "changed": "changed", "removed": "would_go" if asks else "removed"}
    lists = tuple(_changed(data, tell(f"delivered.{title}"), facts.get(key) or ()) for key, title in kinds.items())
    shown = tuple(one for one in lists if one.people or one.others)
    return DeliveryInWords(datetime.fromisoformat(str(facts["at"])), sentence, shown, asks)


def _changed(data: ReportData, title: str, rows: Any) -> Changed:
    names = {person.id: person.name for person in data.people}
    known = tuple((str(one), names[one], say_why(str(why)) if why else "") for one, why in rows if one in names)
    return Changed(title, known, len(rows) - len(known))
