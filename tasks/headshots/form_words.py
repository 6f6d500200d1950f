"""What Prefect's forms call kits and batches, and which one is meant by it. No person, no typed name: Prefect keeps it.

A kit is called by its title, a batch by its kit, its day and how many it holds. A batch's number stands at the end, so
that two of one day are told apart, and what is chosen leads back without a table.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session, col, select

from tasks.headshots.kit import sort_kits
from tasks.headshots.kit_sections import KIT_NAME
from tasks.vault.database import reading
from tasks.vault.records import Batch, Seat

LAST_REVIEWED = "The one that was reviewed last"
SHOWN = 40  # batches in a drop-down: older ones are found at the desk
NUMBER = "b[0-9a-f]{15}"


def kit_labels(folder: Path) -> dict[str, str]:
    """What each kit that can be used is called, by its title, and its name. Two of one title say their names too, and
    so does a title that could be a name: else a kit called `harbour` would be another one whose title is "harbour"."""
    sound, _ = sort_kits(folder)
    often = Counter(kit.title for kit in sound.values())
    alone = {name: often[kit.title] == 1 and not KIT_NAME.fullmatch(kit.title) for name, kit in sound.items()}
    return {kit.title if alone[name] else f"{kit.title} ({name})": name for name, kit in sound.items()}


def kit_meant(said: str, folder: Path) -> str:
    """The kit's name for what a form or a program says: its label, or its name already."""
    return kit_labels(folder).get(said, said)


def is_called(said: object, name: str, title: str) -> bool:
    """Whether a form or a program means this kit."""
    return said in (name, f"{title} ({name})") or (said == title and not KIT_NAME.fullmatch(title))


def batch_meant(said: str) -> str:
    """The batch's number in what a form or a program says; as it was said where there is none."""
    if said == LAST_REVIEWED:
        return ""
    found = re.fullmatch(rf"(?:.* · )?({NUMBER})", said)
    return found[1] if found else said


def batch_label(number: str, kit: str, created_at: datetime, people: int, zone: str) -> str:
    """`Northwind studio · 28 Nov 2026, 09:05 · 31 people · b0123456789abcde`."""
    return f"{made_of(kit, created_at, zone)} · {people} {'person' if people == 1 else 'people'} · {number}"


def made_of(kit: str, created_at: datetime, zone: str) -> str:
    """Kit and day of a batch."""
    local = created_at.astimezone(ZoneInfo(zone))
    return f"{kit} · {local.day} {local:%b %Y, %H:%M}"


def batch_labels(records: sa.Engine, kits: Mapping[str, str], zone: str) -> list[str]:
    """What the newest batches are called, the newest first; those that were put away are left out. `kits`: labels
    and names, as `kit_labels` finds them."""
    titles = {name: label for label, name in kits.items()}
    with reading(records) as connection, Session(connection) as session:
        rows: Sequence[Batch] = session.exec(select(Batch).order_by(col(Batch.created_at).desc())).all()
        shown = [row for row in rows if not row.facts.get("archived")][:SHOWN]
        count = sa.select(col(Seat.batch_id), sa.func.count()).group_by(col(Seat.batch_id))
        people = dict(tuple(row) for row in session.connection().execute(count))
    return [
        batch_label(row.id, titles.get(row.kit, row.kit), row.created_at, people.get(row.id, 0), zone) for row in shown
    ]


def batch_in_words(records: sa.Engine, number: str, kits: Path, zone: str) -> str:
    """Kit and day of one batch; its number alone where it is not on record."""
    titles = {name: label for label, name in kit_labels(kits).items()}
    with reading(records) as connection, Session(connection) as session:
        row = session.get(Batch, number)
        return made_of(titles.get(row.kit, row.kit), row.created_at, zone) if row is not None else number
