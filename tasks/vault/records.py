"""The stored nouns, one table each, without relationships: a row says what it knows and ids say the rest.

`Employee`, and `EarlierName` for what somebody was called before, are the only tables that hold a name, an e-mail or a
number from the roster; everything else carries the opaque id. That is what lets erasure empty one row and leave the
books balanced. JSON columns hold codes and numbers; assign a new value to change one (changes inside are not noticed).
"""

from datetime import UTC, date, datetime
from secrets import token_hex
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from tasks.vault.seats import Lane, State

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
    """One run of the main job: which drop, under which kit, at which quality. Its id is given once and says nothing.

    `order_key` finds it again: the same order of the same drop is the same batch, whatever was corrected in the drop.
    The lease says which run is making it, and until when that run is believed to be alive.
    """

    id: str = Field(primary_key=True)
    order_key: str = Field(unique=True)
    version: int = 0  # of the drop: the newest `DropVersion` that was taken in
    created_at: datetime = Field(sa_type=Moment)
    drop: str
    kit: str
    quality: str
    base: str
    state: str = "new"
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    problems: list[Any] = Field(default_factory=list, sa_type=Json)
    lease_holder: str = ""  # the run; empty when nobody is making it
    lease_process: str = ""  # host, process and its start, so that a dead one on this machine is told at once
    lease_until: datetime | None = Field(default=None, sa_type=Moment)


class DropVersion(SQLModel, table=True):
    """One state of a batch's roster and consents as they were taken in; a corrected drop adds one."""

    batch_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    digest: str  # of the tables' bytes
    people: int = 0
    at: datetime = Field(sa_type=Moment)


class Employee(SQLModel, table=True):
    """One person. `state` and `epoch` are the fence: work begun under an older epoch may write nothing more.

    `identity` counts the names and numbers they have had: an approval counts for the one it was given under.
    """

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
    identity: int = 0
    updated_at: datetime = Field(sa_type=Moment)


class EarlierName(SQLModel, table=True):
    """What somebody was called before: folders of photos may still say so, and old approvals were given under it."""

    employee_id: str = Field(primary_key=True)
    identity: int = Field(primary_key=True)
    number: str
    name: str = ""
    email: str = ""
    until: datetime = Field(sa_type=Moment)


class Question(SQLModel, table=True):
    """Something that only HR can say. Whom it is about waits; an answer is remembered and never asked for again.

    `claim` is a keyed pseudonym of what the roster said, so that the answer is found again without keeping the words.
    """

    id: str = Field(primary_key=True)
    kind: str  # who_is_this | not_here
    batch_id: str = Field(index=True)
    employee_id: str = Field(index=True)  # who waits
    candidates: list[Any] = Field(default_factory=list, sa_type=Json)  # {"id": ..., "by": "number" | "name"}
    claim: str = Field(default="", index=True)
    asked_at: datetime = Field(sa_type=Moment)
    answer: str | None = None
    person: str | None = None  # whom the answer means
    by: str = ""
    answered_at: datetime | None = Field(default=None, sa_type=Moment)


class Seat(SQLModel, table=True):
    """One person in one batch. Everybody on the roster has exactly one, whatever becomes of them.

    What the states mean, and which follows which, is said in `tasks.vault.seats`.
    """

    batch_id: str = Field(primary_key=True)
    employee_id: str = Field(primary_key=True, index=True)
    state: State = Field(sa_type=sa.String)
    reason: str | None = None
    cause: str | None = None  # the class of what failed, or why a flag stays after every chance
    position: int = 0
    row: int = 0  # in the roster
    cohort: int | None = None
    kit: str = ""  # where it differs from the batch's
    lane: Lane = Field(default="generated", sa_type=sa.String)
    standing: list[Any] = Field(default_factory=list, sa_type=Json)  # findings known before any photo was opened
    findings: list[Any] = Field(default_factory=list, sa_type=Json)  # those, and what the photos show
    photos: int | None = None  # how many were handed in; None until they were looked at
    accepted: int = 0
    few: bool = False
    adapter_digest: str | None = None
    round: int = 0  # how many times new pictures were asked for, by reviewers or for falling short
    chances: int = 0  # of those, how many for falling short
    longer_from: int | None = None  # the round from which a longer training draws them
    fell_short: str | None = None  # why the last chance was given
    answered: str | None = None  # the decision that the newest round answers
    wishes: dict[str, Any] = Field(default_factory=dict, sa_type=Json)  # round (as text) to what reviewers asked for


