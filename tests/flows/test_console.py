"""What a terminal shows: phases, how long they took, and that a phase may come twice."""

import io

from rich.console import Console

from flows.console import Board
from tasks.progress import Progress


def said(*steps: tuple[str, float, float, float]) -> list[str]:
    """The lines that a pipe gets for steps of (phase, done, total, seconds on the clock)."""
    now = [0.0]
    written = io.StringIO()
    board = Board(Console(file=written, width=100), clock=lambda: now[0])
    for phase, done, total, at in steps:
        now[0] = at
        board.hear(Progress(phase, done, total))
    return written.getvalue().splitlines()


def test_each_phase_is_named_once_and_says_how_long_it_took() -> None:
    assert said(("train", 0, 6, 0), ("train", 3, 6, 40), ("train", 6, 6, 80), ("render", 24, 24, 81)) == [
        "Learning faces ...",
        "Learning faces: 6 done in 80 s",
        "Taking pictures ...",
        "Taking pictures: 24 done in 0 s",
    ]


def test_a_second_round_is_timed_from_its_own_beginning() -> None:
    lines = said(("render", 0, 24, 0), ("render", 24, 24, 30), ("render", 0, 8, 90), ("render", 8, 8, 100))
    assert lines[2:] == ["Taking pictures ...", "Taking pictures: 8 done in 10 s"]
