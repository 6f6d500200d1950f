"""A folder of what ships that the company may write in: the home's copy, where the package is not theirs to change."""

import shutil
from pathlib import Path

from tasks.shipped import INSTALLED
from tasks.vault.files import part_of


def to_write_in(folder: Path, home: Path, installed: Path = INSTALLED) -> Path:
    """The folder itself, where it is the company's; for one of an installed package, its copy in the home."""
    if not folder.is_relative_to(installed):
        return folder
    own = home / folder.name
    if not own.is_dir():
        part = part_of(own)
        shutil.copytree(folder, part)
        part.rename(own)
    return own
