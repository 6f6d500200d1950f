"""Which weights a base has, asked of its files alone: machines compare them without loading a model."""

import hashlib
from collections.abc import Collection
from pathlib import Path

from tasks.vision.base_files import files_in
from tasks.vision.diffusion_card import BaseCard

WHOLE_FILE = 64 * 2**20  # bytes; larger files are fingerprinted by samples spread over them
SAMPLES, SAMPLE = 64, 2**16  # pieces of a large file, and bytes of each


def fingerprint_of(card: BaseCard) -> str:
    """Of the weights that this base loads. Raises NotWhole where they are not all here."""
    return fingerprint(card.folder, files_in(card.folder, card.variant, card.vae).weights)


def fingerprint(folder: Path, weights: Collection[str]) -> str:
    """Hash of these weights, by their paths in the folder; nothing else that lies there counts.

    Whole files up to 64 MiB; beyond that size, header and 64 samples spread over them.
    """
    total = hashlib.sha256()
    for path in sorted(folder / name for name in weights):
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
