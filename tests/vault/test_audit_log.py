"""Whatever is changed in the log, its checkpoint or its receipts is found, by a program that needs nothing of ours."""

import copy
import json
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks.vault import audit_log, verify_audit
from tasks.vault.audit_log import Event
from tasks.vault.signing import Signer, open_signer
from tasks.vault.store import Vault
from tasks.vault.verify_audit import verify_entries, verify_receipts

ENTRIES = 30


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return open_signer(tmp_path / "signing.key", tmp_path / "signing.pub")


@pytest.fixture
def log(vault: Vault, signer: Signer, now: datetime) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A log of some entries as exported, and a checkpoint over all of it."""
    for number in range(ENTRIES):
        vault.audit("fence", f"p{number}", f"e{number}", {"n": number, "ratio": 0.5}, actor="test", now=now)
    return list(audit_log.entries(vault.engine)), audit_log.checkpoint(vault.engine, signer, now=now)


def test_an_honest_log_is_confirmed(log: Any, signer: Signer, vault: Vault, now: datetime) -> None:
    entries, checkpoint = log
    verdict = verify_entries(entries, checkpoint, signer.public)
    assert (verdict.confirmed, verdict.entries, verdict.covered) == (True, ENTRIES, ENTRIES)
    vault.audit_all([Event("later", "p1"), Event("later", "p2")], now=now + timedelta(days=1))
    verdict = audit_log.verify(vault.engine, checkpoint, signer.public)
    assert verdict.confirmed
    assert verdict.sentence == f"confirmed: {ENTRIES} entries, 2 newer ones are consistent"


def test_without_a_checkpoint_nothing_is_confirmed(log: Any, signer: Signer) -> None:
    entries, checkpoint = log
    verdict = verify_entries(entries)
    assert verdict.intact
    assert not verdict.confirmed
    assert verdict.sentence.startswith("cannot confirm")
    assert verify_entries(entries[:-5]).intact, "a chain alone cannot see its end cut off: hence the checkpoint"
    assert not verify_entries(entries[:-5], checkpoint, signer.public).intact


def _rewrite(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What somebody with the database and our code could do: chain everything anew."""
    previous, written = verify_audit.GENESIS, []
    for number, entry in enumerate(entries, 1):
        body = {name: entry[name] for name in verify_audit._FIELDS} | {"seq": number}
        digest = verify_audit.entry_hash(previous, body)
        written.append({**body, "previous": previous, "hash": digest})
        previous = digest
    return written


@pytest.mark.parametrize("lost", [1, 2, ENTRIES - 1])
def test_a_log_that_lost_its_end_is_cut_off_be_it_by_one_entry(log: Any, signer: Signer, lost: int) -> None:
    entries, checkpoint = log
    verdict = verify_entries(entries[:-lost], checkpoint, signer.public)
    assert verdict.faults == (f"cut off: the checkpoint signed {ENTRIES} entries, there are {ENTRIES - lost}",)
    assert not verdict.confirmed


Tampering = Callable[[random.Random, list[dict[str, Any]]], list[dict[str, Any]]]


