"""Second chances: what falls short is taken again by itself before a person has to look at it.

New seeds first, as many rounds as the kit allows (`extra_rounds`); then, for whoever is not like themselves in any of
them, one longer training. Both are noted in the seat, so a run that is killed or repeated gives nobody one more.
Whoever is still not like themselves after that needs new photos, and the seat says so with the reason. A kit without
extra rounds gives no chances at all.
"""

from typing import Any

from tasks.headshots.batch_kits import BatchKits
from tasks.headshots.kit import BrandKit
from tasks.likeness.choose import NOT_LIKE_THEM, OF_THE_PHOTOS
from tasks.vault.batches import Notes, move_seat, seats_of
from tasks.vault.records import Seat
from tasks.vault.seats import BEGUN
from tasks.vault.store import Vault

NEEDS_PHOTOS = "needs_new_photos"


def give_second_chances(vault: Vault, batch: str, kits: BatchKits, *, last: bool = False) -> list[int]:
    """Gives everybody who is flagged one more round while the kit allows it. Returns the cohorts to run again.

    In the `last` turn of a run nobody is given one that nobody would take; the batch's next run gives it.
    """
    # A round that was given and then killed is finished before anything else.
    begun = seats_of(vault, batch, states=BEGUN)
    cohorts = {seat.cohort for seat in begun if seat.chances and seat.cohort is not None}
    for seat in seats_of(vault, batch, states=("flagged",)):
        kit = kits.of(seat)
        chance = None if kit is None else next_chance(seat, kit)
        if chance is not None and seat.cohort is not None:
            if not last:
                cohorts.add(seat.cohort)
                move_seat(vault, batch, seat.employee_id, "trained", None, **chance)
        elif seat.reason in NOT_LIKE_THEM:
            move_seat(vault, batch, seat.employee_id, "flagged", NEEDS_PHOTOS, cause=seat.reason)
    return sorted(cohorts)


def next_chance(seat: Seat, kit: BrandKit) -> Notes | None:
    """What to note in a flagged seat for its next round; None when a person has to look."""
    allowed, turn = kit.candidates.extra_rounds, seat.round + 1
    noted: Notes = {"round": turn, "chances": seat.chances + 1, "fell_short": seat.reason}
    if seat.lane != "generated" or seat.reason in OF_THE_PHOTOS:
        return None
    if seat.chances < allowed:
        return noted
    if allowed and seat.reason in NOT_LIKE_THEM and seat.longer_from is None:
        return {**noted, "longer_from": turn}
    return None


def sum_up_chances(vault: Vault, batch: str) -> dict[str, Any]:
    """What second chances came to, as counts for the run's facts; empty when nobody needed one."""
    given = [seat for seat in seats_of(vault, batch) if seat.chances]
    if not given:
        return {}
    helped = sum(seat.state == "done" for seat in given)
    left = sum(seat.state == "flagged" for seat in given)
    return {"second_chances": {"people": len(given), "good_now": helped, "left_to_a_person": left}}
