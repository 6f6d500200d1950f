"""One person's forgetting while it is carried out, and what lies around the vault and must forget too."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlmodel import col, select

from tasks.retention.mentions import Mentioned
from tasks.retention.rows import mentions_of
from tasks.retention.rules import Rules
from tasks.retention.traces import Progress
from tasks.vault.records import Erasure
from tasks.vault.store import Vault

_T = TypeVar("_T")
GROUP = 100  # people per transaction: few enough to let others write in between, and a kill repeats little


@dataclass(frozen=True)
class Surroundings:
    """What lies around the vault and must forget too."""

    rules: Rules
    actor: str = "retention"
    # Writes one batch's report anew from the records; reports are not this room's to write.
    rewrite_report: Callable[[str], object] | None = None
    # Folders outside `home` to search for traces: Prefect's home, the temporary folder.
    search: tuple[Path, ...] = ()
    # Told how many bytes of how many were read, when searching takes more than a moment.
    progress: Progress | None = None


@dataclass
class Case:
    """One case while it is carried out."""

    id: str
    person: str
    mentioned: Mentioned
    evidence: dict[str, Any] = field(default_factory=dict)
    left: tuple[str, ...] | None = None  # where something of them was found; None when nobody looked


def in_groups(everything: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(everything), GROUP):
        yield everything[start : start + GROUP]


def load_cases(vault: Vault, ids: Sequence[str]) -> list[Case]:
    with vault.reading() as session:
        rows = [
            row
            for some in in_groups(ids)
            for row in session.exec(select(Erasure).where(col(Erasure.id).in_(some)).order_by(col(Erasure.id)))
        ]
        mentioned = mentions_of(session, [row.employee_id for row in rows])
    return [Case(row.id, row.employee_id, mentioned[row.employee_id], dict(row.evidence)) for row in rows]
