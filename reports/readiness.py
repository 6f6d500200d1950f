"""Is all of it there: records, keys, bucket, disk, clock, sweep, certificates, Prefect? One list of answers.

`/ready` asks it for a load balancer, `rollcall doctor` for a person, and the alerts for whoever is to be woken. What
nothing goes on without makes the desk unready; the rest is said, and work goes on.
"""

import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from shutil import disk_usage
from urllib.parse import quote

import httpx
import sqlalchemy as sa
from cryptography import x509
from sqlmodel import col, select

from tasks.disclosure.trust import named_chain, photo_roots
from tasks.failures import RollcallError
from tasks.retention import overdue
from tasks.sentences import say_date, tell
from tasks.vault.database import CLOCKS, NEWEST, ahead_of, reading
from tasks.vault.records import Artifact, Erasure
from tasks.vault.settings import Settings
from tasks.vault.store import Vault
from tasks.vault.telling import told

LEAST_FREE = 1 << 30  # bytes: a batch's scratch and reports
ENDS_SOON = timedelta(days=30)  # of a certificate
FORGETTING = timedelta(days=1)  # from when it is due until it has to be done


@dataclass(frozen=True)
class Part:
    """One answer. `said` is for a person and holds no person; `needed`: without it nothing can be served."""

    name: str
    well: bool
    said: str
    needed: bool
    ms: int = 0


Check = Callable[[Vault, datetime], str]


class Ill(RollcallError):
    """What is wrong with a part, in a sentence."""


def readiness(vault: Vault, now: datetime, *, needed_only: bool = False) -> list[Part]:
    """Asks every part (or those alone that nothing goes on without), each by itself: one that fails hides no other.
    Takes as long as the slowest service."""
    began, answers = time.monotonic(), list[Part]()
    for name, check, needed in _CHECKS:
        if needed_only and not needed:
            continue
        moment = now + timedelta(seconds=time.monotonic() - began)  # by then: a slow service is no wrong clock
        answers.append(_asked(name, check, vault, moment, needed))
    return answers


def is_ready(parts: list[Part]) -> bool:
    """Whether what cannot be done without is there."""
    return all(part.well for part in parts if part.needed)


def _asked(name: str, check: Check, vault: Vault, now: datetime, needed: bool) -> Part:
    began = time.monotonic()
    try:
        said, well = check(vault, now), True
    except Ill as wrong:
        said, well = str(wrong), False
    except Exception as fault:  # whatever a library says of it, in our words: this is read by others
        said, well = str(told(fault)), False
    return Part(name, well, said, needed, round(1000 * (time.monotonic() - began)))


def _records(vault: Vault, _now: datetime) -> str:
    with reading(vault.engine) as connection:
        shape = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    if shape != NEWEST:
        raise Ill(tell("part.other_shape", shape=shape, wanted=NEWEST))
    return tell("part.shape", database=vault.engine.dialect.name, shape=shape)


def _keys(vault: Vault, _now: datetime) -> str:
    with reading(vault.keys.engine) as connection:
        connection.execute(sa.text("SELECT 1"))
    return tell("part.store", name=vault.keys.name)


def _master(vault: Vault, _now: datetime) -> str:
    vault.keys.prove_master()
    return tell("part.fingerprint", fingerprint=vault.keys.master_fingerprint)


def _bucket(vault: Vault, _now: datetime) -> str:
    """One of the newest blobs of which the records know; of a bucket that is empty, that it answers."""
    newest = select(Artifact.key).order_by(col(Artifact.created_at).desc()).limit(20)
    with vault.reading() as session:
        some = list(session.exec(newest))
    if some and not any(vault.exists(key) for key in some):
        raise Ill(tell("part.other_bucket"))
    if not some:
        vault.exists("people/nobody/selfies/none")
    return tell("part.answers")


def _disk(vault: Vault, _now: datetime) -> str:
    free = disk_usage(vault.settings.home).free
    if free < LEAST_FREE:
        raise Ill(tell("part.full", free=free / 1e9, least=LEAST_FREE / 1e9))
    return tell("part.free", free=free / 1e9)


def _clock(vault: Vault, now: datetime) -> str:
    ahead = ahead_of(vault.engine, now)
    if ahead is None:
        return tell("part.one_machine")
    if abs(ahead) > CLOCKS:
        raise Ill(tell("part.wrong_clock", ahead=ahead.total_seconds()))
    return tell("part.ahead", ahead=ahead.total_seconds())


def _sweep(vault: Vault, now: datetime) -> str:
    late = overdue.lateness(vault.engine, now)
    if late is not None:
        raise Ill(overdue.sentence(late))
    return tell("part.not_overdue")


def _forgetting(vault: Vault, now: datetime) -> str:
    waiting = select(Erasure).where(col(Erasure.state).not_in(("final", "provisional")))
    with vault.reading() as session:
        cases = session.exec(waiting).all()
    blocked = sum(case.state == "blocked" for case in cases)
    late = sum(case.state != "blocked" and now - case.due_at > FORGETTING for case in cases)
    if blocked or late:
        raise Ill(tell("part.not_forgotten", blocked=blocked, late=late))
    return tell("part.under_way", number=len(cases))


def _certificates(vault: Vault, now: datetime) -> str:
    named_chain(vault.settings)
    photo_roots(vault.settings)
    ends = dict(certificate_ends(vault.settings))
    said = [tell(f"part.ends_{which}", day=say_date(end)) for which, end in ends.items() if end - now < ENDS_SOON]
    if said:
        raise Ill(tell("part.renew", certificates="; ".join(said)))
    return ", ".join(tell(f"part.until_{which}", day=say_date(end)) for which, end in ends.items()) or tell("part.none")


def certificate_ends(settings: Settings) -> Iterator[tuple[str, datetime]]:
    """When the company's own certificates end: the desk's, and the one that signs pictures."""
    for which, path in (("desk", settings.tls_certificate), ("signing", settings.signing_chain)):
        if path is not None:
            yield which, x509.load_pem_x509_certificates(Path(path).read_bytes())[0].not_valid_after_utc


def _prefect(vault: Vault, _now: datetime) -> str:
    address = vault.settings.prefect_api_url.rstrip("/")
    try:
        answer = httpx.get(f"{address}/health", timeout=5, trust_env=False)
    except (httpx.HTTPError, ssl.SSLError) as silent:
        raise Ill(tell("part.silent", address=quote(address, safe=":/"), fault=type(silent).__name__)) from None
    if answer.status_code != 200:
        raise Ill(tell("part.answers_otherwise", address=quote(address, safe=":/"), code=answer.status_code))
    return tell("part.answers")


_CHECKS: tuple[tuple[str, Check, bool], ...] = (
    ("records", _records, True),
    ("keys", _keys, True),
    ("master key", _master, True),
    ("bucket", _bucket, True),
    ("disk", _disk, True),
    ("clock", _clock, False),
    ("sweep", _sweep, False),
    ("forgetting", _forgetting, False),
    ("certificates", _certificates, False),
    ("prefect", _prefect, False),
)
