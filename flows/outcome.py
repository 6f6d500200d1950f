"""How a run ends: well when somebody has pictures, failed when everybody failed, whatever the machinery says.

Asked after the report is written, so that what happened to whom can be read there. Counts and classes only.
"""

from collections import Counter
from collections.abc import Sequence

from tasks.failures import RollcallError
from tasks.vault.batches import seats_of
from tasks.vault.records import Seat
from tasks.vault.seats import HELD
from tasks.vault.settings import load_settings
from tasks.vault.store import open_vault


class EverybodyFailed(RollcallError):
    """A run out of which nobody came with pictures. Says how many, why, and what to do."""


def fail_if_nobody_is_done(batch: str) -> None:
    """Raises EverybodyFailed where everybody who was to be photographed failed."""
    with open_vault(load_settings()) as vault:
        seats = seats_of(vault, batch)
    if sentence := why_failed(seats):
        raise EverybodyFailed(sentence)


def why_failed(seats: Sequence[Seat]) -> str:
    """What is to be said of a run with these seats; empty when it did not fail. Who is blocked was not in it."""
    tried = [seat for seat in seats if seat.cohort is not None and seat.state not in HELD]
    if not tried or any(seat.state != "failed" for seat in tried):
        return ""
    causes = Counter(seat.cause or seat.reason or "failed" for seat in tried)
    said = ", ".join(f"{cause} ({number})" for cause, number in causes.most_common())
    people = "The one person" if len(tried) == 1 else f"All {len(tried)} people"
    return (
        f"{people} of this run failed: {said}. The report is written and says it of each person. What to do: read the "
        f"run's log for the first of these words, mend what it names (room on the disk, memory, the base's files), and "
        f"run the batch again; what was learned is kept."
    )
