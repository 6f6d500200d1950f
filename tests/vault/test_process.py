"""How processes begin: nobody else reads what they write, nothing dumps keys, and no child outlives its parent."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tasks.vault.process import UMASK, close_home, company_umask

ROOT = Path(__file__).resolve().parents[2]
SAY_ALL = """
import ctypes, resource, subprocess, sys
from tasks.vault.process import begin_process
begin_process()
open("made", "w").close()
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE))
child = "import resource; open('by-a-child', 'w').close(); print(resource.getrlimit(resource.RLIMIT_CORE))"
subprocess.run([sys.executable, "-c", child], check=True)
"""


def run(program: str, folder: Path, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ROLLCALL_")}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True, umask=0o022,
        env={**clean, "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip
    return done.stdout


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_a_process_and_its_children_write_is_theirs_and_neither_dumps_core(tmp_path: Path) -> None:
    first, second = run(SAY_ALL, tmp_path).splitlines()
    dumpable, limit = first.split(" ", 1)
    assert dumpable == "0"
    # 1 and not 0: a limit of 0 is not looked at where cores go to a collector.
    assert limit == second
    assert limit in {"(1, 1)", "(0, 0)"}
    assert (rights(tmp_path / "made"), rights(tmp_path / "by-a-child")) == (0o600, 0o600)


def test_a_crash_leaves_no_core_file(tmp_path: Path) -> None:
    program = "from tasks.vault.process import begin_process; begin_process()\nimport os; os.abort()"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == -signal.SIGABRT
    assert list(tmp_path.iterdir()) == []


def test_what_leaves_the_home_keeps_the_companys_umask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.umask(0o077)
    try:
        monkeypatch.setenv(UMASK, "027")
        with company_umask():
            (tmp_path / "outside").touch()
        (tmp_path / "inside").touch()
        monkeypatch.delenv(UMASK)
        with company_umask():
            (tmp_path / "nobody-said").touch()
    finally:
        os.umask(before)
    assert [rights(tmp_path / name) for name in ("outside", "inside", "nobody-said")] == [0o640, 0o600, 0o600]


def test_a_child_of_a_child_still_knows_the_companys_umask(tmp_path: Path) -> None:
    begin = "from tasks.vault.process import *; begin_process()"
    child = f"{begin}\nwith company_umask(): open('out', 'w').close()"
    program = f"import subprocess, sys; {begin}\nsubprocess.run([sys.executable, '-c', {child!r}], check=True)"
    run(program, tmp_path)
    assert rights(tmp_path / "out") == 0o644


def test_an_older_home_is_mended_once_and_whole(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "reports" / "b1").mkdir(parents=True)
    for name, mode in (("rollcall.db", 0o644), ("reports/b1/h.webp", 0o666), ("keys", 0o600)):
        (home / name).touch()
        (home / name).chmod(mode)
    outside = tmp_path / "bases"
    outside.mkdir(mode=0o755)
    (home / "link").symlink_to(outside)
    home.chmod(0o755)
    assert close_home(home) == 5, "two folders, two files, and the home itself"
    assert [path for path in home.rglob("*") if path.lstat().st_mode & 0o077 and not path.is_symlink()] == []
    assert rights(home) == 0o700
    assert rights(outside) == 0o755, "what a link points to is not ours"
    (home / "later").touch()
    (home / "later").chmod(0o644)
    assert close_home(home) == 0, "a closed home is not walked through again"


def test_a_new_home_is_nobody_elses(tmp_path: Path) -> None:
    close_home(tmp_path / "deep" / "home")
    assert rights(tmp_path / "deep" / "home") == 0o700


PARENT = """
import os, subprocess, sys, time
from tasks.vault.process import for_children
child = "import time; from tasks.vault.process import end_with_parent; end_with_parent(); print('up', flush=True); time.sleep(60)"
process = subprocess.Popen([sys.executable, "-c", child], env=for_children(dict(os.environ)), stdout=subprocess.PIPE,
                           start_new_session=True)
process.stdout.readline()
print(process.pid, flush=True)
time.sleep(60)
"""  # noqa: E501


def test_a_child_ends_with_its_parent_even_by_kill_9() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert parent.stdout
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_child_whose_parent_was_gone_before_it_asked_does_not_start() -> None:
    program = "from tasks.vault.process import end_with_parent; end_with_parent(); print('served')"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ROLLCALL_PARENT": "1"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "served" not in done.stdout
