"""The supervisor's look at what needs a person: `rollcall doctor --alert` every five minutes, in its own process."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tasks.vault.process import for_children

EVERY_S = 300.0  # nobody is mailed about what passes within a few minutes


@dataclass
class AlertGuard:
    """Runs where the company has said who is to be told. What it said last stands in its log."""

    environment: dict[str, str]
    log: Path
    next_at: float = 0.0
    process: subprocess.Popen[bytes] | None = None

    def tend(self, now: float) -> None:
        """Starts it when it is time and the last one has ended. Never waits."""
        if self.process is not None and self.process.poll() is not None:
            self.process = None
        if self.process is None and now >= self.next_at and self.environment.get("ROLLCALL_ALERTS_TO"):
            self.next_at = now + EVERY_S
            with self.log.open("wb") as log:
                self.process = subprocess.Popen(
                    [sys.executable, "-m", "flows.cli", "doctor", "--alert"], stdin=subprocess.DEVNULL, stdout=log,
                    stderr=log, env=for_children(self.environment), start_new_session=True,
                )  # fmt: skip

    def stop(self) -> None:
        """A mail that was under way is sent the next time."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
