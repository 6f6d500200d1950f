"""Where Prefect calls in for step 3: who sits in which cohort, what it will take, and learning one cohort's faces."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tasks import progress
from tasks.adapters.announced import forecast_markdown
from tasks.adapters.costs import hold_if_costly
from tasks.adapters.plan import slots_for
from tasks.vault.batches import load_batch, move_seat, newcomers, note_work, seat_cohorts, seats_of
from tasks.vault.scratch import clear_half_learned
from tasks.vault.seats import TO_LEARN, UNFINISHED
from tasks.vault.settings import load_settings
from tasks.vault.store import open_vault
from tasks.vault.task import step
from tasks.vault.turns import end_turn, take_turn
from tasks.vision.loaded import the_base, the_eyes

# People per training step. On a CPU more than eight gain nothing (`benchmarks/cohort.py`).
SLOTS = 8


@step
def seat_people(batch: str) -> list[int]:
    """Seats everybody who is ready; returns the cohorts. Who is beyond the order's limit waits for another run."""
    settings = load_settings()
    with open_vault(settings) as vault:
        facts = load_batch(vault, batch).facts
        people = str(facts.get("people", "all"))
        only = newcomers(vault, batch) if facts.get("who") == "new" else None
        return seat_cohorts(vault, batch, settings.cohort, None if people == "all" else int(people), only)


@step
def announce_forecast(batch: str, workers: int = 1) -> str:
    """What this run will take on so many workers, in words for HR, before the expensive part."""
    settings = load_settings()
    with open_vault(settings) as vault:
        return forecast_markdown(vault, settings, batch, workers, datetime.now(ZoneInfo(settings.timezone)))


@step
def hold_costly(batch: str) -> int:
    """Holds everybody whose learning would cost more than the company lets one person order; how many wait."""
    settings = load_settings()
    with open_vault(settings) as vault:
        return hold_if_costly(vault, settings, batch, datetime.now(UTC))


@step
def learn_faces(batch: str, number: int) -> None:
    """Trains the adapters that one cohort still lacks."""
    from tasks.adapters.learning import learn, missing  # torch: only for who learns (tasks.vision.loaded)
    from tasks.vision.memory import free_gib

    settings = load_settings()
    with open_vault(settings) as vault:
        base = the_base(load_batch(vault, batch).base, settings.bases)
        seats = seats_of(vault, batch, cohort=number, states=TO_LEARN)
        pupils = missing(vault, base, seats, batch, load_batch(vault, batch).quality)
        if not pupils:
            return
        progress.tell("encode", 0, len(pupils))
        clear_half_learned(settings.scratch)
        slots, checkpointing = slots_for(base.card, pupils[0].plan, free_gib(base.device), SLOTS, loaded=True)
        trained = learn(
            vault, base, the_eyes(settings.eyes, settings.models), pupils, batch,
            slots=slots, checkpointing=checkpointing,
        )  # fmt: skip
        note_work(vault, batch, trained=trained)


@step
def begin_cohort(batch: str, number: int, run: str, attempt: int) -> None:
    """This run has the cohort from now on; what an earlier attempt broke down on says nothing about this one."""
    with open_vault(load_settings()) as vault, vault.session() as session:
        take_turn(session, batch, number, run, attempt)
    _note_cause(batch, number, None)


@step
def end_cohort(batch: str, number: int) -> None:
    """The cohort has come to its end."""
    with open_vault(load_settings()) as vault, vault.session() as session:
        end_turn(session, batch, number)


@step
def note_breakdown(batch: str, number: int, cause: str) -> None:
    """Keeps with everybody a cohort left unfinished the class of what it broke down on; a message might name them."""
    _note_cause(batch, number, cause)


def _note_cause(batch: str, number: int, cause: str | None) -> None:
    with open_vault(load_settings()) as vault:
        for seat in seats_of(vault, batch, cohort=number, states=UNFINISHED):
            move_seat(vault, batch, seat.employee_id, seat.state, seat.reason, cause=cause)


@step
def give_up(batch: str, number: int) -> None:
    """Marks whom a cohort left unfinished when it could not be brought to its end. The next run goes on with them.

    The reason is the true one: that it broke down, where the cause was noted; else that the machine died under it.
    """
    with open_vault(load_settings()) as vault:
        with vault.session() as session:
            end_turn(session, batch, number)
        for seat in seats_of(vault, batch, cohort=number, states=UNFINISHED):
            move_seat(vault, batch, seat.employee_id, "failed", "broke_down" if seat.cause else "interrupted")
