"""One `rollcall up` per home, on ports that are free: both are looked at before anything is started."""

import fcntl
import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from flows.children import StartFailed
from tasks.vault.files import replace_file

LOCK, NOTE = "up.lock", "up.json"


@contextmanager
def only_one(home: Path, addresses: Mapping[str, str], now: datetime) -> Iterator[None]:
    """Holds the home while the service runs; the lock goes with the process, however that ends.

    Raises StartFailed when another service holds it, with since when and where that one is.
    """
    with (home / LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartFailed(_already(home / NOTE)) from None
        note = {"pid": os.getpid(), "since": now.isoformat(timespec="seconds"), **addresses}
        replace_file(home / NOTE, json.dumps(note, indent=1).encode() + b"\n")
        try:
            yield
        finally:
            (home / NOTE).unlink(missing_ok=True)


def _already(note: Path) -> str:
    try:
        found = json.loads(note.read_text(encoding="utf-8"))
        since = datetime.fromisoformat(found["since"]).astimezone()
        where = f"since {since:%d %B %H:%M}, process {found['pid']}: {found['ui']} and {found['desk']}"
    except (OSError, ValueError, KeyError):
        where = "in this home"
    return f"Rollcall is already running {where}. Stop that one first, or choose another --home."


def need_free(host: str, ports: Mapping[str, int]) -> None:
    """Raises StartFailed when a port (by what it is for) cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for what, port in ports.items():
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((host, port))
            except OSError as taken:
                raise StartFailed(
                    f"Port {port}, for {what}, cannot be had on {host} ({taken.strerror}). "
                    "Stop what uses it, or choose another: rollcall up --port N takes N and N + 1."
                ) from taken
