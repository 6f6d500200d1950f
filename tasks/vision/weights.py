"""Which weights a base has, asked of its files alone: machines compare them without loading a model."""

import hashlib
from collections.abc import Collection
from pathlib import Path

from tasks.vision.diffusion_card import BaseCard

WHOLE_FILE = 64 * 2**20  # bytes; larger files are fingerprinted by samples spread over them
SAMPLES, SAMPLE = 64, 2**16


def unused(card: BaseCard) -> set[str]:
    """What lies in the folder and is no part of this base: other autoencoders, and first weights of adapters."""
    names = {path.name for path in card.folder.glob("vae*") if path.name != card.vae}
    return names | ({card.training.start.file} if card.training.start is not None else set())


def fingerprint(folder: Path, without: Collection[str] = ()) -> str:
    """Hash of all weight files: whole files up to 64 MiB, beyond that size, header and 64 samples spread over them.

    Files and folders named in `without` are left out.
    """
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*.safetensors")):
        if path.relative_to(folder).parts[0] in without:
            continue
        size = path.stat().st_size
        total.update(f"{path.relative_to(folder).as_posix()} {size}\n".encode())
        with path.open("rb") as file:
            if size <= WHOLE_FILE:
                total.update(file.read())
                continue
            for index in range(SAMPLES):
                file.seek(index * (size - SAMPLE) // (SAMPLES - 1))
                total.update(file.read(SAMPLE))
    return total.hexdigest()
