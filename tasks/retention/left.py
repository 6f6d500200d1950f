"""For the keeper: where a blocked case still finds something of the person, so that somebody can take it away.

The list lies in the home and never on a receipt. The words themselves are not in it: a path or a row that holds one
has a gap in its place, and the list goes as soon as nothing is left.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from tasks.retention.mentions import Mentioned
from tasks.retention.search import Hit
from tasks.retention.traces import LEFT
from tasks.vault.files import replace_file

_GAP = "..."


def list_left(who: Mentioned, hits: Sequence[Hit], home: Path) -> tuple[str, ...]:
    """One line for each place: file or table, column and row, and the spelling."""
    kinds = [*who.kinds, *("wrapped key" for _ in who.secrets)]
    lines = []
    for hit in hits:
        where = hit.where.replace(f"{home}/", "")
        for word in who.words:
            where = re.sub(re.escape(word), _GAP, where, flags=re.IGNORECASE)
        inside = f", {hit.inside}" if hit.inside else ""
        lines.append(f"{where}{inside}, written as {hit.spelling}")
    return tuple(sorted(set(lines))) if kinds else ()


def keep_list(home: Path, case: str, lines: Sequence[str] | None, *, blocked: bool) -> None:
    """Write the list of a blocked case, and take the list of any other away. Without a new look the old one stays."""
    path = path_of(home, case)
    if not blocked:
        path.unlink(missing_ok=True)
    elif lines:
        replace_file(path, ("\n".join(lines) + "\n").encode())


def read_list(home: Path, case: str) -> tuple[str, ...]:
    """The lines of a case's list; none when nothing is listed."""
    path = path_of(home, case)
    return tuple(path.read_text(encoding="utf-8").splitlines()) if path.is_file() else ()


def path_of(home: Path, case: str) -> Path:
    """Where the list of this case lies."""
    return home / LEFT / f"{case}.txt"
