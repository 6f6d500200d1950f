"""Second chances: what falls short is taken again by itself before a person has to look at it.

New seeds first, as many rounds as the kit allows (`extra_rounds`); then, for whoever is not like themselves in any of
them, one longer training. Both are noted in the seat, so a run that is killed or repeated gives nobody one more.
Whoever is still not like themselves after that needs new photos, and the seat says so with the reason. A kit without
extra rounds gives no chances at all.
"""

from typing import Any

from tasks.adapters.learning import longer_from
from tasks.headshots.kit import BrandKit
from tasks.headshots.photographing import lane_of, round_of
from tasks.likeness.choose import NOT_LIKE_THEM, OF_THE_PHOTOS
from tasks.vault.batches import move_seat, seats_of
from tasks.vault.records import Seat
from tasks.vault.store import Vault

NEEDS_PHOTOS = "needs_new_photos"


def chances_of(seat: Seat) -> int:
    """How many rounds this person was given for falling short."""
    return int(seat.detail.get("chances", 0)) if isinstance(seat.detail, dict) else 0


def give_second_chances(vault: Vault, batch: str, kit: BrandKit) -> list[int]:
    """Gives everybody who is flagged one more round while the kit allows it. Returns the cohorts to run again."""
    # A round that was given and then killed is finished before anything else.
    begun = seats_of(vault, batch, states=("trained", "rendered"))
    cohorts = {seat.cohort for seat in begun if chances_of(seat) and seat.cohort is not None}
    for seat in seats_of(vault, batch, states=("flagged",)):
        chance = next_chance(seat, kit)
        if chance and seat.cohort is not None:
            cohorts.add(seat.cohort)
            move_seat(vault, batch, seat.employee_id, "trained", None, fell_short=seat.reason, **chance)
        elif seat.reason in NOT_LIKE_THEM:
            move_seat(vault, batch, seat.employee_id, "flagged", NEEDS_PHOTOS, because=seat.reason)
    return sorted(cohorts)


def next_chance(seat: Seat, kit: BrandKit) -> dict[str, int]:
    """What to note in a flagged seat for its next round; empty when a person has to look."""
    used, allowed, round = chances_of(seat), kit.candidates.extra_rounds, round_of(seat) + 1
    if lane_of(seat) != "generated" or seat.reason in OF_THE_PHOTOS:
        return {}
    if used < allowed:
        return {"round": round, "chances": used + 1}
    if allowed and seat.reason in NOT_LIKE_THEM and longer_from(seat) is None:
        return {"round": round, "chances": used + 1, "longer_from": round}
    return {}


def sum_up_chances(vault: Vault, batch: str) -> dict[str, Any]:
    """What second chances came to, as counts for the run's facts; empty when nobody needed one."""
    given = [seat for seat in seats_of(vault, batch) if chances_of(seat)]
    if not given:
        return {}
    helped = sum(seat.state == "done" for seat in given)
    left = sum(seat.state == "flagged" for seat in given)
    return {"second_chances": {"people": len(given), "good_now": helped, "left_to_a_person": left}}
