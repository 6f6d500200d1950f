"""What runs in the sandbox: waits for a file, opens it under limits of memory and time, and answers in plain values.

Started by `tasks.sandbox`, one process for one file at a time, with nothing of the parent's in it: no secret, no
environment, no open file but the socket. It ends with its parent, since the socket ends then.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tasks.sentences import speak_from
from tasks.vault.process import begin_process

FRAME = struct.Struct("<QQ")  # bytes of the JSON that follows, and of what follows that
BEGUN = b"B"  # said when a whole request has arrived: what happens from now on is the file's doing
IDLE = 60.0  # seconds without a file; then the memory is somebody else's
SPENT_AFTER = 500  # files; then a fresh process takes over, so that nothing adds up

# An opener gets the file and the options of the request; it answers with a JSON value and raw blocks of bytes.
Opener = Callable[..., tuple[Any, Sequence[Any]]]


def main() -> None:
    """Serve the socket whose number is the only argument."""
    os.chdir("/")
    begin_process()
    _limit(resource.RLIMIT_FSIZE, 0)  # whatever takes this process over can write no file
    with socket.socket(fileno=int(sys.argv[1])) as line:
        for _ in range(SPENT_AFTER):
            if not _serve(line):
                return


def _serve(line: socket.socket) -> bool:
    """One file. False when the parent has gone, or when this process should not open another one."""
    line.settimeout(IDLE)
    head = _receive(line, FRAME.size)
    line.settimeout(None)
    if head is None:
        return False
    asked, size = FRAME.unpack(head)
    request, data = _receive(line, asked), _receive(line, size)
    if request is None or data is None:
        return False
    order, whole = json.loads(bytes(request)), bytes(data)
    del data
    opener = _opener(order["opener"])
    speak_from(Path(order["language"]))  # what is found here is said in the language of who asked
    line.sendall(BEGUN)
    _allow(order["memory"], order["cpu"])
    value: Any = None
    blocks: Sequence[Any] = ()
    healthy, failed = True, ""
    try:
        value, blocks = opener(whole, **order["options"])
    except MemoryError:
        healthy, failed = False, "memory"
    except Exception as error:
        failed = type(error).__name__
    del whole
    _answer(line, {"value": value, "failed": failed, "blocks": [memoryview(block).nbytes for block in blocks]}, blocks)
    del value, blocks
    gc.collect()
    return healthy


def _answer(line: socket.socket, answer: dict[str, Any], blocks: Sequence[Any]) -> None:
    text = json.dumps(answer, ensure_ascii=False).encode("utf-8", "surrogatepass")
    line.sendall(FRAME.pack(len(text), sum(answer["blocks"])) + text)
    for block in blocks:
        line.sendall(memoryview(block).cast("B"))


def _receive(line: socket.socket, size: int) -> bytearray | None:
    """Exactly so many bytes; None when the parent has gone, or had nothing for long."""
    into = bytearray(size)
    view, got = memoryview(into), 0
    while got < size:
        try:
            count = line.recv_into(view[got:])
        except TimeoutError:
            return None
        if count == 0:
            return None
        got += count
    return into


_openers: dict[str, Opener] = {}
_ready: dict[str, int] = {}  # opener → address space once its modules are loaded


def _opener(name: str) -> Opener:
    """`package.module:function`, named by our own code in the parent; loaded before limits are set."""
    if name not in _openers:
        _limit(resource.RLIMIT_AS, None)
        module, _, function = name.partition(":")
        _openers[name] = getattr(importlib.import_module(module), function)
        _ready[name] = _address_space()
    return _openers[name]


def _allow(memory: int, cpu: float) -> None:
    """So much more memory than the loaded modules take, and so much more processor time than was used already."""
    _limit(resource.RLIMIT_AS, max(_ready.values()) + memory)
    used = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + cpu) + 1)


def _limit(which: int, value: int | None) -> None:
    """The soft limit, never beyond the hard one. Not every system has every limit: then the parent's clock is left."""
    hard = resource.getrlimit(which)[1]
    wanted = resource.RLIM_INFINITY if value is None else value
    if hard != resource.RLIM_INFINITY:
        wanted = hard if value is None else min(wanted, hard)
    try:
        resource.setrlimit(which, (wanted, hard))
    except (ValueError, OSError):
        return


def _address_space() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:  # not Linux: then RLIMIT_AS does not hold either
        return 0


if __name__ == "__main__":
    main()
