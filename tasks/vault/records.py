"""The stored nouns, one table each, without relationships: a row says what it knows and ids say the rest.

`Employee` is the only table that holds a name, an e-mail or a number from the roster; everything else carries the
opaque id. That is what lets erasure empty one row and leave the books balanced. JSON columns hold codes and numbers;
assign a new value to change one (changes inside are not noticed).
"""

from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

Json = sa.JSON().with_variant(JSONB(), "postgresql")


class Moment(sa.TypeDecorator[datetime]):
    """An instant in UTC. SQLite forgets time zones, so they are refused on the way in and restored on the way out."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored moment needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def new_id(letter: str) -> str:
    """An opaque id: a letter that says what it is, and 60 random bits that say nothing."""
    return letter + token_hex(8)[:15]


class Batch(SQLModel, table=True):
    """One run of the main job: which drop, under which kit, at which quality."""

    id: str = Field(primary_key=True)
    created_at: datetime = Field(sa_type=Moment)
    drop: str
    kit: str
    quality: str
    base: str
    state: str = "new"
    roster_digest: str = ""
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    problems: list[Any] = Field(default_factory=list, sa_type=Json)


class Employee(SQLModel, table=True):
    """One person. `state` and `epoch` are the fence: work begun under an older epoch may write nothing more."""

    id: str = Field(primary_key=True)
    number: str = Field(unique=True)
    name: str = ""
    email: str = ""
    department: str = ""
    title: str = ""
    status: str = "active"  # active | leave | left, as the roster says
    wardrobe: str | None = None
    glasses: str = "keep"  # keep | on | off
    generation: bool = True
    state: str = Field("active", index=True)  # active | erasing | erased
    epoch: int = 0
    updated_at: datetime = Field(sa_type=Moment)


class Seat(SQLModel, table=True):
    """One person in one batch. Everybody on the roster has exactly one, whatever becomes of them."""

    batch_id: str = Field(primary_key=True)
    employee_id: str = Field(primary_key=True, index=True)
    state: str  # ready | blocked | trained | rendered | done | failed | flagged
    reason: str | None = None
    detail: list[Any] | dict[str, Any] = Field(default_factory=list, sa_type=Json)
    cohort: int | None = None
    position: int = 0


class Consent(SQLModel, table=True):
    """Somebody agreed to one purpose, to one wording, at one time; and perhaps took it back."""

    id: str = Field(primary_key=True)
    employee_id: str = Field(index=True)
    purpose: str = "headshot"
    text_version: str = ""
    given_at: datetime = Field(sa_type=Moment)
    withdrawn_at: datetime | None = Field(None, sa_type=Moment)
    source: str = ""


class Selfie(SQLModel, table=True):
    """One photo that came in, and what was found in it. The file's own name is never kept."""

    id: str = Field(primary_key=True)
    employee_id: str = Field(index=True)
    digest: str = Field(index=True)
    blob_key: str
    width: int
    height: int
    accepted: bool = True
    findings: list[Any] = Field(default_factory=list, sa_type=Json)
    order: int = 0
    created_at: datetime = Field(sa_type=Moment)


class Adapter(SQLModel, table=True):
    """What was learnt about one face: it is that person's data, on the same clock as the selfies."""

    digest: str = Field(primary_key=True)
    employee_id: str = Field(index=True)
    base: str
    base_fingerprint: str
    plan: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    blob_key: str
    steps: int = 0
    photos: int = 0
    few_photos: bool = False
    loss_first: float | None = None
    loss_last: float | None = None
    seconds: float = 0.0
    created_at: datetime = Field(sa_type=Moment)


class Headshot(SQLModel, table=True):
    """One candidate picture, with its scores and, once chosen, its place in the order."""

    digest: str = Field(primary_key=True)
    employee_id: str = Field(index=True)
    batch_id: str = Field(index=True)
    adapter_digest: str | None = None
    kit: str
    kit_digest: str
    shot: int
    seed: int = Field(sa_type=sa.BigInteger)
    lane: str = "generated"  # generated | faithful
    original_key: str = ""
    finished_key: str = ""
    thumb_key: str = ""
    scores: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    flags: list[Any] = Field(default_factory=list, sa_type=Json)
    choice: int | None = None  # 1 = shown first
    why: str = ""
    state: str = "candidate"  # candidate | approved | rejected | retired
    created_at: datetime = Field(sa_type=Moment)


class Decision(SQLModel, table=True):
    """What a reviewer decided about one person or one picture; decisions are added, never edited."""

    id: str = Field(primary_key=True)
    employee_id: str = Field(index=True)
    headshot_digest: str | None = None
    batch_id: str = Field(index=True)
    verdict: str  # approve | reject | redo | opt_out
    by: str
    at: datetime = Field(sa_type=Moment)
    note: str = ""


class Artifact(SQLModel, table=True):
    """The intent to write one blob, recorded before its first byte: a crash leaves a row without a blob at worst."""

    key: str = Field(primary_key=True)
    employee_id: str = Field(index=True)
    kind: str
    epoch: int
    created_at: datetime = Field(sa_type=Moment)


class Erasure(SQLModel, table=True):
    """One case of forgetting and how far it has come, so that any process can carry it on. Ids and counts only."""

    id: str = Field(primary_key=True)
    employee_id: str = Field(index=True)
    scope: str = "person"  # person | items
    reason: str
    state: str = Field("intended", index=True)  # intended | fenced | swept | provisional | blocked | final
    due_at: datetime = Field(sa_type=Moment)
    started_at: datetime = Field(sa_type=Moment)
    fenced_at: datetime | None = Field(None, sa_type=Moment)
    resweep_at: datetime | None = Field(None, sa_type=Moment)
    finished_at: datetime | None = Field(None, sa_type=Moment)
    evidence: dict[str, Any] = Field(default_factory=dict, sa_type=Json)


class Installation(SQLModel, table=True):
    """What these records know of the house they belong to: which keys they were written with."""

    name: str = Field(primary_key=True)  # keyring | master | keys
    value: str


class AuditEntry(SQLModel, table=True):
    """One link of the hash chain. Written only by `tasks.vault.audit_log`."""

    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=Moment)
    actor: str
    action: str
    subject: str
    object: str = ""
    result: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    previous: str
    hash: str
