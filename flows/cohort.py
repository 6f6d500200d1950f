"""One cohort on one GPU: fine-tune, render, finish, score. Runs inline, or on a worker of the `gpu` pool."""

from flows.announcing import COHORT, bar
from flows.story import BATCH, named, story, this_run
from tasks.adapters.task import begin_cohort, end_cohort, learn_faces, note_breakdown
from tasks.headshots.task import take_pictures
from tasks.likeness.task import judge_people
from tasks.vault.telling import kind_of
from tasks.vault.turns import TakenOver, checked, group_is_ours
from tasks.vision.loaded import tidy_up


@story("cohort", named("cohort", batch=BATCH, number="[0-9]{1,6}"))
def cohort(batch: str, number: int, attempt: int = 1) -> None:
    """Learns the faces of one cohort, takes their pictures, and says how good they are.

    One person's failure is a line in the report, never the end of the others.
    """
    run = this_run()
    begin_cohort(batch, number, run, attempt)
    with checked(group_is_ours(batch, number, run)), bar(f"progress-{batch}-cohort-{number}", COHORT):
        try:
            learn_faces(batch, number)
            take_pictures(batch, number)
            judge_people(batch, number)
        except TakenOver:
            raise  # nothing more is ours to say
        except Exception as broken:
            note_breakdown(batch, number, kind_of(broken))
            raise
        finally:
            tidy_up()
        end_cohort(batch, number)
