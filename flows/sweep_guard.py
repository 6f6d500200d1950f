"""The supervisor's look at the forgetting: a sweep that is late is said and done, without Prefect.

A schedule that was switched off, a worker that is stuck and a server that schedules nothing all look the same: nothing
happens. The sweep itself is `rollcall retention run --if-overdue`, in a process of its own.
"""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tasks.vault.process import for_children

EVERY_S = 15 * 60.0  # lateness counts in hours
AFTER_A_FAILURE_S = 3600.0  # each try is an entry of the audit log


@dataclass
class SweepGuard:
    """Asks every quarter of an hour, the first time at once. `swept` is called after a sweep that was overdue."""

    environment: dict[str, str]
    log: Path
    say: Callable[[str], None]
    swept: Callable[[], object]
    next_at: float = 0.0
    process: subprocess.Popen[bytes] | None = None

    def tend(self, now: float) -> None:
        """Starts the question when it is time, and passes the answer on when it has come. Never waits."""
        if self.process is None and now >= self.next_at:
            with self.log.open("wb") as log:
                self.process = subprocess.Popen(
                    [sys.executable, "-m", "flows.cli", "retention", "run", "--if-overdue"],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=for_children(self.environment),
                    start_new_session=True,
                )  # fmt: skip
        elif self.process is not None and (code := self.process.poll()) is not None:
            self.process = None
            self.next_at = now + (AFTER_A_FAILURE_S if code else EVERY_S)
            said = self.log.read_text(encoding="utf-8", errors="replace").strip()
            if code:
                self.say(f"A late sweep did not come to its end (exit {code}); in an hour again. See {self.log}")
            if said and not code:
                self.say(said)
                self.swept()

    def stop(self, patience_s: float = 10.0) -> None:
        """A sweep that is stopped carries on the next time."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(patience_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
