"""What a terminal shows while a batch runs: one line per phase, who is being worked on, and the time left.

People appear as "person 3 of 6": a terminal is often a shared screen or a log file.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from tasks import progress

PHASES = {
    "roster": "Reading the roster",
    "photos": "Checking selfies",
    "cohorts": "Groups of people",
    "encode": "Preparing portraits",
    "train": "Learning faces",
    "render": "Taking pictures",
    "finish": "Finishing pictures",
    "faithful": "Finishing real photographs",
    "score": "Checking likeness",
    "team": "Looking at the whole team",
    "report": "Writing the report",
}


def minutes(seconds: float) -> str:
    """A duration as people say it: "under a minute", "3 min"."""
    return "under a minute" if seconds < 60 else f"{round(seconds / 60)} min"


class Board:
    """Turns what is told into lines on the terminal; on a plain pipe, into one printed line per phase."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self.console = console
        self.clock = clock
        self.bars = Progress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description:<28}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[note]}"),
            console=console,
        )
        self.tasks: dict[str, TaskID] = {}
        self.started: dict[str, float] = {}
        self.over: set[str] = set()

    def hear(self, step: progress.Progress) -> None:
        """One step of progress: moves its phase's bar and says how long the phase will still take."""
        title = PHASES.get(step.phase, step.phase.capitalize())
        if step.phase not in self.tasks or step.phase in self.over:
            self.begin(step, title)
        self.bars.update(
            self.tasks[step.phase], completed=min(step.done, step.total), total=step.total, note=self.note(step)
        )
        if step.done >= step.total:
            self.over.add(step.phase)
            if not self.console.is_terminal:
                self.console.print(f"{title}: {step.total:g} done in {self.clock() - self.started[step.phase]:.0f} s")

    def begin(self, step: progress.Progress, title: str) -> None:
        """A phase's first step, or its first after it was over: who fell short is photographed a second time."""
        self.over.discard(step.phase)
        self.started[step.phase] = self.clock()
        if step.phase in self.tasks:
            self.bars.reset(self.tasks[step.phase], total=step.total)
        else:
            self.tasks[step.phase] = self.bars.add_task(title, total=step.total, note="")
        if not self.console.is_terminal:
            self.console.print(f"{title} ...")

    def note(self, step: progress.Progress) -> str:
        """The time left in this phase at its present pace, and the step's own remark."""
        spent = self.clock() - self.started.get(step.phase, self.clock())
        if not 0 < step.done < step.total or spent < 2:
            return step.note
        left = f"about {minutes(spent / step.done * (step.total - step.done))} left"
        return f"{left}  {step.note}".rstrip()


@contextmanager
def board(console: Console) -> Iterator[Board]:
    """Shows progress until the block ends; the bars stay on the screen."""
    shown = Board(console)
    with progress.listening(shown.hear):
        if console.is_terminal:
            with shown.bars:
                yield shown
        else:
            yield shown
