"""How somebody stands in a batch: the states, which may follow which, and the sets that the steps ask for by name.

ready ──► trained ──► rendered ──► done
  ▲          ▲            ├──────► flagged      a person has to look, or new photos are needed
  │          └────────────┴── another round, for a reviewer or for falling short
blocked      somebody outside has to do something first: HR, or the employee
awaiting_approval    of what it costs; only a person's yes makes them ready
stopped      by a person; nothing carries it on by itself
failed       something broke; the next run tries again, and one that goes on by itself only what broke on our side
"""

from collections.abc import Collection, Mapping
from typing import Literal, get_args

State = Literal["ready", "blocked", "awaiting_approval", "stopped", "trained", "rendered", "done", "flagged", "failed"]
Lane = Literal["generated", "faithful"]  # drawn by what was learned, or finished from the person's own photographs
STATES: tuple[State, ...] = get_args(State)

# Who can be learned, and who can be photographed: whatever is there already is passed over by its digest.
TO_LEARN: tuple[State, ...] = ("ready", "trained", "rendered", "done", "flagged", "failed")
TO_PHOTOGRAPH: tuple[State, ...] = ("ready", "trained", "rendered", "done", "flagged")
TO_JUDGE: tuple[State, ...] = ("rendered",)
JUDGED: tuple[State, ...] = ("done", "flagged")
JUDGED_OR_TO_JUDGE: tuple[State, ...] = (*TO_JUDGE, *JUDGED)
BEGUN: tuple[State, ...] = ("trained", "rendered")  # a round that was begun and not brought to its end
UNFINISHED: tuple[State, ...] = ("ready", *BEGUN)
WAITING: tuple[State, ...] = (*UNFINISHED, "awaiting_approval")  # for us, where blocked waits for somebody else
# Nothing but an answer, a correction or a person's word moves these on.
HELD: tuple[State, ...] = ("blocked", "awaiting_approval", "stopped")
# Whom a person's word stops, and whom the wait for a second person's yes holds (tasks.vault.halts).
TO_STOP: tuple[State, ...] = (*UNFINISHED, "failed", "awaiting_approval")
TO_APPROVE: tuple[State, ...] = ("ready", "failed")

_WORK: tuple[State, ...] = ("ready", "trained", "rendered", "failed", "blocked", "stopped")
MOVES: Mapping[State, Collection[State]] = {
    "ready": (*_WORK, *JUDGED, "awaiting_approval"),
    "blocked": ("ready", "blocked", "awaiting_approval", "stopped"),
    "awaiting_approval": ("ready", "blocked", "awaiting_approval", "stopped"),
    "stopped": ("ready", "blocked", "stopped"),
    "trained": _WORK,
    "rendered": (*_WORK, *JUDGED),
    "done": (*_WORK, *JUDGED),
    "flagged": (*_WORK, *JUDGED),
    "failed": (*_WORK, "awaiting_approval"),
}


class ForbiddenMove(ValueError):
    """A seat was to be moved to where it cannot go from where it is: a defect, not a person's mistake."""


def checked_move(before: State, after: State) -> State:
    """`after`, where a seat that stands at `before` may move to it; ForbiddenMove where not."""
    if after not in MOVES[before]:
        raise ForbiddenMove(f"a seat cannot go from {before} to {after}")
    return after
