"""Photos leave an upload once the vault has them: what the desk was sent lies there in clear, and one copy is enough.

Only from drops that the desk keeps, below `<home>/drops`: a folder of HR's own is never touched. Photos of people who
still have to send more, or who are blocked, stay until that is settled, or until their date.
"""

from collections.abc import Iterable
from pathlib import Path

from tasks.roster.drop import Drop
from tasks.vault.files import sync_folder
from tasks.vault.settings import Settings


def is_ours(drop: Drop, settings: Settings) -> bool:
    """Whether the desk keeps this drop for HR."""
    return Path(drop.location).parent == settings.home / "drops"


def let_go(drop: Drop, settings: Settings, paths: Iterable[str]) -> int:
    """Remove these photos from a drop of ours, and folders that bear somebody's name and hold nothing; how many."""
    if not is_ours(drop, settings):
        return 0
    top, gone = Path(drop.location), 0
    for path in paths:
        (top / path).unlink(missing_ok=True)
        gone += 1
        folder = (top / path).parent
        while folder.parent != top and folder != top and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent
    if gone:
        sync_folder(top)
    return gone
