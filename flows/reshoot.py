"""Reshoot: everybody whom reviewers marked "redo" gets new candidates, with what was asked for changed in them.

Nothing is trained again, but for who was said not to look like themselves: their face is learned for longer, once.
"""

from typing import Annotated

from flows.announcing import BATCH as PHASES
from flows.announcing import bar, point_to_desk, sum_up
from flows.dispatch import take_and_judge
from flows.outcome import fail_if_nobody_is_done
from flows.story import BATCH, field, fits, named_by_batch, story, this_run
from reports.task import build_report
from tasks.headshots.form_words import batch_meant
from tasks.headshots.task import ask_again
from tasks.vault.lease import being_made
from tasks.vault.settings import load_settings

Batch = Annotated[str, field("Batch", "By its kit, its day and how many people it has.", pattern=BATCH)]


@story("reshoot", named_by_batch("new pictures"))
def reshoot(batch: Batch) -> str:
    """Takes new pictures of everybody marked redo, with new seeds, and rewrites the report. Returns the batch's id."""
    batch = fits(batch_meant(batch), BATCH, "Batch: choose one of the list.")
    point_to_desk(batch)
    with being_made(load_settings(), batch, this_run()), bar(f"progress-{batch}", PHASES):
        take_and_judge(batch, ask_again(batch))
        build_report(batch)
    sum_up(batch)
    fail_if_nobody_is_done(batch)
    return batch
