"""Where Prefect calls in for step 4: taking one cohort's pictures, and asking for new ones."""

from datetime import UTC, datetime

from tasks.headshots.kit import load_kit
from tasks.headshots.photographing import Studio, photograph
from tasks.headshots.redo import next_round, wants_redo
from tasks.vault.batches import begin_run, load_batch, move_seat, note_work, seats_of
from tasks.vault.seats import BEGUN, JUDGED, TO_PHOTOGRAPH
from tasks.vault.settings import load_settings
from tasks.vault.store import open_vault
from tasks.vault.task import step
from tasks.vision.diffusion_card import load_base_card
from tasks.vision.loaded import the_base, the_eyes


@step
def take_pictures(batch: str, number: int) -> None:
    """Renders and finishes what one cohort still lacks."""
    settings = load_settings()
    with open_vault(settings) as vault:
        ordered = load_batch(vault, batch)
        card = load_base_card(ordered.base, settings.bases)
        studio = Studio(
            vault, batch, ordered.kit, load_kit(ordered.kit, settings.kits),
            the_eyes(settings.eyes, settings.models),
            lambda: the_base(ordered.base, settings.bases), card.family, card.token,
        )  # fmt: skip
        taken = photograph(studio, seats_of(vault, batch, cohort=number, states=TO_PHOTOGRAPH))
        note_work(vault, batch, rendered=taken)


@step
def ask_again(batch: str) -> list[int]:
    """Gives everybody whose redo nobody has answered one more round. Returns the cohorts that have work to do."""
    with open_vault(load_settings()) as vault:
        begin_run(vault, batch, datetime.now(UTC))
        wanted = wants_redo(vault, batch)
        for seat in seats_of(vault, batch, states=JUDGED):
            if redo := wanted.get(seat.employee_id):
                move_seat(vault, batch, seat.employee_id, "trained", **next_round(vault, seat, redo))
        # A round that was begun and killed is finished first.
        begun = seats_of(vault, batch, states=BEGUN)
        return sorted({seat.cohort for seat in begun if seat.cohort is not None})
