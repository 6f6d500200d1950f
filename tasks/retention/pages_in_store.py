"""The same as `pages`, for reports in the blob store: people's files go with every version, and so does each page that
speaks of them, since it is written again from the records; where they still are afterwards is counted by reading.
"""

from collections.abc import Iterable, Sequence

from tasks.retention.mentions import Mentioned, Mentions
from tasks.retention.pages import PagesCleared, speaks_of
from tasks.vault.report_files import InStore, batches_in_store, person_of
from tasks.vault.store import Vault

_PICTURES = (".webp",)


def clear_stored_pages(vault: Vault, people: Sequence[Mentioned]) -> PagesCleared:
    """Take these people out of every report in the store, and look again."""
    ids, mentions = {person.id for person in people}, Mentions(people)
    removed = residue = 0
    batches = []
    for batch in batches_in_store(vault):
        files = InStore(vault, batch)
        doomed = _about(files, ids, mentions)
        if doomed:
            files.remove(doomed)
            removed += len(doomed)
            batches.append(batch)
            residue += len(_about(files, ids, mentions))
    return PagesCleared(removed, 0, tuple(batches), residue)


def remove_stored_pictures(vault: Vault, people: Iterable[str]) -> tuple[str, ...]:
    """Remove these people's pictures from reports in the store (their photos' time is up); the batches concerned."""
    ids, batches = set(people), []
    for batch in batches_in_store(vault):
        files = InStore(vault, batch)
        doomed = [name for name in files.names() if person_of(name) in ids and name.endswith(_PICTURES)]
        if doomed:
            files.remove(doomed)
            batches.append(batch)
    return tuple(batches)


def _about(files: InStore, ids: set[str], mentions: Mentions) -> list[str]:
    """Files of these people, and pages that speak of them; one that cannot be opened speaks of nobody any more."""
    found = []
    for name in files.names():
        if person_of(name) in ids:
            found.append(name)
        elif not name.endswith(_PICTURES):
            text = files.read(name)
            if text is not None and speaks_of(text.decode("utf-8", "replace"), mentions):
                found.append(name)
    return found
