"""kill -9 in every phase, then the same command again: the same things are made as if nothing had happened."""

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

PHASES = [
    "Checking selfies",
    "Preparing portraits",
    "Learning faces",
    "Taking pictures",
    "Finishing pictures",
    "Checking likeness",
    "Looking at the whole team",
]


def test_killed_in_every_phase_a_batch_ends_as_if_undisturbed(installation, finished, company) -> None:
    command = ("make", str(company.drop), "--kit", "harbour", "--quality", "draft")
    reached = {phase: installation.run_until(phase, *command) for phase in PHASES}
    installation.made(company.drop)

    # A later phase may find everything done by a run that was killed a moment too late: most must be reached.
    assert sum(reached.values()) >= len(PHASES) - 2, reached
    assert installation.contents() == finished.contents()
    assert list((installation.home / "scratch").rglob("*.safetensors")) == []
