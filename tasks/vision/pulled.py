"""What a pull leaves beside a base's files: where they came from, how long each is, its sha256, and whether all came.

It is written before the first byte and again after the last check, so a pull that was cut, killed or betrayed is
never taken for a base. `why_not_here` is the one answer to "is this base here?": for the list, for a run, for opening.
"""

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from tasks.vault.files import replace_file
from tasks.vision.base_files import INDEX, NotWhole, files_in
from tasks.vision.diffusion_card import BaseCard

NAME = "pulled.json"


@dataclass(frozen=True)
class FileFacts:
    """One file as it should be. `sha256` is known once it was read here, or where the hub or the card names it."""

    size: int
    sha256: str | None = None


@dataclass(frozen=True)
class Pulled:
    """What was asked for, and whether all of it came."""

    repository: str
    revision: str
    files: dict[str, FileFacts]
    complete: bool

    def write(self, folder: Path) -> None:
        replace_file(folder / NAME, json.dumps(asdict(self), indent=1).encode(), mode=0o666)


def read_pulled(folder: Path) -> Pulled | None:
    """The note of an earlier pull into this folder; None when there is none, or nothing that can be read as one."""
    try:
        known = json.loads((folder / NAME).read_text("utf-8"))
        files = {name: FileFacts(**facts) for name, facts in known.pop("files").items()}
        return Pulled(**known, files=files)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def why_not_here(card: BaseCard) -> str | None:
    """None when every file of the base is here and whole; else what is wrong, and what to do about it."""
    wrong = _wrong(card)
    if wrong is None:
        return None
    if card.repository is None:
        return (
            f"{card.name} is not whole in {card.folder}: {wrong}. Its card names no repository: restore the folder, "
            f"or bring its files with `rollcall models pull {card.name} --from FOLDER`."
        )
    return f"{card.name} is not here: {wrong}. Run `rollcall models pull {card.name}`."


def something_of(folder: Path) -> bool:
    """Whether any byte of a base lies there: a pull that was refused leaves its lock, and nothing else."""
    return any(path.stat().st_size > 0 for path in folder.rglob("*") if path.is_file())


def _wrong(card: BaseCard) -> str | None:
    if not (card.folder / INDEX).is_file():
        return f"there is no {INDEX}"
    pulled = read_pulled(card.folder)
    if pulled is not None:
        if card.revision is not None and pulled.revision != card.revision:
            return f"its files are of revision {pulled.revision[:12] or 'unknown'}, the card names {card.revision[:12]}"
        lacking = [name for name, facts in pulled.files.items() if not _of_size(card.folder / name, facts.size)]
        if lacking:
            return f"{len(lacking)} of {len(pulled.files)} files are missing or cut off, such as {lacking[0]}"
        if not pulled.complete:
            return "the last download was not checked to its end"
    try:
        files_in(card.folder, card.variant, card.vae)
    except NotWhole as lacking_part:
        return str(lacking_part)
    return _prior_wrong(card) or _start_wrong(card)


def _prior_wrong(card: BaseCard) -> str | None:
    """Class pictures that are missing are found here, and not when the first photo has been looked at."""
    named = card.training.class_pictures
    if named is None or (card.folder / named).is_file():
        return None
    return f"the class pictures that its card names, {named}, are missing (restore them, or take `prior` off the card)"


def _start_wrong(card: BaseCard) -> str | None:
    """And so is a shared start that is missing, or another."""
    start = card.training.start
    if start is None:
        return None
    path, mend = card.folder / start.file, "restore it, or take [training.start] off the card"
    if not path.is_file():
        return f"the shared start that its card names, {start.file}, is missing ({mend})"
    if sha256(path.read_bytes()).hexdigest() != start.sha256:
        return f"{start.file} is another shared start than its card names ({mend})"
    return None


def _of_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size
