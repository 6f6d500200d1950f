"""Fetching model files that the user asked for by name: `rollcall models pull NAME`, and nothing else, ever.

A base comes at the exact revision its card names, and only as far as it is loaded (`base_files.py`); each file is
compared with the sha256 of the card or the hub before the base counts as here. From the hub, a mirror that speaks its
protocol, or a folder that was carried here. Whatever goes wrong is one sentence. Eyes and mattes: `pull_networks.py`.
"""

import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

from tasks.failures import RollcallError
from tasks.vault.files import make_folders, replace_file
from tasks.vision.base_files import INDEX, NotWhole, choose_files, names_in, read_index
from tasks.vision.diffusion_card import BaseCard
from tasks.vision.hub import HALF, Hub, HubFault, RemoteFile
from tasks.vision.pulled import FileFacts, Pulled, read_pulled, why_not_here

CHUNK = 1 << 20  # bytes read at a time
SPARE = 1 << 30  # bytes of the disk that a pull leaves free

Say = Callable[[str], None]


class PullFailed(RollcallError):
    """Files could not be had, or were not what they should be; the message says what to do."""


def pull_base(card: BaseCard, *, say: Say, source: Path | None = None, mirror: str | None = None) -> Path:
    """Brings a base's files into its folder and returns it.

    `source`: a folder on this machine instead of the hub; `mirror`: another address that speaks the hub's protocol.
    A second call fetches what is missing or wrong, and nothing else; a base that is here and right stays usable
    meanwhile. Raises PullFailed.
    """
    try:
        if source is not None:
            shelf: Hub | _Carried = _Carried(source, card)
        elif card.repository is not None and card.revision is not None:
            shelf = Hub(card.repository, card.revision, mirror)
        elif (wrong := why_not_here(card)) is not None:
            raise PullFailed(wrong)
        else:
            say(f"{card.name} is here, and its card names no address: there is nothing to fetch.")
            return card.folder
        with _alone(card.folder):
            return _pull(card, shelf, say)
    except HubFault as fault:
        raise PullFailed(f"{card.repository or card.name}: {fault}") from fault
    except NotWhole as lacking:
        raise PullFailed(f"{_origin(card, source)} cannot be used: {lacking}.") from lacking
    except OSError as broken:
        why = broken.strerror or type(broken).__name__
        raise PullFailed(f"{card.folder} could not be written ({why}).") from broken


def _origin(card: BaseCard, source: Path | None) -> str:
    return str(source) if source is not None else f"{card.repository} at revision {(card.revision or '')[:12]}"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two pulls into one folder would write the same halves."""
    make_folders(folder, mode=0o777)
    with (folder / ".pulling").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PullFailed(f"{folder} is being filled by another pull; let that one end.") from None
        yield


def _pull(card: BaseCard, shelf: "Hub | _Carried", say: Say) -> Path:
    listed = shelf.files()
    if INDEX not in listed:
        raise NotWhole(f"it has no {INDEX}: Rollcall opens diffusers folders only")
    if not _right(card, INDEX, listed[INDEX]):
        if (before := read_pulled(card.folder)) is not None:
            replace(before, complete=False).write(card.folder)
        _take(card, shelf, INDEX, listed[INDEX])
    chosen = choose_files(listed, read_index(card.folder), card.variant, card.vae)
    licences = [name for name in listed if "/" not in name and name.upper().startswith("LICENSE")]
    wanted = {name: listed[name] for name in (*chosen.all, *licences)}
    pulled = {name: FileFacts(one.size, card.files.get(name) or one.sha256) for name, one in wanted.items()}
    missing = [name for name, one in wanted.items() if not _right(card, name, one)]
    _say_size(card, shelf, wanted, missing, say)
    if missing or why_not_here(card):
        _begin(card, pulled)
    for number, name in enumerate(missing, 1):
        say(f"  {number} of {len(missing)}: {name} ({in_words(wanted[name].size)})")
        _take(card, shelf, name, wanted[name])
    known = {name: FileFacts(facts.size, sha256_of(card.folder / name)) for name, facts in pulled.items()}
    Pulled(card.repository or "", card.revision or "", known, complete=True).write(card.folder)
    for half in card.folder.rglob(f".*{HALF}"):  # of files that another revision had
        half.unlink(missing_ok=True)
    if wrong := why_not_here(card):
        raise NotWhole(wrong)
    return card.folder


def _begin(card: BaseCard, files: dict[str, FileFacts]) -> None:
    """From here on, and until all has come, this is no base. What another revision left goes: a single file of weights
    would be loaded before this one's pieces."""
    before = read_pulled(card.folder)
    if before is not None and before.revision != (card.revision or ""):
        for name in before.files.keys() - files.keys():
            (card.folder / name).unlink(missing_ok=True)
    Pulled(card.repository or "", card.revision or "", files, complete=False).write(card.folder)


