"""`ROLLCALL_LOG=json`: one line of JSON for each thing that is logged, with its ids, codes and numbers and no more.

What our own code says are constants of the program (a test holds that), so their words stay; of what is put into them
only what looks like an id, a code or a number. Of other libraries' messages nothing but that stays: they quote whatever
they were working on. An exception is its class and the lines of code where it was.
"""

import json
import logging
import os
import re
import sys
from datetime import UTC, datetime
from typing import IO, Any

from tasks.vault.telling import OURS, kind_of, places

SETTING = "ROLLCALL_LOG"
# Ids of ours and of Prefect, numbers, SQLSTATEs, classes of faults, and how a run may stand.
_SAYS_NOBODY = re.compile(
    r"[a-z]?[0-9a-f]{8,64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[+-]?\d+(\.\d+)?%?|(08|22|23|25|40|42|53|55|57|58|XX)[0-9A-Z]{3}"
    r"|[A-Z][A-Za-z]*(Error|Exception|Warning|Fault|Lost|Full|Timeout|Refused)"
    r"|SCHEDULED|PENDING|RUNNING|COMPLETED|FAILED|CRASHED|CANCELLING|CANCELLED|PAUSED"
)
_WORD = re.compile(r"[^\s'\"`()\[\]{},;:=/<>]+")


def only_codes(text: str) -> str:
    """The words of a text that say nobody; the others are left out."""
    words = (word.rstrip(".") for word in _WORD.findall(text))
    return " ".join(word for word in words if _SAYS_NOBODY.fullmatch(word))


def line_of(record: logging.LogRecord) -> str:
    """The record as one line."""
    line: dict[str, Any] = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        "line": record.lineno,
        "said": _said(record),
    }
    if record.exc_info and record.exc_info[1] is not None:
        line |= {"fault": kind_of(record.exc_info[1]), "where": places(record.exc_info[1])}
    return json.dumps(line, ensure_ascii=False)


def _said(record: logging.LogRecord) -> str:
    if not record.name.startswith(OURS):
        return only_codes(record.getMessage())
    given = record.args if isinstance(record.args, tuple) else ()
    # What goes in as a number stays one: %d and %.1f take nothing else.
    kept = tuple(value if isinstance(value, int | float) else only_codes(str(value)) or "…" for value in given)
    return str(record.msg) % kept if kept else str(record.msg)


class JsonHandler(logging.StreamHandler[IO[str]]):
    """Writes lines of JSON, whatever formatter it is given; Prefect hands its console's styles over."""

    def __init__(self, stream: IO[str] | None = None, styles: object = None) -> None:
        super().__init__(stream or sys.stderr)

    def format(self, record: logging.LogRecord) -> str:
        return line_of(record)


def wanted() -> bool:
    """Whether this process shall log so."""
    return os.environ.get(SETTING) == "json"


def logs() -> dict[str, Any]:
    """What uvicorn is told: to leave the logging to us."""
    return {"log_config": None} if wanted() else {}


def begin_json_log() -> None:
    """From now on this process, and the Prefect in it, logs so."""
    handler = f"{JsonHandler.__module__}.{JsonHandler.__qualname__}"
    for name in ("CONSOLE", "DEBUG"):
        os.environ[f"PREFECT_LOGGING_HANDLERS_{name}_CLASS"] = handler
    root = logging.getLogger()
    root.handlers = [JsonHandler()]
    root.setLevel(logging.INFO)
