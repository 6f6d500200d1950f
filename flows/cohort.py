"""One cohort on one GPU: fine-tune, render, finish, score. Runs inline, or on a worker of the `gpu` pool."""

from prefect import flow

from flows.announcing import COHORT, bar
from tasks.adapters.task import begin_cohort, learn_faces, note_breakdown
from tasks.headshots.task import take_pictures
from tasks.likeness.task import judge_people


@flow(name="cohort", flow_run_name="{batch} cohort {number}", persist_result=False)
def cohort(batch: str, number: int, attempt: int = 1) -> None:
    """Learns the faces of one cohort, takes their pictures, and says how good they are.

    One person's failure is a line in the report, never the end of the others.
    """
    begin_cohort(batch, number)
    with bar(f"progress-{batch}-cohort-{number}", COHORT):
        try:
            learn_faces(batch, number)
            take_pictures(batch, number)
            judge_people(batch, number)
        except Exception as broken:
            note_breakdown(batch, number, type(broken).__name__)
            raise
