"""An adapter handed out for other tools: the same weights and strength, with leave only, and named when erased."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
import torch
from safetensors.torch import load
from sqlmodel import select

from tasks.adapters.export import adapter_bytes, adapter_facts
from tasks.adapters.hand_out import converted, hand_out
from tasks.adapters.plan import TrainingPlan
from tasks.retention.erase import forget
from tasks.vault.failures import NoConsent, NotLikeThis
from tasks.vault.records import Adapter, AuditEntry, Consent, Employee
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tasks.vision.diffusion import FrozenBase

NOW = datetime(2026, 11, 28, tzinfo=UTC)


@pytest.fixture
def data(base: FrozenBase, plan: TrainingPlan) -> bytes:
    """A file whose strength is half its rank."""
    one = torch.Generator().manual_seed(1)
    weights = {
        f"mid_block.attentions.0.transformer_blocks.0.attn1.to_q.lora_{half}.weight": torch.randn(shape, generator=one)
        for half, shape in (("A", (4, 32)), ("B", (32, 4)))
    }
    return adapter_bytes(weights, replace(plan, rank=4, alpha=2.0), base.card, fingerprint="f")


@pytest.fixture
def vault(tmp_path: Path, data: bytes, plan: TrainingPlan) -> Iterator[Vault]:
    with open_vault(Settings(home=tmp_path / "home")) as vault:
        with vault.session() as session:
            session.add(Employee(id="p1", number="100", updated_at=NOW))
            session.add(Employee(id="p2", number="200", updated_at=NOW))
            session.add(Consent(id="c1", employee_id="p1", given_at=NOW))
        key = vault.write(vault.permit("p1", now=NOW), "adapter", "d1.safetensors", data)
        row = Adapter(
            digest="d1", employee_id="p1", base="tiny", base_fingerprint="f", plan=asdict(plan), blob_key=key, steps=3,
            photos=2, few_photos=True, loss_first=1.0, loss_last=1.0, seconds=1.0, created_at=NOW,
        )  # fmt: skip
        with vault.session() as session:
            session.add(row)
        yield vault


def test_kohyas_file_has_the_same_weights_and_the_true_strength(data: bytes) -> None:
    ours, theirs = load(data), load(converted(data, "kohya", half=False))
    stem = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
    assert set(theirs) == {f"{stem}.lora_down.weight", f"{stem}.lora_up.weight", f"{stem}.alpha"}
    assert float(theirs[f"{stem}.alpha"]) == 2.0, "not the rank"
    assert torch.equal(theirs[f"{stem}.lora_down.weight"], next(t for n, t in ours.items() if "lora_A" in n))


@pytest.mark.parametrize("format", ["diffusers", "kohya"])
def test_the_same_adapter_is_the_same_file_however_often(data: bytes, format: Literal["diffusers", "kohya"]) -> None:
    """safetensors writes what a file says of itself in any order: eight times, so that chance does not pass."""
    assert len({converted(data, format, half=True) for _ in range(8)}) == 1


def test_in_half_precision_it_still_says_what_it_is(data: bytes) -> None:
    small = converted(data, "diffusers", half=True)
    assert adapter_facts(small) == adapter_facts(data)
    assert {tensor.dtype for tensor in load(small).values()} == {torch.float16}


def test_what_is_no_unet_has_no_kohya_file(data: bytes) -> None:
    header = 8 + int.from_bytes(data[:8], "little")
    with pytest.raises(NotLikeThis, match="as they are"):
        converted(data[:8] + data[8:header].replace(b"unet.mid", b"tran.mid") + data[header:], "kohya", half=False)


def test_it_needs_leave_and_is_noted_and_named_in_the_receipt(vault: Vault) -> None:
    with pytest.raises(NoConsent):
        hand_out(vault, "200", "tiny", "diffusers", half=False, actor="it", now=NOW)
    with pytest.raises(NotLikeThis, match="no adapter for the base sdxl"):
        hand_out(vault, "100", "sdxl", "diffusers", half=False, actor="it", now=NOW)
    with pytest.raises(NotLikeThis, match="Nobody"):
        hand_out(vault, "300", "tiny", "diffusers", half=False, actor="it", now=NOW)
    given = hand_out(vault, "100", "tiny", "kohya", half=True, actor="it", now=NOW)
    assert "100" not in given.name
    with vault.reading() as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.action == "adapter_exported")).all()
    assert [(one.subject, one.object, one.actor) for one in entries] == [("p1", "d1", "it")]
    receipt = forget(vault, "p1", "requested", NOW)
    assert any("exported as files for other tools: 1" in line for line in receipt.outside)
    written = json.loads((vault.settings.receipts / f"{receipt.id}.json").read_text())
    assert written["signed"]["outside"] == list(receipt.outside)
    with pytest.raises(NotLikeThis, match="Nobody"):
        hand_out(vault, "100", "tiny", "kohya", half=True, actor="it", now=NOW)
