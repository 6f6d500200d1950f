"""What a Prometheus scrapes: counts and times out of the records, by batch and state. Nobody is in it.

Everything is read at the moment it is asked for, so nothing has to be pushed, and a restart forgets nothing.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from sqlmodel import col, select

from reports.readiness import Part, certificate_ends
from tasks.vault.lease import abandoned
from tasks.vault.records import Adapter, AuditEntry, Batch, Erasure, Headshot, Seat
from tasks.vault.store import Vault

BATCHES = 50  # the newest ones; a company that has made thousands watches what it makes now
OVER = ("final", "provisional")  # states of a forgetting that has been done


def scraped(vault: Vault, parts: Iterable[Part], now: datetime) -> bytes:
    """The page, in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(list(_metrics(vault, parts, now))))
    return generate_latest(registry)


class _Collected:
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> list[Metric]:
        return self._metrics


def _metrics(vault: Vault, parts: Iterable[Part], now: datetime) -> Iterator[Metric]:
    up = GaugeMetricFamily("rollcall_part_up", "1 while this part of the installation is well", labels=["part"])
    for part in parts:
        up.add_metric([part.name.replace(" ", "_")], float(part.well))
    yield up
    ends = GaugeMetricFamily(
        "rollcall_certificate_end_timestamp_seconds", "When a certificate of the company ends", labels=["which"]
    )
    for which, end in certificate_ends(vault.settings):
        ends.add_metric([which], end.timestamp())
    yield ends
    yield from _people(vault, now)
    yield from _forgetting(vault, now)
    yield from _counts(vault)


def _people(vault: Vault, now: datetime) -> Iterator[Metric]:
    newest = select(Batch.id).order_by(col(Batch.created_at).desc()).limit(BATCHES)
    stands = (
        sa.select(col(Seat.batch_id), col(Seat.state), sa.func.count())
        .where(col(Seat.batch_id).in_(newest))
        .group_by(col(Seat.batch_id), col(Seat.state))
    )
    people = GaugeMetricFamily("rollcall_people", "People of a batch, by how they stand", labels=["batch", "state"])
    with vault.reading() as session:
        for batch, state, number in session.execute(stands):
            people.add_metric([batch, state], number)
    yield people
    left = len(abandoned(vault.engine, now))
    yield GaugeMetricFamily("rollcall_batches_abandoned", "Batches whose run is no more", value=left)


def _forgetting(vault: Vault, now: datetime) -> Iterator[Metric]:
    cases = sa.select(col(Erasure.state), sa.func.count()).group_by(col(Erasure.state))
    oldest = sa.select(sa.func.min(col(Erasure.due_at))).where(col(Erasure.state).not_in(OVER))
    swept = sa.select(sa.func.max(col(AuditEntry.at))).where(col(AuditEntry.action) == "sweep")
    states = GaugeMetricFamily("rollcall_erasures", "Forgettings, by how far they are", labels=["state"])
    with vault.reading() as session:
        for state, number in session.execute(cases):
            states.add_metric([state], number)
        due, last = session.execute(oldest).scalar(), session.execute(swept).scalar()
    yield states
    late = max((now - due).total_seconds(), 0.0) if due is not None else 0.0
    yield GaugeMetricFamily(
        "rollcall_erasure_oldest_due_seconds",
        "How long the oldest open forgetting has been due",
        value=late,
    )
    yield GaugeMetricFamily(
        "rollcall_last_sweep_timestamp_seconds", "When the last sweep ended; 0 when none ever did",
        value=last.timestamp() if last is not None else 0.0,
    )  # fmt: skip


def _counts(vault: Vault) -> Iterator[Metric]:
    for name, about, table in (
        ("rollcall_audit_entries", "Entries of the audit log", AuditEntry),
        ("rollcall_adapters", "Faces that are learned and kept", Adapter),
        ("rollcall_headshots", "Pictures that are kept", Headshot),
    ):
        with vault.reading() as session:
            number = session.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        yield GaugeMetricFamily(name, about, value=number)
