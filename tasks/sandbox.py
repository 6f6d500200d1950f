"""Strangers' files are opened here: in child processes with little memory, little time and no secrets.

Decoders are large, old and written in C; a file that is made for it takes all memory, runs for ever or worse. So no
picture and no table is opened in a process that holds keys, records or somebody else's work. A child that dies is one
`Fallen` for one file, and the next file gets a new child. Both sides talk in JSON and raw bytes, never in pickles: a
child that was taken over can lie about its file, and do nothing else here.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.failures import RollcallError
from tasks.sandbox_child import BEGUN, FRAME
from tasks.sentences import spoken

_ROOT = Path(__file__).resolve().parents[1]
MOST_CHILDREN = 8  # each takes 60 to 450 MiB while it opens something; more cores measure what eight open
RESTARTS = 3  # times a file is handed on because its child had died before it came


@dataclass(frozen=True)
class Limits:
    """What opening one file may cost. `patience` is wall time, for what sleeps instead of working."""

    memory: int = 384 * 2**20  # bytes beyond what the loaded program takes by itself
    cpu: float = 10.0  # seconds
    patience: float = 120.0  # seconds; long, since a busy machine is not the file's fault
    answer: int = 64 * 2**20  # bytes that are taken back


class Fallen(RollcallError):
    """The file brought down what opened it. `how`: memory, time, `signal N`, or the name of an exception's class."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


@dataclass(frozen=True)
class Opened:
    """What an opener answered: a JSON value, and blocks of bytes."""

    value: Any
    blocks: tuple[bytearray, ...]


class Sandbox:
    """A few children that open files, started when needed and replaced when they die. Safe to use from many threads."""

    def __init__(self, size: int | None = None) -> None:
        self._free: list[_Child] = []
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(size or min(cores(), MOST_CHILDREN))

    def open(
        self, opener: str, data: bytes, limits: Limits | None = None, options: Mapping[str, Any] | None = None
    ) -> Opened:
        """What `opener` ("package.module:function") makes of `data`, in a child. Raises `Fallen`."""
        allowed = limits or Limits()
        order = {"opener": opener, "memory": allowed.memory, "cpu": allowed.cpu, "options": dict(options or {})}
        order["language"] = str(spoken())
        with self._room:
            for _ in range(RESTARTS):
                child = self._take()
                try:
                    opened = child.ask(order, data, allowed)
                except _NotBegun:
                    child.end()
                    continue
                except BaseException:
                    child.end()
                    raise
                self._give_back(child)
                if opened.value["failed"]:
                    raise Fallen(opened.value["failed"])
                return Opened(opened.value["value"], opened.blocks)
        raise Fallen("start")

    def close(self) -> None:
        """End all children that are not at work. Whoever asks next gets a new one."""
        with self._lock:
            idle, self._free = self._free, []
        for child in idle:
            child.end()

    def _take(self) -> _Child:
        with self._lock:
            while self._free:
                child = self._free.pop()
                if child.lives:
                    return child
                child.end()
        return _Child()

    def _give_back(self, child: _Child) -> None:
        with self._lock:
            self._free.append(child)


class _NotBegun(Exception):
    """The child was gone before it had the file: it let go of itself, or somebody ended it."""


class _Child:
    """One process and the line to it."""

    def __init__(self) -> None:
        self._until = 0.0
        self._line, theirs = socket.socketpair()
        command = [sys.executable, "-I", "-B", "-c", _START, str(_ROOT), str(theirs.fileno())]
        with theirs:
            self._process = subprocess.Popen(
                command,
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # decoders quote what they read
                env=_ENVIRONMENT,
                start_new_session=True,  # Ctrl-C is the parent's to answer
            )

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def ask(self, order: dict[str, Any], data: bytes, limits: Limits) -> Opened:
        """Hand the file over and wait for what comes of it."""
        request = json.dumps(order).encode()
        self._until = time.monotonic() + limits.patience
        try:
            self._wait_no_longer()
            self._line.sendall(FRAME.pack(len(request), len(data)) + request)
            self._line.sendall(data)
            begun = self._receive(len(BEGUN))
        except (OSError, EOFError) as error:
            raise _NotBegun from error
        if bytes(begun) != BEGUN:
            raise Fallen("nonsense")
        try:
            text, size = FRAME.unpack(self._receive(FRAME.size))
            if text + size > limits.answer:
                raise Fallen("nonsense")
            answer = json.loads(self._receive(text).decode("utf-8", "surrogatepass"))
            if sum(answer["blocks"]) != size or not isinstance(answer["failed"], str):
                raise Fallen("nonsense")
            return Opened(answer, tuple(self._receive(block) for block in answer["blocks"]))
        except TimeoutError:
            raise Fallen("time") from None
        except (OSError, EOFError):
            raise Fallen(self._epitaph()) from None
        except (ValueError, KeyError, TypeError):
            raise Fallen("nonsense") from None

    def _receive(self, size: int) -> bytearray:
        into = bytearray(size)
        view, got = memoryview(into), 0
        while got < size:
            self._wait_no_longer()
            count = self._line.recv_into(view[got:])
            if count == 0:
                raise EOFError
            got += count
        return into

    def _wait_no_longer(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._line.settimeout(left)

    def _epitaph(self) -> str:
        """How the child died."""
        try:
            code = self._process.wait(10)
        except subprocess.TimeoutExpired:
            return "time"
        return "time" if code == -signal.SIGXCPU else f"signal {-code}" if code < 0 else f"exit {code}"

    def end(self) -> None:
        self._line.close()
        self._process.kill()
        self._process.wait()


# -I keeps the environment, the user's packages and the working folder out of the child's path; ours is named to it.
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from tasks.sandbox_child import main; main()"
# Nothing of the parent's environment: it holds passwords and keys. One thread and one arena each, so that the limit of
# address space is one of memory.
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "MALLOC_ARENA_MAX": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
}


def cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_ours: list[tuple[int, Sandbox]] = []
_lock = threading.Lock()


def the_sandbox() -> Sandbox:
    """This process's own, made when first asked for; a forked process gets another one."""
    with _lock:
        if not _ours or _ours[0][0] != os.getpid():
            _ours[:] = [(os.getpid(), Sandbox())]
            atexit.register(_ours[0][1].close)
        return _ours[0][1]
