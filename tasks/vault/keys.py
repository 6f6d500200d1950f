"""Each person's data keys: one per kind of artefact, wrapped by a master key, kept in a small store of their own.

Destroying a wrapped key is the fence of every erasure: from then on all that remains of that kind, in a frozen
writer's upload or in last month's backup, is noise. One key per kind, so that selfies and adapters can be shredded
on their date while approved pictures live on. The store is not part of the records on purpose: whoever restores a
backup of the records must not get the keys back with it, so keep the store's own backups short and rotate the master
key (`rollcall rotate`) now and then: keys wrapped by a master that no longer exists are dead in every backup.
"""

import hmac
import logging
import os
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from tasks.vault.database import forget_deleted_pages, open_database, reading
from tasks.vault.failures import Fenced, MasterKeyRefused, Unreadable
from tasks.vault.installation import KnownKeys, check_master, check_store, missing_store
from tasks.vault.master import MasterKey, MasterKeyInFile, open_master

logger = logging.getLogger(__name__)

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
# Secrets of the installation, nobody's in particular: what tombstones are made with, and the mark in pictures. And what
# the store knows of itself: its name, how many keys it ever made, the fingerprint of the master key that wrapped them.
_secret = sa.Table(
    "installation_secret",
    _wrapped.metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("secret", sa.LargeBinary, nullable=False),
)

_NAME, _MADE, _MASTER = "store.name", "store.keys_made", "store.master"
_NOTHING_KNOWN = KnownKeys("", "", 0, in_use=False)


AGAIN_S = 300.0  # a service that is down is not asked at every opening
_SILENT: dict[str, float] = {}  # where a master key's service did not answer -> until when opening does not ask again


