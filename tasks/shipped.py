"""Where what ships with Rollcall lies, and where the company's own version of it does.

In a checkout it lies beside the code. An installed package is not the company's to write in: what is changed or fetched
goes to a folder in the home (`flows/own_copy.py`), and counts from then on instead of what ships.
"""

from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
INSTALLED = _ROOT / "rollcall_shipped"  # pyproject.toml puts it there

SHIPPED = INSTALLED if INSTALLED.is_dir() else _ROOT


def in_use(name: str, home: Path) -> Path:
    """The folder of this name (`brand_kits`, `base_models`) that counts: the home's where there is one."""
    own = home / name
    return own if own.is_dir() else SHIPPED / name
