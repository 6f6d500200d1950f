"""The yield of a base: of all pictures that it drew for a batch, how many are like their person, and how many copies.

Counted over what was drawn, not over what is shown: pictures of earlier rounds, those that could not be finished and
those that were superseded count as well. Photographs of the real-photo lane were not drawn.
"""

from typing import Any

from sqlmodel import col, select

from tasks.headshots.batch_kits import BatchKits
from tasks.vault.batches import seats_of
from tasks.vault.records import Headshot, Showing
from tasks.vault.scores import Scores
from tasks.vault.store import Vault

BELOW = {"likeness", "wrong_person"}  # flags of a picture that is under the floor


def sum_up_drawn(vault: Vault, batch: str, kits: BatchKits) -> dict[str, Any]:
    """Counts for the run's facts; empty where nothing was drawn. Who was forgotten since is in no count."""
    shown = select(Headshot).join(Showing, col(Showing.headshot_digest) == col(Headshot.digest))
    with vault.reading() as session:
        found = session.exec(shown.where(Showing.batch_id == batch, Headshot.lane == "generated")).all()
    if not found:
        return {}
    under = {seat.employee_id: kits.of(seat) for seat in seats_of(vault, batch)}
    mine = [row for row in found if (kit := under.get(row.employee_id)) is None or kit.name == row.kit]
    like = [row for row in mine if Scores.from_json(row.scores).judged and not BELOW & set(row.flags)]
    copies = sum("copied" in row.flags for row in mine)
    return {"drawn": {"like_them": _share(len(like), len(mine)), "copies": _share(copies, len(mine))}}


def _share(count: int, total: int) -> str:
    return f"{count} of {total} ({count / max(total, 1):.0%})"
