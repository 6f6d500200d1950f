"""Learning the faces of one cohort: what is missing, training it, keeping every adapter that fits its owner best.

An adapter's digest is made of the selfies, the base and the plan. One that exists, and whose blob verifies, is never
trained again; that, and not an orchestrator's cache, is what makes a killed run resumable.
"""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from tasks import progress
from tasks.adapters.export import adapter_bytes
from tasks.adapters.lessons import lessons
from tasks.adapters.ownership import Owned, check_owners
from tasks.adapters.plan import TrainingPlan, plan_training
from tasks.adapters.portraits import Likeness, accepted_selfies, open_selfies
from tasks.adapters.shelf import VaultShelf
from tasks.adapters.training import CohortProgress, TrainedAdapter, train_cohort
from tasks.vault.batches import move_seat
from tasks.vault.consent import Permit
from tasks.vault.failures import NoConsent, VaultError
from tasks.vault.leaving import Leavers
from tasks.vault.records import Adapter, Seat
from tasks.vault.seats import JUDGED_OR_TO_JUDGE, State
from tasks.vault.store import Vault
from tasks.vision.diffusion import FrozenBase
from tasks.vision.faces import Eyes, Vector
from tasks.vision.looks import PhotoLooks, read_looks

NOT_THEIR_OWN, NOT_LEARNED = "not_their_own", "training_failed"


@dataclass(frozen=True)
class Pupil:
    """One person whose adapter is to be there: leave, plan, and the digest that their adapter will have.

    `seed` follows from photos, base and plan alone, so that the same photos give the same adapter in any home.
    """

    permit: Permit
    plan: TrainingPlan
    digest: str
    seed: int

    @property
    def id(self) -> str:
        return self.permit.employee_id


def adapter_digest(owner: str, selfies: Sequence[str], fingerprint: str, plan: TrainingPlan) -> str:
    """hash(owner, selfie digests, base, plan): equal digests mean equal adapters, of one and the same person."""
    return _hashed({"owner": owner, "selfies": sorted(selfies), "base": fingerprint, "plan": plan.words()})


def older_digests(owner: str, selfies: Sequence[str], fingerprint: str, plan: TrainingPlan) -> tuple[str, str]:
    """The same as 0.1 made it, which left the owner out, and as it was before all words of the card counted: what was
    learned then is found again, by its owner only."""
    facts = {"selfies": sorted(selfies), "base": fingerprint, "plan": plan.first_words()}
    return _hashed(facts), _hashed({**facts, "owner": owner})


