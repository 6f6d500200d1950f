"""What decisions about people come to, kept person by person until something about that person has moved.

After one decision in a company of thousands one person's decisions and pictures are read, not everybody's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from tasks.vault.records import Consent, Decision, Employee, Headshot
from tasks.vault.review import Review, reviews_of

Marks = Mapping[str, tuple[Any, ...]]


@dataclass
class KeptReviews:
    """Reviews by kit and person. Of those who were decided about: everybody else is undecided."""

    _kept: dict[tuple[str, str], tuple[Any, Review]] = field(default_factory=dict)

    def of(self, session: Session, people: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Review]:
        """The review of each (kit, person) that was ever decided about."""
        marks = _marks(session)
        asked = [(kit, person) for kit, person in people if person in marks]
        kept = {one: self._kept[one] for one in asked if one in self._kept and self._kept[one][0] == marks[one[1]]}
        moved: defaultdict[str, list[str]] = defaultdict(list)
        for kit, person in asked:
            if (kit, person) not in kept:
                moved[kit].append(person)
        for kit, some in moved.items():
            found = reviews_of(session, dict.fromkeys(some, kit))
            kept |= {(kit, person): (marks[person], review) for person, review in found.items()}
        self._kept = kept  # whom nobody asks for any more is forgotten here, too
        return {one: review for one, (_, review) in kept.items()}


def _marks(session: Session) -> Marks:
    """Of everybody who was decided about: what changes whenever their review may."""
    decided = select(Decision.employee_id).distinct()
    found: defaultdict[str, tuple[Any, ...]] = defaultdict(tuple)
    count, gone, standing = sa.func.count(), col(Headshot.state) == "retired", col(Consent.withdrawn_at).is_(None)
    asked: tuple[tuple[Any, ...], ...] = (
        (Decision.employee_id, count, sa.func.max(Decision.at)),
        (Headshot.employee_id, count, sa.func.max(Headshot.created_at), sa.func.sum(sa.case((gone, 1), else_=0))),
        (Consent.employee_id, count, sa.func.sum(sa.case((standing, 1), else_=0)), sa.func.max(Consent.given_at)),
        (Employee.id, sa.func.max(Employee.identity)),
    )
    for place, (of, *what) in enumerate(asked):
        rows = session.execute(sa.select(of, *what).where(col(of).in_(decided)).group_by(col(of)))
        for person, *values in rows:
            found[person] = (*found[person], place, *map(str, values))
    return found
