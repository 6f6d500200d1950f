"""One cohort on one GPU: fine-tune, render, finish, score. Runs inline, or on a worker of the `gpu` pool."""

from prefect import flow

from flows.announcing import COHORT, bar
from tasks.adapters.task import learn_faces
from tasks.headshots.task import take_pictures
from tasks.likeness.task import judge_people


@flow(name="cohort", flow_run_name="{batch} cohort {number}", persist_result=False)
def cohort(batch: str, number: int, attempt: int = 1) -> None:
    """Learns the faces of one cohort, takes their pictures, and says how good they are.

    One person's failure is a line in the report, never the end of the others.
    """
    with bar(f"progress-{batch}-cohort-{number}", COHORT):
        learn_faces(batch, number)
        take_pictures(batch, number)
        judge_people(batch, number)
