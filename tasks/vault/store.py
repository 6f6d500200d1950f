"""The vault: the one door to everything kept about people.

Writing a picture takes a permit, records the intent before the first byte, encrypts with the person's own key, and
looks again afterwards: when an erasure has begun meanwhile, the bytes are taken back and the writer stops. Reading
takes a permit too. Deleting takes none, because nobody needs leave to forget.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from types import TracebackType
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from tasks.sentences import speak
from tasks.vault import audit_log
from tasks.vault.blobs import Blobs, checked_key
from tasks.vault.consent import Permit, check_permit, give_permit, require_permit
from tasks.vault.database import check_shape, open_database, prepare
from tasks.vault.failpoints import reach
from tasks.vault.failures import Fenced, MissingBlob, Unreadable
from tasks.vault.installation import adopt_keys, known_keys, note_keys
from tasks.vault.keys import Keyring
from tasks.vault.open_blobs import open_blobs
from tasks.vault.records import Artifact, Consent, Employee
from tasks.vault.register import blob_kind
from tasks.vault.sealing import is_sealed, seal, unseal
from tasks.vault.settings import Settings
from tasks.vault.tombstones import forgotten_at
from tasks.vault.turns import check_turn

UPLOAD = "upload"  # kind of the keys that open what was uploaded at the desk
REPORT = "report"  # and of those that open report pages about everybody


class Vault:
    """Records, blobs and keys of one installation. Made by `open_vault`; usable from several threads."""

    def __init__(self, settings: Settings, engine: sa.Engine, blobs: Blobs, keys: Keyring) -> None:
        self.settings = settings
        self.engine = engine
        self.blobs = blobs
        self.keys = keys

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction on the records: committed at the end, rolled back when anything is raised.

        Raises DatabaseTooNew when somebody has changed the records' shape since this process began, TakenOver when
        another run has this process's work.
        """
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            check_shape(session.connection())
            check_turn(session)
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A snapshot of the records that neither waits for writers nor holds them up; writing in it fails or waits."""
        quiet = self.engine.execution_options(rollcall_reads_only=True)
        with Session(quiet, expire_on_commit=False) as session:
            yield session

    def permit(self, employee_id: str, purpose: str = "headshot", *, now: datetime) -> Permit:
        """Leave to handle this person's pictures; NoConsent, with a code, when there is none."""
        with self.reading() as session:
            employee = session.get(Employee, employee_id)
            consents = session.exec(select(Consent).where(col(Consent.employee_id) == employee_id)).all()
            number = employee.number if employee is not None else ""
            forgotten = forgotten_at(session, self.keys, [number]).get(number)
        return give_permit(employee, consents, purpose, now, forgotten)

    def write(self, permit: Permit, kind: str, name: str, data: bytes, *, now: datetime | None = None) -> str:
        """Store one blob of this person and return its key. Writing the same name again replaces it.

        `now` stamps the intent, from which retention counts; it is the clock's own time unless a caller (a test, an
        import) knows better.
        """
        require_permit(permit)
        blob_kind(kind)
        key = checked_key(f"people/{permit.employee_id}/{kind}/{name}")
        reach("write.intent.before")
        self._record_intent(permit, kind, key, now or datetime.now(UTC))
        reach("write.intent.done")
        while True:
            data_key = self._data_key(permit.employee_id, kind) if self.settings.encrypt else None
            reach("write.put.before")
            self.blobs.put(key, [data] if data_key is None else seal(data_key, key, data))
            reach("write.put.done")
            self._look_again(permit, key)
            # An expiry may have shredded this kind's key while we wrote; the bytes would be noise.
            if data_key is None or self.keys.existing_key(permit.employee_id, kind) == data_key:
                return key

    def _data_key(self, employee_id: str, kind: str) -> bytes:
        """This person's key for this kind. That one was made is noted in the records before anything is sealed by it,
        so that an older copy of the key store is known for what it is."""
        made = self.keys.made
        key = self.keys.data_key(employee_id, kind)
        if self.keys.made != made:
            note_keys(self.engine, self.keys.master_fingerprint, self.keys.made)
        return key

    def upload_key(self, folder: str) -> bytes:
        """What the upload of this name is sealed with: a key of its own, which goes when the upload does."""
        return self._data_key(upload_owner(folder), UPLOAD)

    def report_key(self, owner: str, kind: str) -> bytes:
        """What a file of a report is sealed with: the person's own key, or the batch's."""
        return self._data_key(owner, kind)

    def destroy_upload_keys(self, standing: Iterable[str]) -> int:
        """Destroy the keys of uploads that are not among these any more; how many."""
        kept = {upload_owner(folder) for folder in standing}
        doomed = [one for one in self.keys.holders() if one.startswith(f"{UPLOAD}-") and one not in kept]
        if doomed:
            self.keys.destroy_kinds([(one, UPLOAD) for one in doomed])
        return len(doomed)

    def _record_intent(self, permit: Permit, kind: str, key: str, now: datetime) -> None:
        with self.session() as session:
            self._check(session, permit, lock=True)
            row = Artifact(key=key, employee_id=permit.employee_id, kind=kind, epoch=permit.epoch, created_at=now)
            session.merge(row)

    def _look_again(self, permit: Permit, key: str) -> None:
        try:
            with self.reading() as session:
                self._check(session, permit)
        except Fenced:
            self.blobs.erase_keys([key])
            raise

    @staticmethod
    def _check(session: Session, permit: Permit, lock: bool = False) -> None:
        mine = select(Employee).where(col(Employee.id) == permit.employee_id)
        # On PostgreSQL a fence waits for intents being recorded, and the other way round; SQLite has one writer anyway.
        employee = session.exec(mine.with_for_update(read=True) if lock else mine).one_or_none()
        check_permit(permit, employee, session.get(Consent, permit.consent_id))

    def read(self, permit: Permit, key: str) -> bytes:
        """The bytes under this key, which must be this person's own."""
        require_permit(permit)
        with self.reading() as session:
            self._check(session, permit)
        owner, kind = key_owner(key)
        if owner != permit.employee_id:
            raise PermissionError(f"a permit for {permit.employee_id} does not open another person's blob")
        stored = self.blobs.get(key)
        data_key = self.keys.existing_key(owner, kind)
        if data_key is None and not is_sealed(stored) and not self.settings.encrypt:
            return stored
        if data_key is None:
            raise Unreadable(f"its key was destroyed: {key}")
        return unseal(data_key, key, stored)

    def exists(self, key: str) -> bool:
        """Whether a blob lies under this key."""
        return self.blobs.exists(key)

    def delete(self, *keys: str) -> None:
        """Remove these blobs with all their versions, and their intents. Missing is fine."""
        if not keys:
            return
        refused = self.blobs.erase_keys(keys)
        if refused:
            raise Unreadable(f"{refused[0].code}: {refused[0].remnant.key} could not be removed")
        self.blobs.settle()
        with self.session() as session:
            for start in range(0, len(keys), 500):
                some = col(Artifact.key).in_(keys[start : start + 500])
                session.execute(sa.delete(Artifact).where(some))

    def audit(
        self,
        action: str,
        subject: str,
        object: str = "",
        result: Mapping[str, Any] | None = None,
        *,
        actor: str,
        now: datetime,
    ) -> None:
        """Add one entry to the audit log: ids, codes and counts only."""
        self.audit_all([audit_log.Event(action, subject, object, dict(result or {}), actor)], now=now)

    def audit_all(self, events: Iterable[audit_log.Event], *, now: datetime) -> None:
        """Add several entries in one transaction."""
        with self.session() as session:
            audit_log.append(session, events, now=now)

    def close(self) -> None:
        """Let go of the databases. The vault is of no use afterwards."""
        self.engine.dispose()
        self.keys.close()

    def __enter__(self) -> "Vault":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def upload_owner(folder: str) -> str:
    """Whose key opens the upload in this folder: nobody's, and a folder that somebody named says nothing by it."""
    return f"{UPLOAD}-{sha256(folder.encode()).hexdigest()[:16]}"


