"""`ROLLCALL_LOG=json`: one line of JSON for each thing that is logged, with its ids, codes and quantities and no more.

What our own code says are constants of the program (a test holds that), so their words stay; of what is put into them
only what looks like an id or a code. A number may be somebody's: it stays where the word beside it says that it is a
count, a time or a port, and nowhere else. Of other libraries' messages nothing but that stays: they quote whatever they
were working on. An exception is its class and the lines of code where it was.
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
_FAULT = r"[A-Z][A-Za-z]*(Error|Exception|Warning|Fault|Lost|Full|Timeout|Refused)"
# Ids of ours and of Prefect, digests, SQLSTATEs with a letter, classes of faults, and how a run may stand.
_SAYS_NOBODY = re.compile(
    r"[a-z][0-9a-f]{15}|[0-9a-f]{32,64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|(08|22|23|25|40|42|53|55|57|58|XX)(?=\d*[A-Z])[0-9A-Z]{3}"
    rf"|{_FAULT}"
    r"|SCHEDULED|PENDING|RUNNING|COMPLETED|FAILED|CRASHED|CANCELLING|CANCELLED|PAUSED"
)
# The words that make a number a quantity: those before it, and its units.
_NAMED = frozenset({"port", "exit", "status", "code", "cohort", "group", "attempt", "process", "pid"})
_UNITS = frozenset(
    {"s", "ms", "seconds", "minutes", "hours", "people", "photos", "pictures", "runs", "files", "bytes", "MiB", "times"}
)
_NUMBER = re.compile(r"[+-]?\d{1,7}(\.\d{1,6})?%?")
_STATE = re.compile(r"\d{5}")  # a SQLSTATE of digits alone, where it stands behind its fault
_WORD = re.compile(r"[^\s'\"`()\[\]{},;:=/<>]+")
_PLACE = re.compile(r"%[-+ #0]*\d*(?:\.\d+)?([a-zA-Z%])")


def only_codes(text: str) -> str:
    """The words of a text that say nobody; the others are left out."""
    words = [word.rstrip(".") for word in _WORD.findall(text)]
    around = zip(["", *words[:-1]], words, [*words[1:], ""], strict=True)
    return " ".join(word for before, word, after in around if _says_nobody(before, word, after))


def _says_nobody(before: str, word: str, after: str) -> bool:
    if _SAYS_NOBODY.fullmatch(word):
        return True
    if _STATE.fullmatch(word) and re.fullmatch(_FAULT, before):
        return True
    return bool(_NUMBER.fullmatch(word)) and (word.endswith("%") or before in _NAMED or after in _UNITS)


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
    given = iter(record.args if isinstance(record.args, tuple) else ())
    said, text, at = "", str(record.msg), 0
    for place in _PLACE.finditer(text):
        said, at = said + text[at : place.start()], place.end()
        said += "%" if place[1] == "%" else _kept(place[0], next(given, ""), said, text[at:])
    return said + text[at:]


def _kept(place: str, value: object, before: str, after: str) -> str:
    """What of a value may stand in our own sentence at this place."""
    written = place % value if isinstance(value, int | float) else str(value)
    ahead, behind = _WORD.findall(before), _WORD.findall(after)
    if _NUMBER.fullmatch(written):
        words = (ahead[-1] if ahead else "", written, behind[0].rstrip(".") if behind else "")
        return written if _says_nobody(*words) else "…"
    return only_codes(written) or "…"


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