def _hashed(facts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def seed_of(digest: str) -> int:
    """A person's own stream of randomness: the same in any cohort, any slot, any run, on any machine."""
    return int(digest[:12], 16)


def missing(vault: Vault, base: FrozenBase, seats: Sequence[Seat], batch: str, quality: str) -> list[Pupil]:
    """Who of these people still lacks an adapter. People without leave or photos are marked and left out, and nobody is
    learned twice in one order from the very photos and plan by which it came to nothing.
    """
    pupils = []
    for seat in seats:
        try:
            permit = vault.permit(seat.employee_id, now=datetime.now(UTC))
        except NoConsent as refused:
            move_seat(vault, batch, seat.employee_id, "blocked", refused.code)
            continue
        if seat.lane == "faithful":
            continue  # who declined generation is not learned
        rows = accepted_selfies(vault, seat.employee_id)
        if not rows:
            move_seat(vault, batch, seat.employee_id, "blocked", "no_photos")
            continue
        plan = plan_training(base.card, quality, len(rows), longer=seat.longer_from is not None)
        photos = [row.digest for row in rows]
        older = older_digests(seat.employee_id, photos, base.fingerprint, plan)
        there = (digest for digest in older if kept(vault, digest, seat.employee_id))
        digest = next(there, adapter_digest(seat.employee_id, photos, base.fingerprint, plan))
        if kept(vault, digest, seat.employee_id):
            state: State = seat.state if seat.state in JUDGED_OR_TO_JUDGE else "trained"
            move_seat(vault, batch, seat.employee_id, state, seat.reason, adapter_digest=digest)
        elif not _came_to_nothing(seat, digest):
            pupils.append(Pupil(permit, plan, digest, seed_of(older[0])))
    return pupils


def _came_to_nothing(seat: Seat, digest: str) -> bool:
    """Whether learning them was brought to its end in this order, and what came of it was no good: training has no
    chance in it. `try_again` begins another order."""
    return seat.state == "failed" and seat.reason in (NOT_THEIR_OWN, NOT_LEARNED) and seat.adapter_digest == digest


def kept(vault: Vault, digest: str, owner: str) -> bool:
    """Whether an adapter of this person is there, row and blob."""
    with vault.reading() as session:
        row = session.get(Adapter, digest)
    return row is not None and row.employee_id == owner and vault.exists(row.blob_key)


def learn(
    vault: Vault,
    base: FrozenBase,
    eyes: Eyes,
    pupils: Sequence[Pupil],
    batch: str,
    *,
    slots: int,
    checkpointing: bool = False,
) -> int:
    """Trains every pupil's adapter, many at a time, and keeps each that fits its owner best. Returns how many.

    `checkpointing` recomputes activations where memory is short; it changes no number of the result. A person whose
    training fails is marked; nobody else notices. Checkpoints go when every adapter has been checked and is in the
    vault: whatever goes wrong before that costs no step of training, since the next call goes on from there.
    """
    by_id = {pupil.id: pupil for pupil in pupils}
    started = time.monotonic()
    people = []
    leavers = Leavers(vault, batch)

    def look(selfie: Likeness, alpha: Vector) -> PhotoLooks:
        return read_looks(eyes, selfie.picture, selfie.face, alpha)

    for place, pupil in enumerate(pupils):
        selfies: list[Likeness] = []
        with leavers.may_leave(pupil.id):
            selfies = open_selfies(vault, pupil.permit, eyes)
        if pupil.id in leavers.gone:
            continue
        if not selfies:
            move_seat(vault, batch, pupil.id, "failed", "no_face")
            continue
        people.append(lessons(pupil.id, selfies, pupil.plan, base.card, eyes.matter, pupil.seed, look))
        progress.tell("encode", place + 1, len(pupils), pupil.id)
    shelf = VaultShelf(vault, [pupil.permit for pupil in pupils])
    done: list[str] = []
    settled = True
    progress.tell("train", 0, len(people))
    for plan in dict.fromkeys(pupil.plan for pupil in pupils):
        group = [person for person in people if by_id[person.id].plan == plan]
        trained = train_cohort(
            base,
            group,
            plan,
            slots=slots,
            shelf=shelf,
            checkpointing=checkpointing,
            on_progress=lambda step: progress.tell("train", len(done) + _under_way(step), len(people)),
            on_done=lambda one: done.append(one.person_id),
        )
        strangers = someone_elses(check_owners(base, trained, group, plan))
        for one in trained:
            reason = NOT_THEIR_OWN if one.person_id in strangers else one.reason
            seconds = time.monotonic() - started
            settled &= _keep_or_mark(vault, base, by_id[one.person_id], one, batch, reason, seconds)
    if settled:
        shelf.clear()
    return len(done)


def someone_elses(checked: Sequence[Owned]) -> set[str]:
    """People whose portraits another's adapter fits better than their own: an adapter in the wrong file looks so."""
    return {one.person_id for one in checked if one.rank_among_adapters > 1}


def _keep_or_mark(
    vault: Vault,
    base: FrozenBase,
    pupil: Pupil,
    trained: TrainedAdapter,
    batch: str,
    reason: str | None,
    seconds: float,
) -> bool:
    """Whether nothing of this person's training is needed any more."""
    if reason or trained.state != "done" or trained.weights is None:
        why = reason if reason == NOT_THEIR_OWN else NOT_LEARNED
        move_seat(vault, batch, pupil.id, "failed", why, cause=reason, adapter_digest=pupil.digest)
        return True
    try:
        _keep(vault, base, pupil, trained, seconds)
        move_seat(vault, batch, pupil.id, "trained", adapter_digest=pupil.digest)
    except NoConsent as refused:  # taken back while the face was learned
        move_seat(vault, batch, pupil.id, "blocked", refused.code)
    except VaultError as refused:
        cause = getattr(refused, "code", type(refused).__name__)
        move_seat(vault, batch, pupil.id, "failed", "broke_down", cause=cause)
        return False
    return True


def _under_way(step: CohortProgress) -> float:
    """How many people's worth of work the unfinished ones have behind them."""
    return sum(done / total for _, done, total in step.running if total)


def _keep(vault: Vault, base: FrozenBase, pupil: Pupil, trained: TrainedAdapter, seconds: float) -> None:
    data = adapter_bytes(trained, pupil.plan, base.card, fingerprint=base.fingerprint)
    key = vault.write(pupil.permit, "adapter", f"{pupil.digest}.safetensors", data)
    row = Adapter(
        digest=pupil.digest, employee_id=pupil.id, base=base.card.name, base_fingerprint=base.fingerprint,
        plan=asdict(pupil.plan), blob_key=key, steps=trained.steps, photos=len(accepted_selfies(vault, pupil.id)),
        few_photos=pupil.plan.few_photos, loss_first=trained.loss_first, loss_last=trained.loss_last,
        seconds=round(seconds, 1), created_at=datetime.now(UTC),
    )  # fmt: skip
    with vault.session() as session:
        session.merge(row)
