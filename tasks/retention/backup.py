"""Backups: records, receipts and log in one place, the keys in another; and the look after a restore.

Whoever finds the records must not find the keys beside them, so the two go to different places, and a backup of the
keys is kept short: a destroyed key lives on in it. Encrypted pictures are in neither: their store has backups of its
own, in which a forgotten person's are noise. After a restore, erasures since are carried out again first of all.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import col, select

from tasks.retention.case import Surroundings
from tasks.retention.erase import carry_out, open_cases
from tasks.retention.log_checkpoint import log_faults, verify_all
from tasks.retention.receipts import Receipt
from tasks.retention.restored import fence_restored
from tasks.vault.failures import MissingBlob, Unreadable, VaultError
from tasks.vault.files import make_folders, replace_file
from tasks.vault.records import Artifact, Employee
from tasks.vault.sealing import unseal
from tasks.vault.settings import KMS, Settings
from tasks.vault.store import Vault

MANIFEST = "backup.json"


class BadBackup(VaultError):
    """The backup cannot be made or put back as asked; the message says what to do. Nothing was changed."""


@dataclass(frozen=True)
class Restored:
    """What the look after a restore came to."""

    forgotten: tuple[Receipt, ...]  # erasures since the backup, carried out again
    opened: dict[str, bool]  # kind of blob -> whether one of them opened
    log: tuple[str, ...]  # why the log is not the one that was signed last
    faults: tuple[str, ...]  # of the chain and the receipts

    @property
    def well(self) -> bool:
        blocked = any(receipt.state == "blocked" for receipt in self.forgotten)
        return all(self.opened.values()) and not self.log and not self.faults and not blocked


def make_backup(vault: Vault, place: Path, keys: Path, now: datetime) -> tuple[str, ...]:
    """Write a backup of everything but the pictures; what the operator has to keep besides, in sentences."""
    settings = vault.settings
    if keys.resolve() == place.resolve() or place.resolve() in keys.resolve().parents:
        raise BadBackup("the keys go to another place than the records: name a folder that is not in the backup")
    for folder in (place, keys):
        if folder.exists() and any(folder.iterdir()):
            raise BadBackup(f"{folder} is not empty: name a new folder, so that no older backup is mixed in")
        make_folders(folder)
    besides = [_copy_database(vault.engine, place / "records.db", "the records")]
    besides.append(_copy_database(vault.keys.engine, keys / "wrapped.db", "the wrapped keys"))
    for name in ("receipts", "audit"):
        if (settings.home / name).is_dir():
            shutil.copytree(settings.home / name, place / name, ignore=shutil.ignore_patterns("reserve", ".*"))
    if settings.signing_key.is_file():
        replace_file(keys / "signing.key", settings.signing_key.read_bytes())
    besides.append(_copy_master(settings, keys))
    besides.append(f"the encrypted pictures in {settings.blobs_location}: back them up as that store does")
    for folder in (place, keys):
        files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
        told = {"made": now.isoformat(), "keyring": vault.keys.name, "files": {n: _digest(p) for n, p in files.items()}}
        replace_file(folder / MANIFEST, json.dumps(told, indent=1).encode())
    return tuple(one for one in besides if one)


def _copy_database(engine: sa.Engine, target: Path, what: str) -> str:
    """A consistent copy while others write; a sentence where the database is not ours to copy."""
    if engine.dialect.name != "sqlite":
        return f"{what}, in PostgreSQL: take them with pg_dump at the same hour"
    raw = engine.raw_connection()  # vacuuming is no transaction
    try:
        raw.cursor().execute("VACUUM INTO ?", (str(target),))
    finally:
        raw.close()
    target.chmod(0o600)
    return ""


def _copy_master(settings: Settings, keys: Path) -> str:
    location = settings.master_key_location
    if location.startswith(KMS):
        return f"the master key, in the key management service ({location}): it never leaves it"
    if Path(location).parent != settings.home / "keys":
        return f"the master key in {location}: it is kept off the home on purpose"
    replace_file(keys / "master.key", Path(location).read_bytes())
    return ""


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def put_back(settings: Settings, place: Path, keys: Path) -> None:
    """Put a backup into an empty home. BadBackup, before anything is written, when it is not whole or home is not."""
    for folder in (place, keys):
        _check_whole(folder)
    if (settings.home / "rollcall.db").exists() or (settings.home / "keys" / "wrapped.db").exists():
        raise BadBackup(f"{settings.home} holds records or keys: put a backup into an empty home (--home)")
    targets = {"wrapped.db": "keys/wrapped.db", "signing.key": "keys/signing.key", "master.key": "keys/master.key"}
    for path in sorted(keys.iterdir()):
        if path.name in targets:
            replace_file(settings.home / targets[path.name], path.read_bytes())
    for path in sorted(place.rglob("*")):
        inside = path.relative_to(place).as_posix()
        if not path.is_file() or inside == MANIFEST:
            continue
        target = settings.home / ("rollcall.db" if inside == "records.db" else inside)
        if not target.exists():  # a receipt that is here already is of after the backup, or the same
            replace_file(target, path.read_bytes())


def _check_whole(folder: Path) -> None:
    try:
        told = json.loads((folder / MANIFEST).read_bytes())
        wrong = [name for name, digest in told["files"].items() if _digest(folder / name) != digest]
    except (OSError, ValueError, KeyError, TypeError) as broken:
        raise BadBackup(f"{folder} is not a whole backup ({type(broken).__name__}): copy it again") from broken
    if wrong:
        raise BadBackup(f"{folder} was altered or cut short ({wrong[0]}): copy it again")


def look_after_restore(vault: Vault, now: datetime, around: Surroundings) -> Restored:
    """Erasures since the backup first, then: does every kind of blob open, is the log the one that was signed, and does
    every receipt say what it said."""
    fence_restored(vault, now, around.actor)
    receipts = carry_out(vault, open_cases(vault, now)[0], now, around)
    return Restored(tuple(receipts), _one_of_each(vault), log_faults(vault), verify_all(vault).faults)


def _one_of_each(vault: Vault) -> dict[str, bool]:
    """Per kind of blob whether the newest one of somebody who is here opens. Nothing of it is shown or kept."""
    with vault.reading() as session:
        rows = session.exec(
            select(Artifact.kind, Artifact.key, Artifact.employee_id)
            .join(Employee, col(Employee.id) == col(Artifact.employee_id))
            .where(Employee.state == "active")
            .order_by(col(Artifact.created_at))
        ).all()
    newest = {kind: (key, owner) for kind, key, owner in rows}
    return {kind: _opens(vault, key, owner, kind) for kind, (key, owner) in sorted(newest.items())}


def _opens(vault: Vault, key: str, owner: str, kind: str) -> bool:
    data_key = vault.keys.existing_key(owner, kind)
    try:
        stored = vault.blobs.get(key)
        if data_key is None:
            return bool(stored) and not vault.settings.encrypt
        return bool(unseal(data_key, key, stored))
    except (MissingBlob, Unreadable, ValueError):
        return False


def say_restored(found: Restored) -> Sequence[str]:
    """The look in lines."""
    lines = [f"{len(found.forgotten)} people who were forgotten since the backup were forgotten again."]
    well = [kind for kind, ok in found.opened.items() if ok]
    lines.append(f"{len(well)} of {len(found.opened)} kinds of blobs open: {', '.join(well) or 'there are none'}.")
    lines += [f"  none of these opens: {kind}" for kind, ok in found.opened.items() if not ok]
    lines += [f"  {fault}" for fault in (*found.log, *found.faults)]
    if found.log:
        lines.append("If these records were restored on purpose: rollcall restore --accept")
    return lines
