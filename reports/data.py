"""What a report knows: plain frozen values, with nothing of the database above them and nothing of HTML below.

`gather` fills them from the vault, tests and the README's picture fill them by hand, `pages` turns them into page
models. Pictures are not carried along: a report of 2,000 people would hold gigabytes. `ReportData.pictures` opens one
when its page is written, and answers None when the person's consent no longer allows it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tasks.vault.review import UNDECIDED, Review

# (employee id, blob key) -> encoded picture, or None when it may not be read any more.
PictureSource = Callable[[str, str], bytes | None]


@dataclass(frozen=True)
class FindingRow:
    """One thing that was found about a photo or a person: code, number, limit, and a sentence for the employee."""

    code: str
    measured: str = ""
    limit: str = ""
    sentence: str = ""
    severity: str = "warn"  # block | reject | warn


@dataclass(frozen=True)
class SelfieRow:
    digest: str
    key: str
    width: int
    height: int
    accepted: bool = True
    findings: tuple[FindingRow, ...] = ()
    small: str = ""  # key of the copy in the size of pages, where there may be one


@dataclass(frozen=True)
class HeadshotRow:
    digest: str
    key: str
    scores: Mapping[str, Any] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    choice: int | None = None  # 1 = the one we would take
    why: str = ""
    state: str = "candidate"  # candidate | approved | rejected | retired
    lane: str = "generated"  # generated | faithful
    kit: str = ""
    shot: int = 0
    round: int = 0  # of asking for pictures: 0 is the first
    seed: int = 0
    created_at: datetime | None = None
    thumb: str = ""  # keys of the copies in the sizes of pages, where there are some
    large: str = ""


@dataclass(frozen=True)
class DecisionRow:
    verdict: str  # approve | reject | redo | opt_out | undo
    by: str
    at: datetime
    headshot: str | None = None
    note: str = ""
    reasons: tuple[str, ...] = ()  # of a redo


@dataclass(frozen=True)
class AdapterRow:
    steps: int
    photos: int
    few_photos: bool
    seconds: float
    loss_first: float | None = None
    loss_last: float | None = None


@dataclass(frozen=True)
class PersonRow:
    """One seat of the batch: everybody on the roster has exactly one."""

    id: str
    number: str
    name: str
    title: str = ""
    department: str = ""
    email: str = ""
    state: str = "ready"  # the seat's: ready | blocked | trained | rendered | done | failed | flagged
    reason: str | None = None
    cause: str | None = None  # of a failure: the class of what broke
    kit: str = ""  # where it is another one than the batch's
    findings: tuple[FindingRow, ...] = ()
    cohort: int | None = None
    position: int = 0
    selfies: tuple[SelfieRow, ...] = ()
    headshots: tuple[HeadshotRow, ...] = ()
    decisions: tuple[DecisionRow, ...] = ()  # oldest first, undone ones too: the history
    review: Review = UNDECIDED  # what they come to
    adapter: AdapterRow | None = None
    viewable: bool = True  # False when consent no longer covers showing their pictures


@dataclass(frozen=True)
class BatchRow:
    id: str
    created_at: datetime
    kit: str
    quality: str
    base: str
    state: str = "done"
    reasons: tuple[str, ...] = ()  # what a redo may ask for under this kit and base
    kit_title: str = ""  # the kit's own words for itself; its name when it is no longer there
    facts: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class ReportData:
    batch: BatchRow
    people: tuple[PersonRow, ...]
    made_at: datetime
    pictures: PictureSource
    late: str = ""  # that the nightly forgetting is late, in a sentence; every run's page says so in red
    erased: int = 0  # people of this batch who have been forgotten since: a number is all that is left of them
    forgotten_rows: tuple[str, ...] = ()  # lines of the roster that still list somebody who was forgotten
