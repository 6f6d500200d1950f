"""Kill the process at every step that changes something, start again, and look for the person everywhere.

Each point is a real process that really dies by SIGKILL. Without encryption, so that a single forgotten byte shows.
"""

import errno
import os
import shutil
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest

from tasks.retention.case import Surroundings
from tasks.retention.erase import carry_out, forget, forget_people, look_again, open_cases
from tasks.retention.rules import load_rules
from tasks.retention.sweep import run_retention
from tasks.vault.failpoints import listening
from tasks.vault.records import Employee
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault

AROUND = Surroundings(load_rules())


def _company(settings: Settings, kit: ModuleType) -> None:
    with open_vault(settings) as vault:
        for one in ("p1", "p2"):
            kit.photograph(vault, kit.enrol(vault, one))


def _points(work: Callable[[], object]) -> list[str]:
    """Every place the work reaches, in order, repetitions included."""
    reached: list[str] = []
    with listening(reached.append):
        work()
    return reached


def _die_at(place: int, work: Callable[[], object]) -> bool:
    """Do the work in a process of its own that is killed at the n-th place it reaches; whether it died there."""
    child = os.fork()
    if child == 0:
        left = place

        def listen(_: str) -> None:
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

        try:
            with listening(listen):
                work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def _copy(template: Path, target: Path) -> Settings:
    shutil.copytree(template, target)
    return Settings(home=target, encrypt=False)


def _finish(settings: Settings, kit: ModuleType) -> None:
    """What the next sweeps do: carry on, and look again after the longest life of a writer."""
    with open_vault(settings) as vault:
        undone, _ = open_cases(vault, kit.NOW)
        carry_out(vault, undone, kit.NOW, AROUND)
        with vault.reading() as session:
            if (
                session.get_one(Employee, "p1").state == "active"
            ):  # killed before the wish was recorded: nothing happened
                return
        later = kit.NOW + timedelta(hours=7)
        receipts = look_again(vault, open_cases(vault, later)[1], later, AROUND)
        assert [receipt.state for receipt in receipts] == ["final"]


def test_killed_anywhere_forgetting_ends_the_same(tmp_path: Path, kit: ModuleType) -> None:
    template = tmp_path / "template"
    settings = Settings(home=template, encrypt=False)
    _company(settings, kit)
    rehearsal = _copy(template, tmp_path / "rehearsal")
    with open_vault(rehearsal) as vault:
        before = kit.fingerprint(vault, kit.canary("p2"))
        points = _points(lambda: forget(vault, "p1", "requested", kit.NOW, AROUND))
    assert len(points) >= 15
    for place, name in enumerate(points):
        home = tmp_path / f"at-{place}"
        mine = _copy(template, home)

        def work(mine: Settings = mine) -> None:
            with open_vault(mine) as vault:
                forget(vault, "p1", "requested", kit.NOW, AROUND)

        assert _die_at(place, work), name
        _finish(mine, kit)
        with open_vault(mine) as vault:
            fenced = place > points.index("erase.fence.before")
            assert (kit.hits([home], kit.canary("p1")) == []) == fenced, name
            assert kit.fingerprint(vault, kit.canary("p2")) == before, name
        shutil.rmtree(home)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_anywhere_a_sweep_ends_the_same(tmp_path: Path, kit: ModuleType) -> None:
    """The whole nightly sweep: one person's consent is withdrawn, everybody's photos are due."""
    template = tmp_path / "template"
    settings = Settings(home=template, encrypt=False)
    _company(settings, kit)
    with open_vault(settings) as vault:
        kit.withdraw(vault, "p1")
    now = kit.NOW + timedelta(days=31)
    rehearsal = _copy(template, tmp_path / "rehearsal")
    points = _points(lambda: run_retention(rehearsal, now))
    after = sorted(path.relative_to(rehearsal.home).as_posix() for path in (rehearsal.home / "blobs").rglob("*"))
    assert len(points) >= 20
    for place, name in enumerate(points):
        home = tmp_path / f"at-{place}"
        mine = _copy(template, home)
        assert _die_at(place, lambda mine=mine: run_retention(mine, now)), name
        run_retention(mine, now)
        run_retention(mine, now + timedelta(hours=7))
        assert kit.hits([home], kit.canary("p1")) == [], name
        assert kit.hits([home / "blobs"], kit.canary("p2")) == [], name
        assert sorted(path.relative_to(home).as_posix() for path in (home / "blobs").rglob("*")) == after, name
        with open_vault(mine) as vault, vault.reading() as session:
            assert session.get_one(Employee, "p2").name == kit.canary("p2").name
        shutil.rmtree(home)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_failing_disk_at_any_step_ends_the_same(tmp_path: Path, kit: ModuleType, code: int) -> None:
    template = tmp_path / "template"
    _company(Settings(home=template, encrypt=False), kit)
    with open_vault(_copy(template, tmp_path / "rehearsal")) as vault:
        points = _points(lambda: forget(vault, "p1", "requested", kit.NOW, AROUND))
    for place, name in list(enumerate(points))[::3]:
        mine = _copy(template, tmp_path / f"at-{place}")
        left = place

        def fail(_: str) -> None:
            nonlocal left
            left -= 1
            if left == -1:
                raise OSError(code, "failpoint")

        with open_vault(mine) as vault:
            with pytest.raises(OSError, match="failpoint"), listening(fail):
                forget(vault, "p1", "requested", kit.NOW, AROUND)
            if place > points.index("erase.fence.before"):
                _finish(mine, kit)
                assert kit.hits([mine.home], kit.canary("p1")) == [], name


def test_deleting_works_on_a_full_disk(tmp_path: Path, kit: ModuleType) -> None:
    """A store that takes no more bytes still lets go of those it has: blobs never need room to be deleted."""
    settings = Settings(home=tmp_path / "home", encrypt=False)
    _company(settings, kit)
    with open_vault(settings) as vault:

        def full(key: str, chunks: object) -> None:
            raise OSError(errno.ENOSPC, "full")

        vault.blobs.put = full  # type: ignore[method-assign, assignment]
        forget_people(vault, [("p1", "requested", kit.NOW)], kit.NOW, AROUND)
    assert kit.hits([tmp_path], kit.canary("p1")) == []


def test_a_busy_database_is_waited_for(tmp_path: Path, kit: ModuleType) -> None:
    """Somebody else writes for a while: forgetting waits and does not fail."""
    import threading

    settings = Settings(home=tmp_path / "home", encrypt=False)
    _company(settings, kit)
    with open_vault(settings) as other, open_vault(settings) as vault:
        holding, release = threading.Event(), threading.Event()

        def hold() -> None:
            with other.session() as session:
                session.get_one(Employee, "p2").title = "x"
                session.flush()
                holding.set()
                release.wait(30)

        writer = threading.Thread(target=hold)
        writer.start()
        holding.wait(30)
        threading.Timer(0.5, release.set).start()
        receipt = forget(vault, "p1", "requested", kit.NOW, AROUND)
        writer.join()
        assert receipt.state == "provisional"
