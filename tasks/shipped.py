"""Where what ships with Rollcall lies, and where the company's own version of it does.

In a checkout it lies beside the code. An installed package is not the company's to write in: what is changed or fetched
goes to a folder in the home, begun as a copy, and counts from then on instead of what ships.
"""

import shutil
from pathlib import Path

from tasks.vault.files import part_of

_ROOT = Path(__file__).resolve().parents[1]
_INSTALLED = _ROOT / "rollcall_shipped"  # pyproject.toml puts it there

SHIPPED = _INSTALLED if _INSTALLED.is_dir() else _ROOT


def in_use(name: str, home: Path) -> Path:
    """The folder of this name (`brand_kits`, `base_models`) that counts: the home's where there is one."""
    own = home / name
    return own if own.is_dir() else SHIPPED / name


def to_write_in(folder: Path, home: Path, installed: Path = _INSTALLED) -> Path:
    """The folder itself, where it is the company's; for one of an installed package, its copy in the home."""
    if not folder.is_relative_to(installed):
        return folder
    own = home / folder.name
    if not own.is_dir():
        part = part_of(own)
        shutil.copytree(folder, part)
        part.rename(own)
    return own