def _edit(dice: random.Random, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    entry = dice.choice(entries)
    name = dice.choice(list(entry))
    old = entry[name]
    if isinstance(old, dict):
        entry[name] = {**old, dice.choice(["n", "ratio", "extra"]): dice.random()}
    elif isinstance(old, int):
        entry[name] = old + dice.choice([-1, 1, 100])
    else:
        place = dice.randrange(len(old) + 1)
        entry[name] = old[:place] + dice.choice("0123456789abcdefZ ") + old[place:]
    return entries


def _remove(dice: random.Random, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    start = dice.randrange(len(entries))
    return entries[:start] + entries[start + dice.randrange(1, 5) :]


def _swap(dice: random.Random, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    first, second = dice.sample(range(len(entries)), 2)
    entries[first], entries[second] = entries[second], entries[first]
    return entries


def _repeat(dice: random.Random, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    entries.insert(dice.randrange(len(entries)), copy.deepcopy(dice.choice(entries)))
    return entries


def _cut(dice: random.Random, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return entries[: dice.randrange(len(entries))]


def _drop_field(dice: random.Random, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    entry = dice.choice(entries)
    del entry[dice.choice(list(entry))]
    return entries


def _add_field(dice: random.Random, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    dice.choice(entries)["note"] = "harmless"
    return entries


def _renumbered(tamper: Tampering) -> Tampering:
    def both(dice: random.Random, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        changed = tamper(dice, entries)
        return _rewrite(changed) if all(set(verify_audit._FIELDS) <= set(one) for one in changed) else changed

    return both


TAMPERINGS: tuple[Tampering, ...] = (
    _edit, _remove, _swap, _repeat, _cut, _drop_field, _add_field,
    _renumbered(_remove), _renumbered(_swap), _renumbered(_repeat), _renumbered(_cut),
)  # fmt: skip


def _missed(log: Any, signer: Signer, times: int, seed: int) -> list[str]:
    entries, checkpoint = log
    text, dice, missed = json.dumps(entries), random.Random(seed), []
    for _ in range(times):
        tamper = dice.choice(TAMPERINGS)
        tampered = tamper(dice, json.loads(text))
        # An entry added behind the checkpoint changes nothing it vouches for, and is said to be newer.
        if tampered[:ENTRIES] != entries and verify_entries(tampered, checkpoint, signer.public).confirmed:
            missed.append(getattr(tamper, "__name__", "?"))
    return missed


def test_a_thousand_tamperings_are_caught(log: Any, signer: Signer) -> None:
    assert _missed(log, signer, 1000, seed=1) == []


@pytest.mark.slow
def test_ten_thousand_tamperings_are_caught(log: Any, signer: Signer) -> None:
    assert _missed(log, signer, 10_000, seed=2) == []


def test_a_forged_checkpoint_is_not_believed(log: Any, signer: Signer, tmp_path: Path) -> None:
    entries, checkpoint = log
    forger = open_signer(tmp_path / "other.key", tmp_path / "other.pub")
    rewritten = _rewrite(entries[5:])
    body = {**checkpoint["signed"], "size": len(rewritten), "head": rewritten[-1]["hash"]}
    for forged in (forger.sign(body), {**checkpoint, "signed": body}, {}, {"signed": body}, [], "x", 7):
        verdict = verify_entries(rewritten, forged, signer.public)
        assert not verdict.intact
        assert not verdict.confirmed
    assert not verify_entries(entries, checkpoint, None).confirmed


def _receipts(folder: Path, signer: Signer, now: datetime) -> list[dict[str, Any]]:
    from hashlib import sha256

    folder.mkdir()
    entries: list[dict[str, Any]] = []
    for number in range(5):
        digests = {}
        for suffix, text in (("json", json.dumps(signer.sign({"id": number}))), ("html", f"<p>{number}</p>")):
            (folder / f"e{number}.{suffix}").write_text(text)
            digests[suffix] = sha256(text.encode()).hexdigest()
        entries.append({"action": "receipt", "object": f"e{number}", "result": digests})
    return entries


@pytest.mark.parametrize("times", [200, pytest.param(3000, marks=pytest.mark.slow)])
def test_every_tampering_with_receipts_is_caught(tmp_path: Path, signer: Signer, now: datetime, times: int) -> None:
    folder = tmp_path / "receipts"
    entries = _receipts(folder, signer, now)
    assert verify_receipts(entries, folder, signer.public) == []
    dice = random.Random(3)
    for _ in range(times):
        path = dice.choice(sorted(folder.iterdir()))
        before = path.read_bytes()
        changed = bytearray(before)
        act = dice.randrange(4)
        if act == 0:
            changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
        elif act == 1:
            del changed[dice.randrange(len(changed)) :]
        elif act == 2:
            changed += b" "
        path.unlink()
        if act < 3:
            path.write_bytes(changed)
        assert verify_receipts(entries, folder, signer.public)
        path.write_bytes(before)
    (folder / "e99.json").write_text("{}")
    assert verify_receipts(entries, folder, signer.public) == ["receipt e99.json: not in the log"]
    (folder / "e99.json").unlink()
    (folder / "e0.json").unlink()
    (folder / "e0.html").unlink()
    gone = [*entries, {"action": "receipt_expired", "object": "e0", "result": {}}]
    assert verify_receipts(gone, folder, signer.public) == [], "a receipt whose time was up is not missing"


def test_the_verifier_runs_alone(log: Any, vault: Vault, signer: Signer, tmp_path: Path) -> None:
    """Copied somewhere else, without Rollcall on its path, on the database and on an export."""
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "verify_audit.py").write_bytes(Path(verify_audit.__file__).read_bytes())
    (alone / "checkpoint.json").write_text(json.dumps(log[1]))
    audit_log.export(vault.engine, alone / "log.jsonl")
    database = vault.settings.home / "rollcall.db"

    def run(source: Path, *more: str) -> tuple[int, str]:
        command = [sys.executable, "-I", str(alone / "verify_audit.py"), str(source), *more]
        done = subprocess.run(command, cwd=alone, capture_output=True, text=True)
        return done.returncode, done.stdout

    vouched = ("--checkpoint", "checkpoint.json", "--key", str(tmp_path / "signing.pub"))
    assert run(database, *vouched) == (0, f"confirmed: {ENTRIES} entries\n")
    assert run(alone / "log.jsonl", *vouched)[0] == 0
    assert run(database)[0] == 2
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE auditentry SET subject = 'p0' WHERE seq = 7")
    connection.close()
    code, said = run(database, *vouched)
    assert code == 1
    assert "entry 7" in said
    lines = (alone / "log.jsonl").read_text().splitlines()
    (alone / "log.jsonl").write_text("\n".join([*lines[:3], "not json", *lines[4:]]))
    assert run(alone / "log.jsonl", *vouched)[0] == 1
    altered = [json.dumps({**json.loads(line), "subject": "p0"}) for line in lines] * 2
    (alone / "log.jsonl").write_text("\n".join(altered))
    code, said = run(alone / "log.jsonl", *vouched)
    assert (code, len(said.splitlines())) == (1, 1 + 20), "a page of faults says no more than twenty"


def test_twenty_thousand_entries_are_one_intact_log(signer: Signer) -> None:
    entry = {
        "at": "2026-11-02T09:30:00.000000Z",
        "actor": "a",
        "action": "fence",
        "subject": "p",
        "object": "e",
        "result": {},
    }
    entries = _rewrite([dict(entry, seq=0) for _ in range(20_000)])
    assert verify_entries(entries).intact


def test_an_entry_is_written_if_and_only_if_its_transaction_is(vault: Vault, now: datetime) -> None:
    def fails() -> None:
        with vault.session() as session:
            audit_log.append(session, [Event("fence", "p1")], now=now)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert list(audit_log.entries(vault.engine)) == []


def test_events_carry_ids_only_and_nothing_that_json_cannot_say(vault: Vault, now: datetime) -> None:
    with pytest.raises(ValueError, match="JSON"):
        vault.audit("fence", "p1", result={"n": float("nan")}, actor="a", now=now)
    with pytest.raises(TypeError):
        vault.audit("fence", "p1", result={"n": object()}, actor="a", now=now)
