"""Which keys belong to these records: noted at the first opening, asked at every other one before anything is made.

A home restored without its keys, or a second machine that was not told where they are, would otherwise make new ones
beside those that exist: from then on every older picture reads "its key was destroyed". So the records know the name
of their key store, how many keys it had ever made, and the fingerprint of the master key that wrapped them.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, select

from tasks.vault.database import reading
from tasks.vault.failures import VaultError
from tasks.vault.records import Artifact, Employee, Installation


class WrongKeys(VaultError):
    """The keys at hand are not those that these records were written with; nothing was made and nothing changed."""


_RESTORE = (
    "restore the wrapped keys (keys/wrapped.db, or the database of ROLLCALL_KEYS_URL) and the master key "
    "(keys/master.key, or ROLLCALL_MASTER_KEY) from the newest backup, or set ROLLCALL_KEYS_URL and "
    "ROLLCALL_MASTER_KEY to where they are. No key was made"
)

_table = SQLModel.metadata.tables["installation"]


@dataclass(frozen=True)
class KnownKeys:
    """What the records know of their keys. `keyring` is empty before the first opening, and in homes of 0.1."""

    keyring: str
    master: str  # fingerprint; empty until the first key was made
    made: int  # keys that had ever been made when this was noted
    in_use: bool  # blobs of people who are here were written under some key


def known_keys(engine: sa.Engine) -> KnownKeys:
    """What these records know of their keys."""
    with reading(engine) as connection, Session(connection) as session:
        noted = {row.name: row.value for row in session.exec(select(Installation))}
        living = select(Artifact.key).join(Employee, Employee.id == Artifact.employee_id)  # type: ignore[arg-type]
        in_use = session.exec(living.where(Employee.state == "active").limit(1)).first() is not None
    return KnownKeys(noted.get("keyring", ""), noted.get("master", ""), max(int(noted.get("keys", 0)), 0), in_use)


def adopt_keys(engine: sa.Engine, keyring: str, master: str, made: int) -> None:
    """Remember, once, which keys these records are written with; WrongKeys when somebody was first with others."""
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    with engine.begin() as connection:
        row = insert(_table).values(name="keyring", value=keyring)
        connection.execute(row.on_conflict_do_nothing())
    check_store(known_keys(engine), keyring, made, made)
    note_keys(engine, master, made)


def note_keys(engine: sa.Engine, master: str, made: int) -> None:
    """Remember how many keys there had ever been, and which master key wrapped them."""
    with Session(engine) as session, session.begin():
        session.merge(Installation(name="keys", value=str(made)))
        if master:
            session.merge(Installation(name="master", value=master))


def missing_store(location: str) -> WrongKeys:
    """There is no key store at all where one ought to be."""
    return WrongKeys(f"these records were written with keys, and there are none at {location}: {_RESTORE}")


def check_store(known: KnownKeys, keyring: str, made: int, held: int) -> None:
    """WrongKeys unless this key store is the one these records know, and no older copy of it."""
    if known.keyring and known.keyring != keyring:
        raise WrongKeys(
            f"these records were written with the key store {known.keyring}, and this is {keyring or 'another'}: "
            f"{_RESTORE}"
        )
    if known.keyring and made < known.made:
        raise WrongKeys(
            f"the key store is an older copy: {known.made} keys had been made, and it knows of {made}: {_RESTORE}"
        )
    if not known.keyring and known.in_use and not held:
        raise WrongKeys(f"there are encrypted pictures here, and not one key: {_RESTORE}")


def check_master(expected: str, found: str) -> None:
    """WrongKeys unless this master key is the one that wrapped the keys of this store."""
    if expected and expected != found:
        raise WrongKeys(f"the keys were wrapped by the master key {expected}, and this one is {found}: {_RESTORE}")
