"""Where Prefect calls in for step 4: taking one cohort's pictures, and asking for new ones."""

from datetime import UTC, datetime

from tasks.hands import the_hands
from tasks.headshots.batch_kits import load_kits
from tasks.headshots.finish_job import Finishers
from tasks.headshots.redo import next_round, wants_redo
from tasks.vault.batches import begin_run, load_batch, move_seat, note_work, seats_of
from tasks.vault.seats import BEGUN, JUDGED, TO_PHOTOGRAPH
from tasks.vault.settings import load_settings
from tasks.vault.store import open_vault
from tasks.vault.task import step
from tasks.vision.diffusion_card import load_base_card
from tasks.vision.drawn_by import drawing_card
from tasks.vision.loaded import the_base, the_eyes


@step
def take_pictures(batch: str, number: int) -> None:
    """Renders and finishes what one cohort still lacks."""
    from tasks.headshots.photographing import Studio, photograph  # torch: only for who draws (tasks.vision.loaded)

    settings = load_settings()
    with open_vault(settings) as vault:
        ordered = load_batch(vault, batch)
        card = load_base_card(ordered.base, settings.bases)
        drawing = drawing_card(card, settings.bases)
        kits = load_kits(vault, batch, settings.kits)
        seats = seats_of(vault, batch, cohort=number, states=TO_PHOTOGRAPH)
        for kit, some in kits.groups(seats):
            studio = Studio(
                vault, batch, kit.name, kit, the_eyes(settings.eyes, settings.models),
                lambda: the_base(drawing.name, settings.bases), card,
                Finishers(the_hands(settings.processes), settings.eyes, settings.models), drawing,
            )  # fmt: skip
            note_work(vault, batch, rendered=photograph(studio, some))
        for seat in seats:
            if kits.of(seat) is None:
                move_seat(vault, batch, seat.employee_id, "failed", "kit_broken", cause="KitError")


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