class Hold(SQLModel, table=True):
    """Nothing about this person is deleted while it stands: put up and ended by a person at the desk."""

    id: str = Field(primary_key=True)
    employee_id: str = Field(index=True)
    reason: str  # a code: court | authority | claim | other
    until: date | None = Field(default=None, sa_type=sa.Date)  # through that day; None until somebody ends it
    by: str
    at: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


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
    replaced_at: datetime | None = Field(default=None, sa_type=Moment)  # newer photos are used instead
    signed_by: str = ""  # who signed the content credentials that it came with, where those were valid


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
    """One picture of a person, with its scores (`tasks.vault.scores`). `Showing` says which batches show it."""

    digest: str = Field(primary_key=True)
    employee_id: str = Field(index=True)
    adapter_digest: str | None = None
    kit: str
    kit_digest: str
    shot: int
    round: int = 0  # of asking for pictures: 0 is the first, later ones are new ones
    seed: int = Field(sa_type=sa.BigInteger)
    lane: str = "generated"  # generated | faithful
    original_key: str = ""
    finished_key: str = ""
    thumb_key: str = ""
    scores: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    flags: list[Any] = Field(default_factory=list, sa_type=Json)
    state: str = "candidate"  # candidate | approved | rejected | retired: what all decisions come to (review.py)
    created_at: datetime = Field(sa_type=Moment)


class Showing(SQLModel, table=True):
    """One picture in one batch: its place in the order there, and why; retired once newer ones took its place."""

    batch_id: str = Field(primary_key=True)
    headshot_digest: str = Field(primary_key=True, index=True)
    employee_id: str = Field(index=True)
    choice: int | None = None  # 1 = shown first
    why: str = ""
    retired: bool = False


class Decision(SQLModel, table=True):
    """What a reviewer decided about one person or one picture; decisions are added, never edited."""

    id: str = Field(primary_key=True)
    employee_id: str = Field(index=True)
    headshot_digest: str | None = Field(None, index=True)
    batch_id: str = Field(index=True)
    kit: str = ""  # of the batch it was made in: it counts for this kit's pictures everywhere
    verdict: str  # approve | reject | redo | opt_out | undo
    reasons: list[Any] = Field(default_factory=list, sa_type=Json)  # of a redo: what is to be otherwise
    identity: int = 0  # the name and number they had then (`Employee.identity`)
    consent_id: str = ""  # the consent that stood then
    by: str
    author: str = Field(default="", index=True)  # the `Reviewer` who was signed in; empty for files and older records
    at: datetime = Field(sa_type=Moment)
    note: str = ""


class Reviewer(SQLModel, table=True):
    """Somebody who came in at the desk. The log and the decisions carry the opaque id; here it has a name.

    `key` is a keyed pseudonym of what they are known by: the provider's issuer and subject, or the name they typed.
    """

    id: str = Field(primary_key=True)
    key: str = Field(unique=True)
    name: str = ""
    email: str = ""
    proof: str  # provider | password | here: how it is known that it was they
    first_at: datetime = Field(sa_type=Moment)
    last_at: datetime = Field(sa_type=Moment)


class SignIn(SQLModel, table=True):
    """One open session of the desk. The browser holds the token, these records its hash alone."""

    token: str = Field(primary_key=True)
    reviewer_id: str = Field(index=True)
    door: str  # a keyed pseudonym of the password or provider that let them in: another one does not know them
    groups: list[Any] = Field(default_factory=list, sa_type=Json)  # as the provider named them
    began: datetime = Field(sa_type=Moment)
    seen: datetime = Field(sa_type=Moment)


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


class GroupTurn(SQLModel, table=True):
    """Which run works on a group of people at this moment (`tasks.vault.turns`)."""

    batch_id: str = Field(primary_key=True)
    cohort: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    holder: str  # the run
    maker: str  # the run that makes the batch, as it was when this one began
    attempt: int


class LifeSign(SQLModel, table=True):
    """When a run was last heard of, by the database's clock (`tasks.vault.life_signs`)."""

    run: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Moment)


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
