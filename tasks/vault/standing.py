"""What reviewers' decisions leave standing, and who, by them, does not want generated pictures.

A decision is an event that is added and never edited; "undo" is an event too, and takes back the one before it in the
same batch. What is left standing outranks the roster: a roster read again knows nothing of what the desk was told.
"""

from collections.abc import Iterable

from sqlmodel import Session, col, select

from tasks.vault.records import Decision


def standing(decisions: Iterable[Decision]) -> list[Decision]:
    """One person's decisions in one batch, in order, without undone ones and their undoing."""
    left: list[Decision] = []
    for decision in sorted(decisions, key=lambda one: (one.at, one.id)):
        if decision.verdict != "undo":
            left.append(decision)
        elif left:
            left.pop()
    return left


def standing_opt_outs(session: Session) -> dict[str, Decision]:
    """Employee id to the newest opt-out that was not taken back."""
    somebody = select(Decision.employee_id).where(col(Decision.verdict) == "opt_out").distinct()
    rows = session.exec(select(Decision).where(col(Decision.employee_id).in_(somebody))).all()
    by_batch: dict[tuple[str, str], list[Decision]] = {}
    for row in rows:
        by_batch.setdefault((row.employee_id, row.batch_id), []).append(row)
    found: dict[str, Decision] = {}
    for (employee_id, _), decisions in by_batch.items():
        for decision in standing(decisions):
            newest = found.get(employee_id)
            if decision.verdict == "opt_out" and (newest is None or newest.at < decision.at):
                found[employee_id] = decision
    return found
