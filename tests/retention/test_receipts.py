"""Receipts follow from the evidence, cannot be made to say more, and look right in the hand of the person."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.retention.policy import policy_page, schedule
from tasks.retention.receipts import KEPT, OUTSIDE, Receipt, receipt_of, receipt_page, restore_receipts, write_receipt
from tasks.retention.rules import Company, load_rules
from tasks.vault.records import Erasure
from tasks.vault.signing import Signer, open_signer
from tasks.vault.verify_audit import open_signed

NOW = datetime(2026, 11, 2, tzinfo=UTC)


def _case(state: str = "final", **evidence: Any) -> Erasure:
    return Erasure(
        id="e1", employee_id="p1", reason="withdrawn", state=state, due_at=NOW, started_at=NOW, fenced_at=NOW,
        resweep_at=None, finished_at=NOW, evidence=evidence,
    )  # fmt: skip


_SEARCHED = {"files": 9, "bytes": 1234, "sealed": 2, "places": 0, "for": ["e-mail", "name"]}


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return open_signer(tmp_path / "signing.key", tmp_path / "signing.pub")


def test_the_level_is_what_was_measured() -> None:
    assert receipt_of(_case()).level == "none"
    assert receipt_of(_case(verified=True)).level == "listed"
    assert receipt_of(_case(verified=True, keys_destroyed=2)).level == "cryptographic"
    assert receipt_of(_case(verified=True, keys_destroyed=2, search=_SEARCHED)).level == "bytes"
    searched_only = receipt_of(_case(verified=True, search=_SEARCHED))
    assert searched_only.level == "listed"


@given(
    state=st.sampled_from(["fenced", "swept", "provisional", "blocked", "final"]),
    verified=st.booleans(),
    keys=st.integers(0, 3),
    residue=st.dictionaries(st.sampled_from(["object_lock", "trace"]), st.integers(1, 3)),
    pending=st.booleans(),
)
def test_no_evidence_makes_a_receipt_overclaim(
    state: str, verified: bool, keys: int, residue: dict[str, int], pending: bool
) -> None:
    case = _case(state, verified=verified, keys_destroyed=keys, residue=residue, log_pending=pending)
    try:
        receipt = receipt_of(case)
    except ValueError:  # a state that contradicts its evidence makes no receipt at all
        assert (residue and state != "blocked") or (state == "final" and pending)
        return
    if residue or not verified:
        assert receipt.level == "none"
    if residue:
        assert receipt.state == "blocked"
    if receipt.state == "final":
        assert not pending


def test_a_receipt_without_limits_cannot_be_made() -> None:
    receipt = receipt_of(_case(verified=True))
    assert receipt.outside == OUTSIDE
    with pytest.raises(ValueError, match="outside our reach"):
        replace(receipt, outside=())
    with pytest.raises(ValueError, match="blocked, never done"):
        replace(receipt, residue=("object_lock: 1",))


def test_the_file_is_signed_and_knows_no_secret(signer: Signer, tmp_path: Path) -> None:
    receipt = replace(receipt_of(_case(verified=True, removed={"selfies": 3})), secret="5ec4e7")
    write_receipt(receipt, tmp_path / "receipts", signer)
    document = json.loads((tmp_path / "receipts" / "e1.json").read_text())
    body = open_signed(document, signer.public)
    assert body is not None
    assert body["removed"] == {"selfies": 3}
    assert body["outside"] == list(OUTSIDE)
    assert "5ec4e7" not in json.dumps(document)
    document["signed"]["level"] = "bytes"
    assert open_signed(document, signer.public) is None


def test_a_lost_receipt_is_written_again_to_the_byte(signer: Signer, tmp_path: Path) -> None:
    case = _case(verified=True, keys_destroyed=1)
    digests = write_receipt(receipt_of(case), tmp_path, signer)
    (tmp_path / "e1.json").unlink()
    assert restore_receipts([case], tmp_path, signer) == 1
    assert write_receipt(receipt_of(case), tmp_path, signer) == digests
    assert restore_receipts([case], tmp_path, signer) == 0


def test_the_page_says_what_counts_and_escapes_everything() -> None:
    evil = "<script>alert(1)</script>"
    case = _case("blocked", residue={"object_lock": 2}, company=evil, removed={evil: 1})
    page = receipt_page(receipt_of(case))
    assert "<script>" not in page
    assert "NOT erased" in page
    assert "object_lock: 2" in page
    for line in OUTSIDE:
        assert line.split("(")[0].strip()[:30] in page.replace("&#x27;", "'")
    assert "http" not in page.replace("http-equiv", ""), "nothing is fetched from elsewhere"


def test_it_says_what_is_kept_of_a_person_and_nothing_of_the_kind_for_single_items() -> None:
    case = _case(verified=True)
    assert "keyed pseudonym" in receipt_page(receipt_of(case))
    assert receipt_of(case).body()["kept"] == KEPT
    case.scope = "items"
    assert "What is kept" not in receipt_page(receipt_of(case))


def test_what_was_and_was_not_searched_is_said() -> None:
    page = receipt_page(receipt_of(_case(verified=True, search=_SEARCHED)))
    assert "Searched byte by byte for e-mail and name" in page
    assert "9 files and folders, 1,234 bytes: found nowhere" in page
    assert "2 encrypted pictures of others" in page
    too_much = {"bytes": 5_000_000_000, "limit": 1_000_000_000}
    page = receipt_page(receipt_of(_case(verified=True, keys_destroyed=1, search=too_much)))
    assert "no: 5,000,000,000 bytes to read are over the limit of 1,000,000,000" in page
    assert receipt_of(_case(verified=True, keys_destroyed=1, search=too_much)).level == "cryptographic"
    assert "no: there was no name, e-mail or number" in receipt_page(receipt_of(_case(verified=True)))
    assert receipt_of(_case(verified=True, keys_destroyed=1, records="postgresql", search=_SEARCHED)).level != "bytes"


def test_the_limits_of_postgresql_are_on_its_receipts_alone() -> None:
    line = "PostgreSQL's own log"
    assert any(line in one for one in receipt_of(_case(verified=True, records="postgresql")).outside)
    assert not any(line in one for one in receipt_of(_case(verified=True, records="sqlite")).outside)
    assert "PostgreSQL" in policy_page(load_rules(), "postgresql")
    assert "PostgreSQL" not in policy_page(load_rules())


def test_provisional_says_when_it_will_be_looked_at_again() -> None:
    case = _case("provisional", verified=True)
    case.resweep_at = datetime(2026, 11, 2, 6, tzinfo=UTC)
    assert "02 November 2026, 06:00 UTC" in receipt_page(receipt_of(case))


def test_the_policy_is_the_rules() -> None:
    rules = load_rules()
    page = policy_page(rules.model_copy(update={"company": Company(name="North & Wind", contact="dpo@x.example")}))
    assert "North &amp; Wind" in page
    assert rules.digest in page
    for what, how in schedule(rules):
        assert what in page
        assert how in page
    stricter = rules.model_copy(
        update={"keep": rules.keep.model_copy(update={"selfies_at_latest": NOW - NOW.replace(day=1)})}
    )
    assert policy_page(stricter) != page
    assert isinstance(receipt_of(_case(verified=True)), Receipt)
