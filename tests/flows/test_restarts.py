"""What fell over is started again after 1, 5, 30 seconds, and given up after five deaths in ten minutes."""

import sys
import time
from pathlib import Path

import pytest

from flows.children import Service, StartFailed, wait_for
from flows.restarts import MOST, WITHIN_S, next_start


def test_the_waits_grow_and_end() -> None:
    deaths: list[float] = []
    waits = []
    for second in range(MOST):
        deaths.append(100.0 + second)
        waits.append(next_start(deaths, deaths[-1]))
    assert [None if at is None else at - death for at, death in zip(waits, deaths, strict=True)] == [1, 5, 30, 30, None]


def test_deaths_long_ago_are_forgotten() -> None:
    deaths = [0.0, 1.0, 2.0, 3.0, WITHIN_S + 3.5]
    assert next_start(deaths, deaths[-1]) == deaths[-1] + 1


def test_a_child_that_falls_over_is_started_again_and_told_of(tmp_path: Path) -> None:
    service, said = Service(tmp_path), list[str]()
    mark = tmp_path / "mark"
    program = f"import pathlib, sys, time; p = pathlib.Path({str(mark)!r})\nif not p.exists(): p.touch(); sys.exit(7)"
    child = service.start("part", [sys.executable, "-c", program + "\ntime.sleep(60)"], {})
    try:
        assert child.process is not None
        child.process.wait()
        now = time.monotonic()
        service.tend(now, said.append)
        assert child.process is None
        service.tend(now + 0.9, said.append)
        assert child.process is None, "not at once: what it needs may be down as well"
        service.tend(now + 1.1, said.append)
        assert child.process is not None
        assert child.process.poll() is None
        assert said == [f"part fell over (exit 7); starting it again in 1 s. See {tmp_path / 'logs' / 'part.log'}"]
    finally:
        service.stop()


def test_a_child_that_falls_over_again_and_again_ends_the_service(tmp_path: Path) -> None:
    service = Service(tmp_path)
    child = service.start("part", [sys.executable, "-c", "raise SystemExit(3)"], {})
    now = time.monotonic()

    def die(turn: int) -> None:
        assert child.process is not None
        child.process.wait()
        service.tend(now + 40 * turn, lambda _: None)
        service.tend(now + 40 * turn + 31, lambda _: None)

    for turn in range(MOST - 1):
        die(turn)
    with pytest.raises(StartFailed, match=r"part fell over 5 times within 10 minutes; see .*part\.log"):
        die(MOST - 1)


def test_who_falls_over_while_starting_is_not_waited_for(tmp_path: Path) -> None:
    service = Service(tmp_path)
    child = service.start("part", [sys.executable, "-c", "raise SystemExit(3)"], {})
    assert child.process is not None
    child.process.wait()
    with pytest.raises(StartFailed, match="part stopped while starting"):
        wait_for("http://127.0.0.1:9/", service, "Part", lambda: False)


def test_nobody_is_waited_for_after_somebody_asked_to_stop(tmp_path: Path) -> None:
    wait_for("http://127.0.0.1:9/", Service(tmp_path), "Part", lambda: True)