def _say_size(
    card: BaseCard, shelf: "Hub | _Carried", wanted: dict[str, RemoteFile], missing: list[str], say: Say
) -> None:
    """The total and the free disk, before the first byte; PullFailed when it would not fit."""
    total = sum(one.size for one in wanted.values())
    left = sum(wanted[name].size - shelf.here(name, wanted[name], card.folder) for name in missing)
    free = shutil.disk_usage(card.folder).free
    thrown = sum((card.folder / name).stat().st_size for name in missing if (card.folder / name).is_file())
    say(f"{card.title}: {len(wanted)} files, {in_words(total)}; {in_words(left)} to fetch, {in_words(free)} free.")
    if left + SPARE > free + thrown:
        raise PullFailed(
            f"{card.title} needs {in_words(left)} in {card.folder}, and {in_words(free)} are free there; "
            f"make room ({in_words(SPARE)} stay free), or put ROLLCALL_BASES on a larger disk."
        )


def _take(card: BaseCard, shelf: "Hub | _Carried", name: str, remote: RemoteFile) -> None:
    """One file, unless the right one is here. What is wrong is thrown away, so that the next try starts anew."""
    if _right(card, name, remote):
        return
    target = card.folder / name
    target.unlink(missing_ok=True)
    shelf.fetch(name, remote, card.folder)
    if not _right(card, name, remote):
        target.unlink(missing_ok=True)
        who = "the card" if name in card.files else "the hub"
        raise PullFailed(
            f"{name} is not the file that {who} names (its sha256 differs); "
            "it was thrown away. Try again; if it happens twice, something between here and the hub changes files."
        )


def _right(card: BaseCard, name: str, remote: RemoteFile) -> bool:
    """Whether the file here is the one that was listed. The card's word counts before the hub's."""
    path = card.folder / name
    if not path.is_file() or path.stat().st_size != remote.size:
        return False
    if (pinned := card.files.get(name) or remote.sha256) is not None:
        return sha256_of(path) == pinned
    return remote.blob is None or git_blob(path) == remote.blob


class _Carried:
    """A folder that somebody brought: compared with the note of the pull that filled it, where there is one."""

    def __init__(self, source: Path, card: BaseCard) -> None:
        inner = source / card.name
        self.folder = inner if (inner / INDEX).is_file() else source
        self.note = read_pulled(self.folder)
        if not (self.folder / INDEX).is_file():
            raise PullFailed(f"{source} holds no {INDEX}: name the folder that holds {card.name}'s files.")
        if self.folder.resolve() == card.folder.resolve():
            raise PullFailed(f"{source} is where {card.name} belongs: name the folder that its files were carried in.")
        if self.note is not None and card.revision is not None and self.note.revision != card.revision:
            raise PullFailed(
                f"{self.folder} holds revision {self.note.revision[:12]}, and {card.name}'s card names "
                f"{card.revision[:12]}; bring that one."
            )
        noted = self.note.files if self.note is not None else {}
        gone = [name for name in noted if not (self.folder / name).is_file()]
        if gone or (self.note is not None and not self.note.complete):
            raise PullFailed(
                f"{self.folder} is no whole base ({f'{gone[0]} is missing' if gone else 'its pull was cut'}): let "
                f"`rollcall models pull {card.name}` end where there is a network, then bring it again."
            )

    def files(self) -> dict[str, RemoteFile]:
        facts = self.note.files if self.note is not None else {}
        return {
            name: RemoteFile(
                facts[name].size if name in facts else (self.folder / name).stat().st_size,
                facts[name].sha256 if name in facts else None,
            )
            for name in names_in(self.folder)
        }

    def here(self, name: str, remote: RemoteFile, folder: Path) -> int:
        """A copy begins anew."""
        return 0

    def fetch(self, name: str, remote: RemoteFile, target: Path) -> None:
        with (self.folder / name).open("rb") as file:
            replace_file(target / name, self._read(file), mode=0o666)

    def _read(self, file: IO[bytes]) -> Iterator[bytes]:
        try:
            yield from blocks_of(file)
        except OSError as broken:  # a stick that was pulled out
            why = broken.strerror or type(broken).__name__
            raise PullFailed(f"{self.folder} could not be read to its end ({why}).") from broken


def blocks_of(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(CHUNK):
        yield block


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def git_blob(path: Path) -> str:
    """What git, and so the hub, calls a small file."""
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def in_words(size: float) -> str:
    """Bytes as people say them."""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
