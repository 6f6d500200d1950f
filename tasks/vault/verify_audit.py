"""Checks an audit log without Rollcall: standard library only, plus `cryptography` for signatures."""

import hashlib
import json
from typing import Any

GENESIS = "0" * 64


def entry_hash(previous: str, entry: dict[str, Any]) -> str:
    """The hash of one entry: SHA-256 over the hash before it and the entry as canonical JSON."""
    canonical = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(previous.encode() + b"\n" + canonical.encode()).hexdigest()
