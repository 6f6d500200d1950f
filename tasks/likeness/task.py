"""Where Prefect calls in for step 5: judging a cohort's pictures, and the whole team side by side."""

from tasks import progress
from tasks.hands import the_hands
from tasks.headshots.batch_kits import load_kits
from tasks.likeness.chances import give_second_chances
from tasks.likeness.judge_job import Judges
from tasks.likeness.judging import judge
from tasks.likeness.together import judge_together
from tasks.vault.batches import note_facts, seats_of
from tasks.vault.seats import JUDGED_OR_TO_JUDGE, TO_JUDGE
from tasks.vault.settings import load_settings
from tasks.vault.store import open_vault
from tasks.vault.task import step
from tasks.vision.loaded import the_eyes


@step
def judge_people(batch: str, number: int) -> None:
    """Scores the pictures of a cohort's people that have not been judged yet."""
    settings = load_settings()
    with open_vault(settings) as vault:
        fresh = seats_of(vault, batch, cohort=number, states=TO_JUDGE)
        if fresh:
            everybody = seats_of(vault, batch, cohort=number, states=JUDGED_OR_TO_JUDGE)
            kits = load_kits(vault, batch, settings.kits)
            note_facts(vault, batch, team={})  # what was said of the team no longer holds
            judges = Judges(the_hands(settings.processes), settings.eyes, settings.models)
            judge(vault, batch, kits, the_eyes(settings.eyes, settings.models), everybody, judges)


@step
def judge_team(batch: str) -> None:
    """Measures whether the finished pictures look like one studio day, names outliers, and notes the run's facts."""
    settings = load_settings()
    with open_vault(settings) as vault:
        kits = load_kits(vault, batch, settings.kits)
        note_facts(vault, batch, state="done", **judge_together(vault, batch, kits, settings, the_eyes))
        progress.tell("team", 1, 1)


@step
def second_chances(batch: str, last: bool = False) -> list[int]:
    """Asks for new pictures of everybody who fell short, as often as the kit allows. Returns the cohorts to run.

    After the `last` turn of a run nothing more is asked for: nobody would take it.
    """
    settings = load_settings()
    with open_vault(settings) as vault:
        return give_second_chances(vault, batch, load_kits(vault, batch, settings.kits), last=last)
