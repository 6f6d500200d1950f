"""Each person's data keys: one per kind of artefact, wrapped by a master key, kept in a small store of their own.

Destroying a wrapped key is the fence of every erasure: from then on all that remains of that kind, in a frozen
writer's upload or in last month's backup, is noise. One key per kind, so that selfies and adapters can be shredded
on their date while approved pictures live on. The store is not part of the records on purpose: whoever restores a
backup of the records must not get the keys back with it, so keep the store's own backups short and rotate the master
key (`rotate`) now and then: keys wrapped by a master that no longer exists are dead in every backup.
"""

import hmac
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from tasks.vault.database import forget_deleted_pages, open_database, reading
from tasks.vault.failures import Fenced
from tasks.vault.master import MasterKey, open_master

_wrapped = sa.Table(
    "wrapped_key",
    sa.MetaData(),
    sa.Column("employee_id", sa.String, primary_key=True),
    sa.Column("kind", sa.String, primary_key=True),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
)
# Whoever is listed here gets no key ever again. It makes the fence atomic: without it, a writer that passed its check a
# moment before the fence could make a fresh key a moment after.
_barred = sa.Table(
    "barred_person",
    _wrapped.metadata,
    sa.Column("employee_id", sa.String, primary_key=True),
)
# Secrets of the installation, nobody's in particular: what tombstones are made with, and the mark in pictures.
_secret = sa.Table(
    "installation_secret",
    _wrapped.metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("secret", sa.LargeBinary, nullable=False),
)


class Keyring:
    """Opens, makes and destroys wrapped keys. Keys are never cached: a destroyed key must be gone at once."""

    def __init__(self, url: str, master: str) -> None:
        self.engine = open_database(url)
        with self.engine.begin() as connection:
            _wrapped.metadata.create_all(connection)
            in_use = connection.execute(sa.select(sa.func.count()).select_from(_wrapped)).scalar_one()
        self._master: MasterKey = open_master(master, may_create=in_use == 0)

    def data_key(self, employee_id: str, kind: str) -> bytes:
        """This person's key for this kind, made on first use."""
        found = self.existing_key(employee_id, kind)
        if found is not None:
            return found
        row = {
            "employee_id": employee_id,
            "kind": kind,
            "wrapped": self._master.wrap(os.urandom(32), employee_id, kind),
        }
        with self.engine.begin() as connection:
            self._take_turns(connection, employee_id)
            if connection.execute(sa.select(_barred).where(_barred.c.employee_id == employee_id)).first():
                raise Fenced("erasing", employee_id)
            # Two first writers agree on one key: the second one's is not inserted.
            connection.execute(self._insert(_wrapped).values(row).on_conflict_do_nothing())
            mine = (_wrapped.c.employee_id == employee_id) & (_wrapped.c.kind == kind)
            wrapped = connection.execute(sa.select(_wrapped.c.wrapped).where(mine)).scalar_one()
        return self._master.unwrap(wrapped, employee_id, kind)

    def existing_key(self, employee_id: str, kind: str) -> bytes | None:
        """This person's key for this kind, or None when there is none (any more)."""
        query = sa.select(_wrapped.c.wrapped).where(_wrapped.c.employee_id == employee_id, _wrapped.c.kind == kind)
        with reading(self.engine) as connection:
            wrapped = connection.execute(query).scalar()
        return None if wrapped is None else self._master.unwrap(wrapped, employee_id, kind)

    def destroy(self, people: Iterable[str]) -> None:
        """Destroy every key of these people for good, and the bytes of the keys with them."""
        with self.engine.begin() as connection:
            for employee_id in people:
                self._take_turns(connection, employee_id)
                barred = self._insert(_barred).values(employee_id=employee_id)
                connection.execute(barred.on_conflict_do_nothing())
                connection.execute(sa.delete(_wrapped).where(_wrapped.c.employee_id == employee_id))
        forget_deleted_pages(self.engine)

    def destroy_kinds(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Destroy the keys of these (person, kind) pairs only."""
        with self.engine.begin() as connection:
            for employee_id, kind in pairs:
                mine = (_wrapped.c.employee_id == employee_id) & (_wrapped.c.kind == kind)
                connection.execute(sa.delete(_wrapped).where(mine))
        forget_deleted_pages(self.engine)

    def holders(self) -> dict[str, set[str]]:
        """Everybody who has keys, and for which kinds: what the sweep for orphans compares with the records."""
        found: dict[str, set[str]] = {}
        with reading(self.engine) as connection:
            for employee_id, kind in connection.execute(sa.select(_wrapped.c.employee_id, _wrapped.c.kind)):
                found.setdefault(employee_id, set()).add(kind)
        return found

    def count_keys(self, people: Sequence[str]) -> Counter[str]:
        """How many keys each of these people has."""
        query = sa.select(_wrapped.c.employee_id, sa.func.count()).where(_wrapped.c.employee_id.in_(people))
        with reading(self.engine) as connection:
            return Counter(
                {owner: count for owner, count in connection.execute(query.group_by(_wrapped.c.employee_id))}
            )

    def pseudonym(self, number: str) -> str:
        """What stands for an employee number once it is forgotten: always the same here, and meaningless elsewhere."""
        return hmac.new(self._pseudonym_secret, number.encode(), sha256).hexdigest()[:32]

    @cached_property
    def _pseudonym_secret(self) -> bytes:
        return self.secret("tombstones")

    def secret(self, name: str) -> bytes:
        """An installation's secret of this name, 32 bytes, made on first use. It belongs to nobody in particular."""
        fresh = self._insert(_secret).values(name=name, secret=os.urandom(32)).on_conflict_do_nothing()
        query = sa.select(_secret.c.secret).where(_secret.c.name == name)
        with self.engine.begin() as connection:
            connection.execute(fresh)  # two first users agree on one secret
            return bytes(connection.execute(query).scalar_one())

    def rotate(self, new_master: str) -> int:
        """Wrap every surviving key again under a new master key (from a file into a service, too); how many. Stop every
        process that writes before, and destroy the old master key after.
        """
        master = open_master(new_master, may_create=True)
        rewrapped = 0
        with self.engine.begin() as connection:
            for employee_id, kind, wrapped in connection.execute(sa.select(_wrapped)).all():
                key = self._master.unwrap(wrapped, employee_id, kind)
                mine = (_wrapped.c.employee_id == employee_id) & (_wrapped.c.kind == kind)
                fresh = master.wrap(key, employee_id, kind)
                connection.execute(sa.update(_wrapped).where(mine).values(wrapped=fresh))
                rewrapped += 1
        forget_deleted_pages(self.engine)
        self._master = master
        return rewrapped

    def close(self) -> None:
        self.engine.dispose()

    def _insert(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        if self.engine.dialect.name == "postgresql":
            return postgresql.insert(table)
        return sqlite.insert(table)

    @staticmethod
    def _take_turns(connection: sa.Connection, employee_id: str) -> None:
        """SQLite has one writer anyway; PostgreSQL needs a lock to put a bar before a key of the same person."""
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(employee_id))))
