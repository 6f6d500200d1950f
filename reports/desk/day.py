"""What wants HR now: from how every batch stands to a short list, the most urgent first. Pure, every word chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reports.desk.batch_state import BatchState
from reports.words import say
from tasks.sentences import tell

AT_ONCE = 6  # things that can be read in five seconds; the rest is folded away, and counted
SHOWN_REASONS = 3  # more would not fit one line; the rest is counted


@dataclass(frozen=True)
class Want:
    """One thing to do. `address` is where it is done: a page, or, with `press`, a form of one button."""

    tone: str  # bad | fair | blue | calm
    title: str
    detail: str
    action: str
    address: str
    press: bool = False


def title_of(batch: BatchState) -> str:
    """What a batch is called: its name, or else its kit and how many people it has."""
    if batch.name or not batch.people:
        return batch.name or tell("batch.begun", kit=batch.kit_title)
    return tell("batch.unnamed", batch.people, kit=batch.kit_title)


def wants_of(
    batches: Iterable[BatchState], questions: int, late: str, by: str, goes: tuple[int, str] = (0, "")
) -> list[Want]:
    """Everything that waits for somebody at the desk. `by`: who looks, who may not say yes to a run of their own.
    `goes`: how many people are forgotten next, and on which day."""
    found: list[Want] = []
    if late:
        found.append(
            Want("bad", tell("home.late"), late + " " + tell("home.late_detail"), tell("home.late_do"), "/retention")
        )
    if questions:
        found.append(
            Want(
                "fair",
                tell("home.questions", questions),
                tell("home.questions_detail"),
                tell("home.questions_do"),
                "/questions",
            )
        )
    if goes[0]:
        title, detail = tell("home.goes", goes[0], day=goes[1]), tell("home.goes_detail")
        found.append(Want("fair", title, detail, tell("home.goes_do"), "/retention"))
    here = [batch for batch in batches if not batch.archived]
    for batch in here:
        found += _held(batch, by)
    for batch in here:
        found += _of_batch(batch)
    return sorted(found, key=lambda want: want.tone == "calm")  # what can wait stands below every batch's work


def _held(batch: BatchState, by: str) -> list[Want]:
    if not batch.held_by:
        return []
    detail = tell("home.held_own") if batch.held_by == by else tell("home.held_detail", who=batch.held_by)
    title = tell("home.held", batch.count("awaiting_approval"), batch=title_of(batch))
    return [Want("fair", title, detail, tell("home.held_do"), f"/batches/{batch.id}/home")]


def _of_batch(batch: BatchState) -> list[Want]:
    where = f"/batches/{batch.id}"
    rests = not batch.maker  # while a run is at work, only what the run does not change is asked for
    found: list[Want] = []

    def ask(what: str, tone: str, number: int, page: str, detail: str = "", *, press: bool = False) -> None:
        title = tell(f"home.{what}", number, batch=title_of(batch))
        words = detail or tell(f"home.{what}_detail")
        found.append(Want(tone, title, words, tell(f"home.{what}_do"), where + page, press))

    if batch.to_review and rests:
        ask("review", "blue", batch.to_review, "/", _first(batch))
    if batch.redo and rests:
        ask("redo", "blue", batch.redo, "/reshoot", press=True)
    if batch.undelivered and not batch.to_review and rests:
        ask("deliver", "blue", batch.undelivered, "/deliver")
    if batch.stopped:
        ask("stopped", "fair", batch.count("stopped"), "/home")
    elif batch.count("failed") and rests:
        ask("failed", "bad", batch.count("failed"), "/home")
    if batch.count("blocked"):
        ask("blocked", "calm", batch.count("blocked"), "/blocked.html", reasons_of(batch.blocked))
    return found


def _first(batch: BatchState) -> str:
    """Who needs a look comes first in a review."""
    return (
        tell("home.review_first", batch.count("attention")) if batch.count("attention") else tell("home.review_detail")
    )


def reasons_of(blocked: Sequence[tuple[str, int]]) -> str:
    """ "4 No photos, 3 No consent, and 2 others": why people are left out, in words."""
    said = [f"{number} × {say(reason).name.lower()}" for reason, number in blocked[:SHOWN_REASONS]]
    rest = sum(number for _, number in blocked[SHOWN_REASONS:])
    return ", ".join(said) + (f", {tell('home.other_reasons', rest)}" if rest else "") + "."
