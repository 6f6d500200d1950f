"""Fetching model files that the user asked for by name: `rollcall models pull NAME`, and nothing else, ever.

Bases come at the exact revision their card names, safetensors and configuration only (a pickle can run code).
Eyes come file by file, each checked against the sha256 in its TOML before it gets its name.
"""

import hashlib
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from tasks.vault.files import replace_file
from tasks.vision.diffusion_card import BaseCard
from tasks.vision.eyes_card import EyesCard, NetworkCard, lacking

# Weights as safetensors, configuration and tokenizers as text; everything else stays where it is.
WANTED = ["*.safetensors", "*.safetensors.index.json", "*.json", "*.txt", "*.model", "LICENSE*"]
CHUNK = 1 << 20


class PullFailed(Exception):
    """Files could not be had, or were not what they should be; the message says what to do."""


def pull_base(card: BaseCard, *, say: Callable[[str], None], endpoint: str | None = None) -> Path:
    """Fetches a base's files into its folder and returns it. Does nothing for a base that ships with Rollcall."""
    if card.repository is None:
        say(f"{card.name} ships with Rollcall; there is nothing to fetch.")
        return card.folder
    say(f"Fetching {card.title} ({card.licence}) from {card.repository} at {card.revision} ...")
    try:
        snapshot_download(
            card.repository, revision=card.revision, local_dir=card.folder, allow_patterns=WANTED, endpoint=endpoint
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as failed:
        raise PullFailed(
            f"{card.repository} could not be fetched ({type(failed).__name__}). Check the connection, accept the "
            f"model's licence at its page if it has a gate, or copy the folder to {card.folder} yourself."
        ) from failed
    if not any(card.folder.rglob("*.safetensors")):
        raise PullFailed(f"{card.repository} holds no safetensors at this revision; Rollcall loads nothing else.")
    return card.folder


def pull_eyes(card: EyesCard, folder: Path, *, say: Callable[[str], None], source: Path | None = None) -> None:
    """Fetches what `folder` lacks of a pair of eyes, or copies it out of `source`.

    One file that fails keeps no other from coming. PullFailed when the eyes cannot open with what there is; what they
    can do without is a note.
    """
    failed = []
    for network in card.networks():
        try:
            pull_network(network, folder, say=say, source=source)
        except PullFailed as wrong:
            failed.append(str(wrong))
    if lacking(card, folder):
        raise PullFailed("\n".join(failed))
    for text in failed:
        say(f"Left out; these eyes work without it: {text}")


def pull_network(network: NetworkCard, folder: Path, *, say: Callable[[str], None], source: Path | None = None) -> Path:
    """Fetches one network file, or copies it out of the folder `source`, and checks its sha256 before it gets its
    name; keeps one that is right already."""
    target = folder / network.file
    if target.exists() and _sha256(target) == network.sha256:
        return target
    if source is not None:
        return _copied(network, source, target, say)
    if not network.url:
        raise PullFailed(f"{network.file} has no public address: `--from FOLDER` takes it from a folder that holds it.")
    say(f"Fetching {network.file} ({network.licence}) ...")
    try:
        with urllib.request.urlopen(network.url, timeout=60) as answer:
            replace_file(target, _checked(answer, network), mode=0o666)
    except OSError as failed:
        raise PullFailed(
            f"{network.file} could not be fetched ({type(failed).__name__}). Without a way out to "
            "the network, copy the files to this machine and name their folder with `--from`."
        ) from failed
    return target


def _copied(network: NetworkCard, source: Path, target: Path, say: Callable[[str], None]) -> Path:
    there = source / network.file
    if not there.is_file():
        raise PullFailed(f"{network.file} is not in {source}.")
    say(f"Copying {network.file} ({network.licence}) ...")
    with there.open("rb") as file:
        replace_file(target, _checked(file, network), mode=0o666)
    return target


def _checked(answer: IO[bytes], network: NetworkCard) -> Iterator[bytes]:
    """The answer's blocks; PullFailed after the last one when they are not the file that was asked for."""
    digest = hashlib.sha256()
    while block := answer.read(CHUNK):
        digest.update(block)
        yield block
    if digest.hexdigest() != network.sha256:
        raise PullFailed(
            f"{network.file} has sha256 {digest.hexdigest()}, expected {network.sha256}; it was thrown away."
        )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()
