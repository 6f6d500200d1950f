"""A person's adapter as a file for other tools: with leave, and noted, since no erasure reaches it there.

Two formats: the one it is kept in (PEFT/diffusers), and kohya's, which ComfyUI, A1111 and Forge read for UNets.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import torch
from diffusers.utils.state_dict_utils import convert_state_dict_to_kohya
from safetensors.torch import load, save
from sqlmodel import col, select

from tasks.adapters.export import DIFFUSERS_KEY, header_of, ordered
from tasks.vault.failures import NotLikeThis
from tasks.vault.records import Adapter, Employee
from tasks.vault.store import Vault

EXPORTED = "adapter_exported"  # receipts of erasures look for it in the audit log
Format = Literal["diffusers", "kohya"]


@dataclass(frozen=True)
class HandedOut:
    """The file, and what to call it: never by a person's name."""

    name: str
    data: bytes


def hand_out(
    vault: Vault, number: str, base: str, format: Format, *, half: bool, actor: str, now: datetime
) -> HandedOut:
    """The newest adapter of this person on this base. NoConsent without leave; NotLikeThis when there is none."""
    with vault.reading() as session:
        person = session.exec(select(Employee).where(Employee.number == number)).first()
        query = select(Adapter).where(Adapter.base == base).order_by(col(Adapter.created_at).desc())
        row = session.exec(query.where(Adapter.employee_id == (person.id if person else ""))).first()
    if person is None:
        raise NotLikeThis("Nobody on record has this employee number.")
    permit = vault.permit(person.id, now=now)
    if row is None:
        raise NotLikeThis(f"This person has no adapter for the base {base}.")
    data = converted(vault.read(permit, row.blob_key), format, half=half)
    vault.audit(EXPORTED, person.id, row.digest, {"format": format, "half": half}, actor=actor, now=now)
    return HandedOut(f"{row.digest[:16]}-{format}.safetensors", data)


def converted(data: bytes, format: Format, *, half: bool) -> bytes:
    """An adapter file in another format or precision. Raises NotLikeThis for what has no such format."""
    header: dict[str, str] = header_of(data).get("__metadata__", {})
    tensors = load(data)
    if half:
        tensors = {name: tensor.half() for name, tensor in tensors.items()}
    if format == "kohya":
        if not all(name.startswith("unet.") for name in tensors):
            raise NotLikeThis("Kohya's format is for UNets; the tools read this base's adapters as they are.")
        alpha = float(_described(header)["lora_alpha"])
        tensors = convert_state_dict_to_kohya(tensors)  # type: ignore[no-untyped-call]
        # the converter writes the rank where alpha belongs, which draws half a face where they differ
        tensors = {
            name: torch.tensor(alpha, dtype=tensor.dtype) if name.endswith(".alpha") else tensor.contiguous()
            for name, tensor in tensors.items()
        }
        header = {"format": "pt", "rollcall": header.get("rollcall", "{}")}
    return ordered(save(tensors, metadata=header))


def _described(header: dict[str, str]) -> dict[str, Any]:
    """The LoRA configuration in the file, without the pipeline's prefix."""
    found = json.loads(header[DIFFUSERS_KEY])
    return {key.split(".", 1)[1]: value for key, value in found.items()}
