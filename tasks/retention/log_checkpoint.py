"""Signed checkpoints of the audit log, which only ever extend a log that still holds what the last one signed.

A checkpoint is the evidence that the log's end was not cut off. Signing a new one over a log that has become shorter,
or another one, would destroy that evidence; so the old one stays where it is, what would have been signed is put beside
it, and whoever asked is told. After a restore that was meant, `rollcall restore --accept` puts the old one aside.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from tasks.vault import audit_log
from tasks.vault.audit_log import Event
from tasks.vault.failures import VaultError
from tasks.vault.files import replace_file
from tasks.vault.signing import open_signer
from tasks.vault.store import Vault
from tasks.vault.verify_audit import AuditVerdict, open_signed, verify_entries, verify_receipts

NAME = "checkpoint.json"


class LogChanged(VaultError):
    """TAMPERED: the log no longer holds what its last checkpoint signed. The old checkpoint was kept."""


def write_checkpoint(vault: Vault, now: datetime) -> Path:
    """Sign how long the log is and how it ends; a copy goes to the second place, if there is one.

    LogChanged when the log does not extend the one that was signed last.
    """
    settings = vault.settings
    signer = open_signer(settings.signing_key, settings.audit / "signing.pub")
    text = (json.dumps(audit_log.checkpoint(vault.engine, signer, now=now), indent=1) + "\n").encode()
    stamped = f"checkpoint-{now:%Y%m%dT%H%M%S}.json"
    faults = log_faults(vault)
    if faults:
        replace_file(settings.audit / f"refused-{stamped}", text)
        raise LogChanged(
            f"TAMPERED: {faults[0]}. The last checkpoint was kept, and nothing was signed over it; if the records were "
            "restored from a backup on purpose, say so with `rollcall restore --accept`"
        )
    written = settings.audit / NAME
    replace_file(written, text)
    if settings.checkpoint_copies is not None:
        replace_file(settings.checkpoint_copies / stamped, text)
    return written


def log_faults(vault: Vault) -> tuple[str, ...]:
    """Why the log is not the one that was signed last; nothing when it is, or when nothing was signed yet."""
    for path in _signed_last(vault):
        verdict = verify_entries(audit_log.entries(vault.engine), _read(path), _public(vault))
        if verdict.faults:
            return verdict.faults
    return ()


def verify_all(vault: Vault, checkpoint: Path | None = None) -> AuditVerdict:
    """The log against a checkpoint (the one of this home, when none is named), and every receipt against the log."""
    public = _public(vault)
    place = checkpoint or next(iter(_signed_last(vault)), None)
    verdict = audit_log.verify(vault.engine, None if place is None else _read(place), public)
    faults = verdict.faults
    if public is not None and vault.settings.receipts.is_dir():
        faults += tuple(verify_receipts(audit_log.entries(vault.engine), vault.settings.receipts, public))
    return replace(verdict, faults=faults)


def accept_log(vault: Vault, now: datetime) -> str:
    """Put a checkpoint aside that the log does not extend, because the records were restored on purpose: what it signed
    stands in the log from now on. What was wrong; empty when there was nothing to accept."""
    faults = log_faults(vault)
    if not faults:
        return ""
    settings = vault.settings
    place = settings.audit / NAME
    body = open_signed(_read(place), _public(vault) or b"") or {}
    if place.is_file():
        place.rename(settings.audit / f"superseded-{now:%Y%m%dT%H%M%S}.json")
    signed = {"size": int(body.get("size", 0)), "head": str(body.get("head", ""))}
    # Receipts of erasures since the backup are signed by this installation, and this log has never heard of them.
    known = [Event("log_restarted", "", "", signed, "restore"), *_receipts_unknown_to(vault)]
    vault.audit_all(known, now=now)
    signer = open_signer(settings.signing_key, settings.audit / "signing.pub")
    text = json.dumps(audit_log.checkpoint(vault.engine, signer, now=now), indent=1) + "\n"
    replace_file(place, text.encode())
    if settings.checkpoint_copies is not None:
        replace_file(settings.checkpoint_copies / f"checkpoint-{now:%Y%m%dT%H%M%S}.json", text.encode())
    return faults[0]


def _receipts_unknown_to(vault: Vault) -> Iterator[Event]:
    told = {entry["object"] for entry in audit_log.entries(vault.engine) if entry["action"] == "receipt"}
    for path in sorted(vault.settings.receipts.glob("*.json")):
        body = open_signed(_read(path), _public(vault) or b"")
        page = path.with_suffix(".html")
        if body is not None and path.stem not in told and page.is_file():
            digests = {one.suffix[1:]: sha256(one.read_bytes()).hexdigest() for one in (path, page)}
            yield Event("receipt", str(body.get("person")), path.stem, digests, "restore")


def _signed_last(vault: Vault) -> Iterator[Path]:
    """The checkpoint of this home and the newest one in the second place: whichever is there."""
    if (here := vault.settings.audit / NAME).is_file():
        yield here
    copies = vault.settings.checkpoint_copies
    if copies is not None and (kept := sorted(copies.glob("checkpoint-*.json"))):
        yield kept[-1]


def _read(path: Path) -> Any:
    """What the file says; something that no key ever signed when it says nothing."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}


def _public(vault: Vault) -> bytes | None:
    place = vault.settings.audit / "signing.pub"
    private = vault.settings.signing_key
    return open_signer(private, place).public if private.is_file() else None
