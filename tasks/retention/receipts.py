"""Receipts: what was deleted, how that was verified, how far the proof reaches, and what nobody here can vouch for.

A receipt cannot claim more than was measured: its level comes from the evidence of its case, what could not be
removed makes it "blocked", and a receipt without the list of what lies outside our reach cannot be made at all.
Signed JSON for machines, one page of HTML for the person; both files' hashes go into the audit log.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any

from sqlmodel import col, func, select

from tasks.retention.rules import Rules
from tasks.retention.traces import describe
from tasks.vault.files import replace_file
from tasks.vault.records import AuditEntry, Erasure
from tasks.vault.signing import Signer
from tasks.vault.store import Vault

OUTSIDE = (
    "files already delivered, downloaded or published (directories, profiles, badges, mail)",
    "the roster and photos in folders of HR's own: uploads to the desk have lost this person's photos and lines",
    "backups of the records made before this moment: they expire with the backup",
    "backups of encrypted pictures: unreadable once the key is destroyed, still present as noise",
    "physical traces on disks below the file system (flash cells, snapshots, swap)",
)

KEPT = (
    "this receipt, and in the log the opaque id with what was done: proof that it was done",
    "that leave was given or withdrawn, and when, under the opaque id",
    "a keyed pseudonym of the employee number: if a roster lists it again, consent from before today does not count",
)

EXPORTED = "adapter_exported"  # the audit log's word, written by `tasks.adapters.hand_out`, which loads torch

_POSTGRESQL = (
    "PostgreSQL's own log, its archives and replicas, and the free space of its pages: deleted rows are vacuumed out "
    "of tables and indexes, and lie there until PostgreSQL overwrites them"
)

_STATES = {
    "final": "Erased, and looked for again",
    "provisional": "Erased; one more look is due",
    "blocked": "NOT erased: something could not be removed",
}
_REASONS = {
    "requested": "somebody asked to be forgotten",
    "withdrawn": "consent was withdrawn",
    "left": "the person left the company",
    "restored": "a restored backup brought somebody back who had been forgotten",
    "retention": "its time was up under the retention rules",
    "opted_out": "the person does not want generated pictures",
}
_LEVELS = {
    "none": "nothing can be confirmed",
    "listed": "absent from a second, separate listing",
    "cryptographic": "absent from a second listing, and its key destroyed: copies elsewhere are noise",
    "bytes": "absent from a second listing, its key destroyed, and all bytes of files here and all rows of the records "
    "searched for what is said below",
}


def outside_of(records: str, exported: int = 0) -> tuple[str, ...]:
    """What lies outside our reach when the records are kept in this kind of database, and adapters were handed out."""
    files = (f"adapters of this person that were exported as files for other tools: {exported}",) if exported else ()
    return (*OUTSIDE, *files, _POSTGRESQL) if records == "postgresql" else (*OUTSIDE, *files)


def exported_of(vault: Vault, person: str) -> dict[str, int]:
    """How often an adapter of this person was handed out as a file, by the audit log; nothing where it never was."""
    query = select(func.count()).select_from(AuditEntry).where(col(AuditEntry.subject) == person)
    with vault.reading() as session:
        count = session.exec(query.where(col(AuditEntry.action) == EXPORTED)).one()
    return {"exported": count} if count else {}


def circumstances(vault: Vault, rules: Rules) -> dict[str, str]:
    """What a receipt says about where it was made, as evidence of its case."""
    return {"rules": rules.digest, "company": rules.company.name, "records": vault.engine.dialect.name}


@dataclass(frozen=True)
class Receipt:
    """One erasure, as far as it has come. Ids, codes and counts: it may be shown to anybody."""

    id: str
    person: str  # opaque id
    commitment: str  # HMAC of the employee number under a salt only the person was given; "" when none was made
    scope: str  # person | items
    reason: str
    state: str  # provisional | final | blocked
    due_at: datetime
    started_at: datetime
    fenced_at: datetime | None
    finished_at: datetime | None
    resweep_at: datetime | None
    removed: dict[str, int]  # kind -> how many
    removed_bytes: int
    level: str  # none | listed | cryptographic | bytes
    keys_destroyed: int
    residue: tuple[str, ...]  # what could not be removed, as "code: how many"
    held_by_log: bool  # the write-ahead log could not be emptied yet
    rules: str  # digest of the rules in force
    company: str
    secret: str = ""  # the commitment's salt, for the person alone: on no disk, in no file
    outside: tuple[str, ...] = OUTSIDE
    search: dict[str, Any] = field(default_factory=dict)  # what was read for the person's words, and what was not
    kept: tuple[str, ...] = KEPT  # what stays on purpose, until the time for proof is up

    def __post_init__(self) -> None:
        if not self.outside:
            raise ValueError("a receipt says what lies outside our reach")
        if self.residue and self.state != "blocked":
            raise ValueError("a receipt with something left is blocked, never done")
        if self.state == "final" and self.held_by_log:
            raise ValueError("a receipt is not final while the log still holds rows")

    def body(self) -> dict[str, Any]:
        """The receipt as JSON values."""
        plain = asdict(self)
        del plain["secret"]
        for name, value in plain.items():
            if isinstance(value, datetime):
                plain[name] = value.isoformat()
        return {"what": "rollcall erasure receipt", "meaning": self.sentence, **plain}

    @property
    def sentence(self) -> str:
        return f"{_STATES[self.state]}. Proof: {_LEVELS[self.level]}."


def receipts_left(receipts: Iterable[Receipt]) -> list[Receipt]:
    """The receipts that need a human: something could not be removed."""
    return [receipt for receipt in receipts if receipt.state == "blocked"]


def receipt_of(case: Erasure) -> Receipt:
    """What can honestly be said about this case from its evidence. The same case always makes the same receipt."""
    evidence = case.evidence
    residue = tuple(f"{code}: {count}" for code, count in sorted(evidence.get("residue", {}).items()))
    log_pending = bool(evidence.get("log_pending", False))
    state = {"final": "final", "blocked": "blocked"}.get(case.state, "provisional")
    level = "none"
    if evidence.get("verified") and not residue:
        level = "cryptographic" if evidence.get("keys_destroyed") else "listed"
        search = evidence.get("search", {})
        # PostgreSQL's files are not ours to read; its rows are, and what it keeps besides is named among `outside`.
        searched = search.get("places") == 0 and (evidence.get("records") != "postgresql" or "rows" in search)
        if level == "cryptographic" and searched and not log_pending:
            level = "bytes"
    return Receipt(
        id=case.id,
        person=case.employee_id,
        commitment=str(evidence.get("commitment", "")),
        scope=case.scope,
        reason=case.reason,
        state=state,
        due_at=case.due_at,
        started_at=case.started_at,
        fenced_at=case.fenced_at,
        finished_at=case.finished_at,
        resweep_at=case.resweep_at,
        removed=dict(evidence.get("removed", {})),
        removed_bytes=int(evidence.get("bytes", 0)),
        level=level,
        keys_destroyed=int(evidence.get("keys_destroyed", 0)),
        residue=residue,
        held_by_log=log_pending,
        outside=outside_of(str(evidence.get("records", "")), int(evidence.get("exported", 0))),
        search=dict(evidence.get("search", {})),
        kept=KEPT if case.scope == "person" else (),
        rules=str(evidence.get("rules", "")),
        company=str(evidence.get("company", "")),
    )


def write_receipt(receipt: Receipt, folder: Path, signer: Signer) -> dict[str, str]:
    """Write the signed JSON and the page; their SHA-256, for the audit log.

    Receipts follow from the records byte for byte (signatures by Ed25519 are deterministic), and a sweep writes a
    missing one again; but after a restore of older records they are the only list of who was forgotten since.
    """
    text = json.dumps(signer.sign(receipt.body()), indent=1, sort_keys=True) + "\n"
    written = {}
    for suffix, content in (("json", text), ("html", receipt_page(receipt))):
        data = content.encode()
        replace_file(folder / f"{receipt.id}.{suffix}", data)
        written[suffix] = sha256(data).hexdigest()
    return written


def receipt_lines(receipt: Receipt) -> list[tuple[str, str]]:
    """What the receipt says, as (what, how it was): the same on its page, on paper and at the desk."""
    removed = ", ".join(f"{count} × {kind}" for kind, count in sorted(receipt.removed.items())) or "nothing was stored"
    lines = [
        ("Receipt", receipt.id),
        ("Person (opaque id)", receipt.person),
        ("Why", _REASONS.get(receipt.reason, receipt.reason)),
        ("Due", _said(receipt.due_at)),
        ("Fence up: nothing more could be written", _said(receipt.fenced_at)),
        ("Finished", _said(receipt.finished_at)),
        ("Removed", f"{removed} ({receipt.removed_bytes:,} bytes)"),
        ("Keys destroyed", str(receipt.keys_destroyed)),
        ("Level of proof", _LEVELS[receipt.level]),
        *((what, how) for what, how in (describe(receipt.search) if receipt.scope == "person" else ())),
        ("Rules in force", receipt.rules),
    ]
    if receipt.state == "provisional":
        lines.append(("Looked for again after", _said(receipt.resweep_at)))
    if receipt.residue:
        lines.append(("Could not be removed", "; ".join(receipt.residue)))
    if receipt.held_by_log:
        held = "the database's log is held open by a reader; emptied at the next sweep"
        lines.append(("Still pending", held))
    return lines


def headline(receipt: Receipt) -> str:
    """How far the erasure has come, in a few words."""
    return _STATES[receipt.state]


def _said(value: datetime | None) -> str:
    return value.strftime("%d %B %Y, %H:%M UTC") if value else "not yet"


def receipt_page(receipt: Receipt) -> str:
    """The receipt as one self-contained page. Every value is escaped here and nowhere else."""
    rows = "".join(f"<tr><th>{escape(what)}</th><td>{escape(how)}</td></tr>" for what, how in receipt_lines(receipt))
    outside = "".join(f"<li>{escape(line)}</li>" for line in receipt.outside)
    kept = "".join(f"<li>{escape(line)}</li>" for line in receipt.kept)
    tone = "bad" if receipt.state == "blocked" else "good" if receipt.state == "final" else "wait"
    return _PAGE.format(
        tone=tone,
        head=escape(headline(receipt)),
        company=escape(receipt.company or "Rollcall"),
        rows=rows,
        outside=outside,
        kept=f"<h2>What is kept, as proof</h2>\n<ul>{kept}</ul>\n" if kept else "",
    )


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Erasure receipt</title>
<style>
body{{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;color:#1b1f24}}
h1{{font-size:1.5rem;border-left:.4rem solid;padding-left:.8rem}} .good{{border-color:#1a7f37}}
.wait{{border-color:#9a6700}} .bad{{border-color:#cf222e}} table{{border-collapse:collapse;width:100%}}
th,td{{text-align:left;vertical-align:top;padding:.5rem .8rem .5rem 0;border-top:1px solid #d0d7de}}
th{{font-weight:500;color:#57606a;width:40%}} td{{overflow-wrap:anywhere}}
@media(prefers-color-scheme:dark){{body{{background:#0d1117;color:#e6edf3}}th{{color:#9198a1}}
th,td{{border-color:#3d444d}}}}
</style></head><body>
<p>{company} · erasure receipt</p>
<h1 class="{tone}">{head}</h1>
<table>{rows}</table>
{kept}<h2>What this receipt cannot vouch for</h2>
<ul>{outside}</ul>
<p>The JSON file beside this page carries the signature;
<code>rollcall audit verify</code> checks it against the log.</p>
</body></html>
"""


def restore_receipts(cases: Iterable[Erasure], folder: Path, signer: Signer) -> int:
    """Write again what a power cut took, identical to what the log says; how many."""
    restored = 0
    for case in cases:
        if not all((folder / f"{case.id}.{suffix}").exists() for suffix in ("json", "html")):
            write_receipt(receipt_of(case), folder, signer)
            restored += 1
    return restored
