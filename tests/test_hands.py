"""Many hands: answers in the order of the questions, alike for any number of them, and a lost one says what to do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tasks.hands import AHEAD, Hands, Job, usual_processes
from tasks.sandbox import Opened
from tasks.vault.failures import HandLost

WORK = "tests.sandbox_openers:"


@pytest.fixture
def two() -> Iterator[Hands]:
    made = Hands(2)
    yield made
    made.close()


def echoes(one: Hands, count: int) -> list[tuple[int, bytes, int]]:
    """(number, what came back, process) of every job."""
    jobs = ((number, Job(bytes([number]) * 5, {"slow": number % 2 == 0})) for number in range(count))

    def then(number: int, opened: Opened) -> tuple[int, bytes, int]:
        return number, bytes(opened.blocks[0]), opened.value["pid"]

    return [result for _, result in one.each(WORK + "echo", jobs, then)]


def test_answers_come_in_order_from_all_hands_and_one_hand_is_this_process(two: Hands) -> None:
    shared, alone = echoes(two, 9), echoes(Hands(1), 9)
    assert [one[:2] for one in shared] == [one[:2] for one in alone] == [(n, bytes([n]) * 5) for n in range(9)]
    assert {pid for *_, pid in alone} == {os.getpid()}
    assert os.getpid() not in {pid for *_, pid in shared}


def test_no_more_is_asked_for_than_can_be_worked_on(two: Hands) -> None:
    asked = []

    def jobs() -> Iterator[tuple[int, Job]]:
        for number in range(20):
            asked.append(number)
            yield number, Job(b"x", {})

    for done, (number, _) in enumerate(two.each(WORK + "echo", jobs(), lambda *_: None)):
        assert number == done
        assert len(asked) <= done + AHEAD * two.processes + 1


def test_a_hand_that_dies_once_costs_nothing_and_twice_says_what_to_do(two: Hands, tmp_path: Path) -> None:
    once = Job(str(tmp_path / "died").encode(), {})
    assert [done for _, done in two.each(WORK + "dying_once", [(0, once)], lambda _, o: o.value)] == ["alive"]
    with pytest.raises(HandLost, match="ROLLCALL_PROCESSES to a smaller number") as lost:
        list(two.each(WORK + "dying", [(0, Job(str(int(signal.SIGKILL)).encode(), {}))], lambda *_: None))
    assert lost.value.how == "signal 9"
    assert len(echoes(two, 3)) == 3


def test_work_that_breaks_is_told_by_its_class_and_never_by_its_words(two: Hands) -> None:
    with pytest.raises(HandLost, match="ROLLCALL_PROCESSES=1") as lost:
        list(two.each(WORK + "raising", [(0, Job(b"Eva Muster", {}))], lambda *_: None))
    assert "Muster" not in str(lost.value)
    assert lost.value.how == "ValueError"


def test_hands_have_one_thread_and_nothing_of_ours(two: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_DATABASE_URL", "postgresql://hr:open-sesame@host/records")
    [(_, seen)] = two.each(WORK + "threads", [(0, Job(b"", {}))], lambda _, o: o.value)
    assert seen["opencv"] == seen["openmp"] == 1
    assert "sesame" not in str(seen["environment"])


_PARENT = """
from tasks.hands import Hands, Job
two = Hands(2)
jobs = ((n, Job(b"x", {})) for n in range(99))
for n, pid in two.each("tests.sandbox_openers:echo", jobs, lambda _, o: o.value["pid"]):
    print(pid, flush=True)
    if n == 5:
        print("ready", flush=True)
        import time; time.sleep(60)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_hands_end_with_whoever_asked_however_that_ends(how: signal.Signals) -> None:
    root = Path(__file__).resolve().parents[1]
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=root,
        # Tests may run in a shell's background, where this is ignored, and what is ignored stays so in children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert parent.stdout is not None
    pids = set()
    for line in parent.stdout:
        if line == "ready\n":
            break
        pids.add(int(line))
    children = [psutil.Process(pid) for pid in pids]
    parent.send_signal(how)
    parent.wait(30)
    parent.stdout.close()
    _, left = psutil.wait_procs(children, timeout=20)
    assert left == []


def test_as_many_as_cores_and_memory_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.hands.cores", lambda: 16)
    monkeypatch.setattr("os.sysconf", lambda name: {"SC_PHYS_PAGES": 2**20, "SC_PAGE_SIZE": 4096}[name])
    assert usual_processes() == 4
    monkeypatch.setattr("tasks.hands.cores", lambda: 1)
    assert usual_processes() == 1