def key_owner(key: str) -> tuple[str, str]:
    """Whose blob this is, and of which kind: (employee id, kind)."""
    parts = key.split("/")
    if len(parts) < 4 or parts[0] != "people":
        raise MissingBlob("not a person's key")
    return parts[1], parts[2]


def open_vault(settings: Settings) -> Vault:
    """Open (and on first use make) everything `settings` points at: records, blobs and keys. From then on this process
    says what it finds in the language of the company."""
    speak(settings.language)
    engine = open_database(settings.records_url)
    prepare(engine)
    known = known_keys(engine)
    keys = Keyring(settings.wrapped_keys_url, settings.master_key_location, known)
    if not known.keyring:
        adopt_keys(engine, keys.name, keys.master_fingerprint, keys.made)
    vault = Vault(settings, engine, open_blobs(settings.blobs_location), keys)
    _shut_out_the_barred(vault)
    return vault


def _shut_out_the_barred(vault: Vault) -> None:
    """Records restored from a backup may call people active who were forgotten since: they stay outside, and the next
    sweep (`tasks.retention.restored`) forgets them again."""
    with vault.reading() as session:
        active = set(session.exec(select(Employee.id).where(col(Employee.state) == "active")))
    back = sorted(active & vault.keys.barred())
    if back:
        with vault.session() as session:
            for start in range(0, len(back), 500):
                some = col(Employee.id).in_(back[start : start + 500])
                moved = sa.update(Employee).where(some, col(Employee.state) == "active")
                session.execute(moved.values(state="erasing", epoch=col(Employee.epoch) + 1))
