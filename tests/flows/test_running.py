"""One service per home, on ports that are free: said before anything is started."""

import os
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.children import StartFailed
from flows.running import NOTE, need_free, only_one

NOW = datetime(2026, 11, 28, 7, 3, tzinfo=UTC)
WHERE = {"ui": "http://127.0.0.1:4200", "desk": "http://127.0.0.1:4201"}


def test_a_second_one_is_told_since_when_and_where(tmp_path: Path) -> None:
    with (
        only_one(tmp_path, WHERE, NOW),
        pytest.raises(StartFailed, match=rf"already running since 28 November .*process {os.getpid()}: http.*4201"),
        only_one(tmp_path, WHERE, NOW),
    ):
        pytest.fail("two at once")
    assert not (tmp_path / NOTE).exists()
    with only_one(tmp_path, WHERE, NOW):
        assert (tmp_path / NOTE).exists()


def test_one_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from datetime import datetime; from pathlib import Path\n"
        "from flows.running import only_one\n"
        "with only_one(Path(sys.argv[1]), {}, datetime.now()): os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=root, check=False)
    assert (tmp_path / NOTE).exists(), "it really was killed inside"
    with only_one(tmp_path, WHERE, NOW):
        assert str(os.getpid()) in (tmp_path / NOTE).read_text()


def test_a_taken_port_is_named_with_what_to_do() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(StartFailed, match=rf"Port {port}, for the review desk.*rollcall up --port N"):
            need_free("127.0.0.1", {"the review desk": port})
    need_free("127.0.0.1", {"the review desk": port})
