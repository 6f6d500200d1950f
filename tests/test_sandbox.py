"""The sandbox: whatever a file does to what opens it, it costs that file, a little memory and a little time."""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tasks.sandbox import Fallen, Limits, Sandbox, the_sandbox
from tasks.vault.process import UMASK

HERE = "tests.sandbox_openers:"
MIB = 2**20


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox(2)
    yield made
    made.close()


def fallen(sandbox: Sandbox, opener: str, data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(Fallen) as caught:
        sandbox.open(HERE + opener, data, limits)
    return caught.value.how


def test_a_file_comes_back_as_values_and_bytes_and_the_child_is_used_again(sandbox: Sandbox) -> None:
    first = sandbox.open(HERE + "echo", b"\x00\xffphoto", options={"side": 7, "name": "Zoë"})
    second = sandbox.open(HERE + "echo", bytes(3 * MIB))
    assert [bytes(block) for block in first.blocks] == [b"\x00\xffphoto", b"\x00"]
    assert first.value["options"] == {"side": 7, "name": "Zoë"}
    assert len(second.blocks[0]) == 3 * MIB
    assert first.value["pid"] == second.value["pid"] != os.getpid()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_child_that_dies_costs_its_own_file_and_no_other(sandbox: Sandbox, number: signal.Signals) -> None:
    with ThreadPoolExecutor(4) as pool:
        others = [pool.submit(sandbox.open, HERE + "echo", bytes([i])) for i in range(8)]
        assert fallen(sandbox, "dying", str(int(number)).encode()) == f"signal {int(number)}"
        others += [pool.submit(sandbox.open, HERE + "echo", bytes([i])) for i in range(8)]
        assert [bytes(one.result().blocks[0]) for one in others] == 2 * [bytes([i]) for i in range(8)]


def test_memory_has_an_end_and_the_parent_keeps_its_own(sandbox: Sandbox) -> None:
    limits = Limits(memory=64 * MIB)
    assert sandbox.open(HERE + "greedy", str(32 * MIB).encode(), limits).value == 32 * MIB
    assert fallen(sandbox, "greedy", str(128 * MIB).encode(), limits) == "memory"
    assert sandbox.open(HERE + "greedy", str(32 * MIB).encode(), limits).value == 32 * MIB
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY


def test_processor_time_and_waiting_have_an_end(sandbox: Sandbox) -> None:
    began = time.monotonic()
    assert fallen(sandbox, "busy", b"", Limits(cpu=1)) == "time"
    assert fallen(sandbox, "sleepy", b"", Limits(patience=1)) == "time"
    assert time.monotonic() - began < 30
    # The limit is of each file, not of a child's whole life.
    assert sandbox.open(HERE + "echo", b"x", Limits(cpu=1)).value["options"] == {}


def test_an_exception_is_told_by_its_class_and_never_by_its_words(sandbox: Sandbox) -> None:
    with pytest.raises(Fallen) as caught:
        sandbox.open(HERE + "raising", b"Eva Muster")
    assert caught.value.how == "ValueError"
    assert "Muster" not in repr(caught.value) + str(caught.value.__cause__) + str(caught.value.__context__)


def test_a_child_has_nothing_of_ours_and_can_write_nothing(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ROLLCALL_DESK_PASSWORD", "open sesame")
    with (tmp_path / "keys").open("w") as kept:
        os.set_inheritable(kept.fileno(), True)
        found = sandbox.open(HERE + "looking", b"x").value
    assert "open sesame" not in str(found["environment"])
    assert {name for name in found["environment"] if name.startswith(("ROLLCALL", "AWS", "PREFECT"))} <= {UMASK}
    assert found["wrote"] is False
    assert (tmp_path / "keys").stat().st_ino not in found["handles"]


def test_a_child_that_went_between_two_files_is_nobodys_finding(sandbox: Sandbox) -> None:
    pid = sandbox.open(HERE + "echo", b"a").value["pid"]
    os.kill(pid, signal.SIGKILL)
    assert bytes(sandbox.open(HERE + "echo", b"b").blocks[0]) == b"b"


def test_what_is_too_much_to_take_back_is_refused(sandbox: Sandbox) -> None:
    assert fallen(sandbox, "echo", bytes(2 * MIB), Limits(answer=MIB)) == "nonsense"
    assert bytes(sandbox.open(HERE + "echo", b"b").blocks[0]) == b"b"


def test_children_end_with_their_parent(sandbox: Sandbox) -> None:
    pids = {sandbox.open(HERE + "echo", b"a").value["pid"] for _ in range(3)}
    children = [psutil.Process(pid) for pid in pids]
    sandbox.close()
    gone, left = psutil.wait_procs(children, timeout=10)
    assert (len(gone), left) == (len(pids), [])


def test_there_is_one_for_each_process_and_never_more_children_than_cores() -> None:
    assert the_sandbox() is the_sandbox()
    made, barrier = Sandbox(2), threading.Barrier(6)

    def ask(i: int) -> int:
        barrier.wait()
        return int(made.open(HERE + "echo", bytes(i)).value["pid"])

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(ask, range(6)))) <= 2
    made.close()
