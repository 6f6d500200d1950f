"""Photos leave an upload once the vault has them: one copy is enough.

Only from uploads that the desk keeps, below `<home>/drops`: a folder of HR's own is never touched. Whose photos are
leaving is noted until the last is gone: what a process that dies leaves of somebody's photos is no smaller set of them.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlmodel import col, select

from tasks.roster.drop import Drop
from tasks.roster.upload import Upload
from tasks.selfies.live_photos import beside
from tasks.selfies.match import Matching
from tasks.vault.batches import load_batch, note_facts
from tasks.vault.records import Selfie
from tasks.vault.store import Vault


def begin_leaving(vault: Vault, batch_id: str, drop: Drop, people: Iterable[str]) -> None:
    """Note among the batch's facts whose photos (by id) are about to leave an upload of ours."""
    if isinstance(drop, Upload):
        note_facts(vault, batch_id, leaving_upload=sorted(people))


def let_go(vault: Vault, batch_id: str, drop: Drop, photos: Iterable[str]) -> int:
    """Remove these photos from an upload of ours; how many."""
    if not isinstance(drop, Upload):
        return 0
    gone = _remove(drop, list(photos))
    note_facts(vault, batch_id, leaving_upload=[])
    return gone


def are_leaving(vault: Vault, batch_id: str) -> bool:
    """Whether a process died while photos left this batch's upload."""
    return bool(load_batch(vault, batch_id).facts.get("leaving_upload"))


def without_left_behind(
    vault: Vault, batch_id: str, ids: Mapping[str, str], matching: Matching, drop: Drop
) -> Matching:
    """The matching without those photos of who was leaving that the vault knows by their bytes: they go as if they had
    gone then. What HR has sent since is not among them. `ids`: number to employee id."""
    leaving, found = set(load_batch(vault, batch_id).facts.get("leaving_upload", ())), set()
    for number, paths in matching.by_number.items():
        person = ids.get(number, "")
        if person in leaving:
            with vault.reading() as session:
                known = set(session.exec(select(Selfie.digest).where(col(Selfie.employee_id) == person)))
            found |= {path for path in paths if hashlib.sha256(drop.read(path)).hexdigest() in known}
    if isinstance(drop, Upload):
        _remove(drop, sorted(found))
    left = {number: tuple(path for path in paths if path not in found) for number, paths in matching.by_number.items()}
    return replace(matching, by_number=left)


def _remove(upload: Upload, photos: Sequence[str]) -> int:
    for path in beside(photos, upload.files()):  # first: without its photo a live photo's video would be taken for one
        upload.remove(path)
    gone = sum(upload.remove(path) for path in photos)
    upload.sync()
    return gone
