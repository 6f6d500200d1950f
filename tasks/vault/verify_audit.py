"""Checks an audit log, its checkpoints and its receipts without Rollcall: standard library, plus `cryptography`.

    python verify_audit.py LOG --checkpoint FILE --key signing.pub [--receipts FOLDER]

LOG is the records database (SQLite) or an export (one JSON entry per line). The chain of hashes shows any entry that
was edited, removed or moved; the signed checkpoint shows a chain that was cut off or written anew. Without a
checkpoint that was kept elsewhere the answer is "cannot confirm", never "fine". Exit code: 0 confirmed, 1 tampered,
2 cannot confirm.
"""

import argparse
import base64
import hashlib
import json
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

GENESIS = "0" * 64  # what the first entry names as the one before it
_FIELDS = ("seq", "at", "actor", "action", "subject", "object", "result")


@dataclass(frozen=True)
class AuditVerdict:
    """What can be said about a log. `confirmed` needs a checkpoint; `faults` name what was found, and where."""

    entries: int
    head: str
    covered: int  # entries vouched for by the newest checkpoint
    faults: tuple[str, ...]

    @property
    def intact(self) -> bool:
        return not self.faults

    @property
    def confirmed(self) -> bool:
        return not self.faults and self.covered > 0

    @property
    def sentence(self) -> str:
        if self.faults:
            return f"TAMPERED: {self.faults[0]} ({len(self.faults)} in all)"
        if not self.covered:
            return f"cannot confirm: {self.entries} entries are consistent, but no checkpoint vouches for them"
        later = self.entries - self.covered
        return f"confirmed: {self.covered} entries" + (f", {later} newer ones are consistent" if later else "")


def canonical(value: Any) -> bytes:
    """The one way a value is written before it is hashed or signed."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.encode()


def entry_hash(previous: str, entry: dict[str, Any]) -> str:
    """The hash of one entry: SHA-256 over the hash before it and the entry itself."""
    return hashlib.sha256(previous.encode() + b"\n" + canonical(entry)).hexdigest()


def fingerprint(public: bytes) -> str:
    """A short name of a public key."""
    return hashlib.sha256(public).hexdigest()[:16]


def open_signed(document: Any, public: bytes) -> dict[str, Any] | None:
    """The body of a signed document, or None when the signature is not by this key over exactly this body."""
    try:
        signature = base64.b64decode(document["signature"], validate=True)
        Ed25519PublicKey.from_public_bytes(public).verify(signature, canonical(document["signed"]))
        fits = document["key"] == fingerprint(public) and set(document) == {"signed", "key", "signature"}
        return document["signed"] if fits and isinstance(document["signed"], dict) else None
    except (InvalidSignature, KeyError, TypeError, ValueError):
        return None


def verify_entries(
    entries: Iterable[dict[str, Any]], checkpoint: Any = None, public: bytes | None = None
) -> AuditVerdict:
    """Walk the chain from its beginning and hold it against a signed checkpoint."""
    faults: list[str] = []
    previous, count = GENESIS, 0
    body = None
    if checkpoint is not None:
        body = open_signed(checkpoint, public) if public else None
        if body is None:
            faults.append("the checkpoint is not signed by this key")
    size = body.get("size", 0) if body else 0
    vouched = size == 0
    for entry in entries:
        count += 1
        if entry.get("seq") != count:
            faults.append(f"entry {count}: its number is {entry.get('seq')}")
        if entry.get("previous") != previous:
            faults.append(f"entry {count}: does not follow the one before")
        digest = entry_hash(previous, {name: entry.get(name) for name in _FIELDS})
        if entry.get("hash") != digest or set(entry) != {*_FIELDS, "previous", "hash"}:
            faults.append(f"entry {count}: was altered")
        previous = digest
        if body and count == size:
            vouched = digest == body.get("head")
            if not vouched:
                faults.append(f"entry {count}: is not the one the checkpoint signed")
    if body and count < size:
        faults.append(f"cut off: the checkpoint signed {size} entries, there are {count}")
    return AuditVerdict(count, previous, size if body and vouched else 0, tuple(faults))


def verify_receipts(entries: Iterable[dict[str, Any]], folder: Path, public: bytes) -> list[str]:
    """Hold every receipt file against the hashes in the log: altered, missing and foreign ones."""
    expected: dict[str, str | None] = {}
    for entry in entries:
        if entry["action"] in ("receipt", "receipt_expired"):
            for name in ("json", "html"):
                digest = entry["result"].get(name) if entry["action"] == "receipt" else None
                expected[f"{entry['object']}.{name}"] = digest
    faults = []
    for name, digest in expected.items():
        path = folder / name
        if digest is None:
            continue
        if not path.is_file():
            faults.append(f"receipt {name}: missing")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            faults.append(f"receipt {name}: was altered")
        elif name.endswith(".json") and open_signed(json.loads(path.read_bytes()), public) is None:
            faults.append(f"receipt {name}: not signed by this key")
    known = {name for name, digest in expected.items() if digest is not None}
    present = {path.name for path in folder.glob("*") if path.suffix in (".json", ".html")}
    return faults + [f"receipt {name}: not in the log" for name in sorted(present - known)]


def read_log(path: Path) -> Iterator[dict[str, Any]]:
    """The entries of a SQLite database or of an export, in the order of their numbers."""
    with open(path, "rb") as file:
        is_sqlite = file.read(16) == b"SQLite format 3\0"
    if not is_sqlite:
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                try:
                    entry = json.loads(line)
                except ValueError:
                    entry = {}
                yield entry if isinstance(entry, dict) else {}
        return
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        query = "SELECT seq, at, actor, action, subject, object, result, previous, hash FROM auditentry ORDER BY seq"
        for row in connection.execute(query):
            entry = dict(zip((*_FIELDS, "previous", "hash"), row, strict=True))
            entry["at"] = _stored_time(entry["at"])
            try:
                entry["result"] = json.loads(entry["result"])
            except (TypeError, ValueError):
                entry["result"] = None
            yield entry
    finally:
        connection.close()


def _stored_time(text: object) -> object:
    """SQLite keeps `2026-11-02 09:30:00.000000`; the chain hashes it with T and Z."""
    try:
        moment = datetime.fromisoformat(str(text)).replace(tzinfo=UTC)
    except ValueError:
        return text
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", type=Path)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--key", type=Path, help="the public key, kept apart from the log")
    parser.add_argument("--receipts", type=Path)
    given = parser.parse_args(arguments)
    public = base64.b64decode(given.key.read_bytes()) if given.key else None
    try:
        checkpoint = json.loads(given.checkpoint.read_text()) if given.checkpoint else None
    except ValueError:
        checkpoint = {}
    verdict = verify_entries(read_log(given.log), checkpoint, public)
    faults = list(verdict.faults)
    if given.receipts and public and not faults:
        faults += verify_receipts(read_log(given.log), given.receipts, public)
    verdict = AuditVerdict(verdict.entries, verdict.head, verdict.covered, tuple(faults))
    print(verdict.sentence)
    for fault in verdict.faults[:20]:
        print(f"  {fault}")
    return 1 if verdict.faults else 0 if verdict.confirmed else 2


if __name__ == "__main__":
    sys.exit(main())
