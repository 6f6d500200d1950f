"""Photos leave an upload once the vault has them: one copy is enough.

Only from uploads that the desk keeps, below `<home>/drops`: a folder of HR's own is never touched.
"""

from collections.abc import Iterable

from tasks.roster.drop import Drop
from tasks.roster.upload import Upload


def let_go(drop: Drop, paths: Iterable[str]) -> int:
    """Remove these photos from an upload of ours; how many."""
    if not isinstance(drop, Upload):
        return 0
    gone = sum(drop.remove(path) for path in paths)
    if gone:
        drop.sync()
    return gone