class Keyring:
    """Opens, makes and destroys wrapped keys. Keys are never cached: a destroyed key must be gone at once."""

    def __init__(self, url: str, master: str, known: KnownKeys = _NOTHING_KNOWN) -> None:
        """WrongKeys, before anything is made, when these are not the keys that the records know."""
        expects_some = bool(known.keyring) or known.in_use
        if expects_some and not _is_there(url):
            raise missing_store(sa.make_url(url).render_as_string(hide_password=True))
        self.engine = open_database(url)
        if expects_some:
            check_store(known, *self._state())
        with self.engine.begin() as connection:
            _wrapped.metadata.create_all(connection)
            held = connection.execute(sa.select(sa.func.count()).select_from(_wrapped)).scalar_one()
            fresh = self._insert(_secret).values(name=_NAME, secret=os.urandom(8).hex().encode())
            connection.execute(fresh.on_conflict_do_nothing())  # two first users agree on one name
            began = self._insert(_secret).values(name=_MADE, secret=str(held).encode())
            connection.execute(began.on_conflict_do_nothing())  # a store of 0.1 has not counted
        self._location = master
        self._master: MasterKey = open_master(master, may_create=held == 0 and not known.keyring)
        self.name, self.made, _ = self._state()
        self.master_fingerprint = self._secret_of(_MASTER)
        if isinstance(self._master, MasterKeyInFile):
            self._prove_master(held)
        elif self.master_fingerprint:
            self._ask_the_service()

    def _state(self) -> tuple[str, int, int]:
        """(the store's name, keys it ever made, keys it holds now), as far as there is a store."""
        with reading(self.engine) as connection:
            tables = set(sa.inspect(connection).get_table_names())
            held = made = 0
            if _wrapped.name in tables:
                held = connection.execute(sa.select(sa.func.count()).select_from(_wrapped)).scalar_one()
        if _secret.name not in tables:
            return "", held, held
        made = max(int(self._secret_of(_MADE) or held), 0)  # PostgreSQL counted downwards once
        return self._secret_of(_NAME), made, held

    def _secret_of(self, name: str) -> str:
        with reading(self.engine) as connection:
            found = connection.execute(sa.select(_secret.c.secret).where(_secret.c.name == name)).scalar()
        return "" if found is None else bytes(found).decode()

    def prove_master(self) -> None:
        """See that the master key at hand wrapped what is here, asking the service that keeps it; WrongKeys if not."""
        with reading(self.engine) as connection:
            held = connection.execute(sa.select(sa.func.count()).select_from(_wrapped)).scalar_one()
        self._prove_master(held)

    def _ask_the_service(self) -> None:
        """WrongKeys when the service holds another key than the one that wrapped these. One that does not answer holds
        nobody up, since forgetting needs no service: it is asked again by the next key, or by who opens this later."""
        if time.monotonic() < _SILENT.get(self._location, 0.0):
            return
        try:
            found = self._master.fingerprint()
        except MasterKeyRefused as refused:
            _SILENT[self._location] = time.monotonic() + AGAIN_S
            logger.warning("the key management service was not asked for its key's name: %s", refused.code)
            return
        check_master(self.master_fingerprint, found)

    def _prove_master(self, held: int) -> None:
        """See that this master key wrapped what is here; a store of 0.1 is asked for one of its keys."""
        found = self._master.fingerprint()
        check_master(self.master_fingerprint, found)
        if self.master_fingerprint:
            return
        with self.engine.begin() as connection:
            one = connection.execute(sa.select(_wrapped).limit(1)).first() if held else None
            if one is not None:
                try:
                    self._master.unwrap(one.wrapped, one.employee_id, one.kind)
                except Unreadable:
                    check_master("another", found)
            row = self._insert(_secret).values(name=_MASTER, secret=found.encode())
            connection.execute(row.on_conflict_do_nothing())
        self.master_fingerprint = self._secret_of(_MASTER)
        check_master(self.master_fingerprint, found)

    def data_key(self, employee_id: str, kind: str) -> bytes:
        """This person's key for this kind, made on first use."""
        found = self.existing_key(employee_id, kind)
        if found is not None:
            return found
        if not self.master_fingerprint:
            self._prove_master(held=1)
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
            # Asked by what comes back: PostgreSQL's driver counts an insert that may do nothing as -1 rows.
            wanted = self._insert(_wrapped).values(row).on_conflict_do_nothing().returning(_wrapped.c.kind)
            self.made = self._count_made(connection, len(connection.execute(wanted).all()))
            mine = (_wrapped.c.employee_id == employee_id) & (_wrapped.c.kind == kind)
            wrapped = connection.execute(sa.select(_wrapped.c.wrapped).where(mine)).scalar_one()
        return self._master.unwrap(wrapped, employee_id, kind)

    def existing_key(self, employee_id: str, kind: str) -> bytes | None:
        """This person's key for this kind, or None when there is none (any more)."""
        query = sa.select(_wrapped.c.wrapped).where(_wrapped.c.employee_id == employee_id, _wrapped.c.kind == kind)
        with reading(self.engine) as connection:
            wrapped = connection.execute(query).scalar()
        return None if wrapped is None else self._master.unwrap(wrapped, employee_id, kind)

    @staticmethod
    def _count_made(connection: sa.Connection, more: int) -> int:
        counted = sa.select(_secret.c.secret).where(_secret.c.name == _MADE).with_for_update()
        made = max(int(bytes(connection.execute(counted).scalar_one())), 0) + more
        connection.execute(sa.update(_secret).where(_secret.c.name == _MADE).values(secret=str(made).encode()))
        return made

    def wrapped_bytes(self, people: Iterable[str]) -> dict[str, list[bytes]]:
        """The wrapped keys of these people as they stand in the store: what must be in no file afterwards."""
        wanted = list(people)
        with reading(self.engine) as connection:
            rows = connection.execute(sa.select(_wrapped).where(_wrapped.c.employee_id.in_(wanted))).all()
        found: dict[str, list[bytes]] = {person: [] for person in wanted}
        for row in rows:
            found[row.employee_id].append(bytes(row.wrapped))
        return found

    def destroy(self, people: Iterable[str]) -> bool:
        """Destroy every key of these people for good; False while their bytes may still stand in the store's files,
        because somebody else reads them: then ask `forget_bytes` again."""
        with self.engine.begin() as connection:
            for employee_id in people:
                self._take_turns(connection, employee_id)
                barred = self._insert(_barred).values(employee_id=employee_id)
                connection.execute(barred.on_conflict_do_nothing())
                connection.execute(sa.delete(_wrapped).where(_wrapped.c.employee_id == employee_id))
        return self.forget_bytes()

    def forget_bytes(self) -> bool:
        """Take destroyed keys out of the files; False when a reader of another process does not let go yet."""
        return forget_deleted_pages(self.engine)

    def destroy_kinds(self, pairs: Iterable[tuple[str, str]]) -> bool:
        """Destroy the keys of these (person, kind) pairs only; False as with `destroy`."""
        with self.engine.begin() as connection:
            for employee_id, kind in pairs:
                mine = (_wrapped.c.employee_id == employee_id) & (_wrapped.c.kind == kind)
                connection.execute(sa.delete(_wrapped).where(mine))
        return self.forget_bytes()

    def barred(self) -> set[str]:
        """Everybody who was forgotten and gets no key ever again."""
        with reading(self.engine) as connection:
            return set(connection.execute(sa.select(_barred.c.employee_id)).scalars())

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
            named = {"name": _MASTER, "secret": master.fingerprint().encode()}
            connection.execute(sa.delete(_secret).where(_secret.c.name == _MASTER))
            connection.execute(self._insert(_secret).values(named))
        forget_deleted_pages(self.engine)
        self._master = master
        self.master_fingerprint = self._secret_of(_MASTER)
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


def _is_there(url: str) -> bool:
    """Whether there is a store to open: SQLite would quietly make an empty one."""
    parsed = sa.make_url(url)
    return parsed.get_backend_name() != "sqlite" or Path(parsed.database or "").is_file()
