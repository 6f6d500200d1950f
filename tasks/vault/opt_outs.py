"""Who does not want generated pictures, as far as reviewers' decisions say so.

A decision is an event; "undo" takes back the one before it, within a batch. What is left standing outranks the roster:
a roster that is read again knows nothing of what somebody said at the desk.
"""

from collections.abc import Iterable

from sqlmodel import Session, col, select

from tasks.vault.records import Decision


def standing_opt_outs(session: Session) -> dict[str, Decision]:
    """Employee id to the newest opt-out that was not taken back."""
    somebody = select(Decision.employee_id).where(col(Decision.verdict) == "opt_out").distinct()
    rows = session.exec(select(Decision).where(col(Decision.employee_id).in_(somebody))).all()
    by_batch: dict[tuple[str, str], list[Decision]] = {}
    for row in rows:
        by_batch.setdefault((row.employee_id, row.batch_id), []).append(row)
    found: dict[str, Decision] = {}
    for (employee_id, _), decisions in by_batch.items():
        for decision in _standing(decisions):
            newest = found.get(employee_id)
            if decision.verdict == "opt_out" and (newest is None or newest.at < decision.at):
                found[employee_id] = decision
    return found


def _standing(decisions: Iterable[Decision]) -> list[Decision]:
    left: list[Decision] = []
    for decision in sorted(decisions, key=lambda one: (one.at, one.id)):
        if decision.verdict != "undo":
            left.append(decision)
        elif left:
            left.pop()
    return left
