"""Adapters as files: PEFT/diffusers safetensors that `pipe.load_lora_weights` takes, one per person, never pickles.

The file carries the LoRA configuration in diffusers' own metadata key, so rank, alpha and targets are read back
exactly, and the base's fingerprint and the plan's digest in ours: an adapter on the wrong base is noise, and we would
rather say so.
"""

import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from safetensors.torch import load, save
from torch import Tensor

from tasks.adapters.plan import TrainingPlan
from tasks.adapters.training import TrainedAdapter
from tasks.vault.failures import NotLikeThis
from tasks.vision.diffusion_card import BaseCard
from tasks.vision.diffusion_slots import is_target
from tasks.vision.families.known import FAMILIES

if TYPE_CHECKING:
    from peft import LoraConfig

DIFFUSERS_KEY = "lora_adapter_metadata"  # where diffusers keeps the LoraConfig


def lora_config(plan: TrainingPlan, layers: Collection[str] = ()) -> "LoraConfig":
    """The same adapter in PEFT's words, which knows no `*`: of `layers`, those that a target with one names."""
    from peft import LoraConfig  # opens all of transformers, half of what a process takes to start: only who writes one

    targets = [target for target in plan.targets if "*" not in target]
    targets += [name for name in sorted(layers) if any("*" in t and is_target(name, t) for t in plan.targets)]
    return LoraConfig(
        r=plan.rank,
        lora_alpha=plan.alpha,  # type: ignore[arg-type]  # PEFT takes fractions too
        target_modules=targets,
        lora_dropout=0.0,
    )


def adapter_bytes(
    adapter: TrainedAdapter | dict[str, Tensor], plan: TrainingPlan, card: BaseCard, *, fingerprint: str = ""
) -> bytes:
    """One person's weights as a standard LoRA file."""
    weights = adapter if isinstance(adapter, dict) else adapter.weights
    if weights is None:
        raise NotLikeThis("This person was quarantined: there is no adapter to write.")
    prefix = FAMILIES[card.family].prefix
    layers = {name.rsplit(".lora_", 1)[0] for name in weights}
    config: dict[str, Any] = lora_config(plan, layers).to_dict()  # type: ignore[no-untyped-call]
    described = {f"{prefix}.{key}": value for key, value in _plain(config).items()}
    metadata = {
        "format": "pt",
        DIFFUSERS_KEY: json.dumps(described, sort_keys=True),
        "rollcall": json.dumps({"base": card.name, "fingerprint": fingerprint, "plan": plan.digest()}),
    }
    tensors = {f"{prefix}.{name}": tensor.contiguous() for name, tensor in sorted(weights.items())}
    return ordered(save(tensors, metadata=metadata))


def ordered(data: bytes) -> bytes:
    """The same file with its metadata in order: safetensors writes them as they come, and equal people differ."""
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors start on a multiple of eight
    return len(text).to_bytes(8, "little") + text + data[end:]


def _plain(config: dict[str, Any]) -> dict[str, Any]:
    """PEFT's dictionary as JSON: sets become sorted lists, enumerations their values, empty entries go."""
    return {
        key: sorted(value) if isinstance(value, set) else getattr(value, "value", value)
        for key, value in config.items()
        if value is not None
    }


def load_adapter(data: bytes) -> dict[str, Tensor]:
    """An adapter file's tensors by layer, without the pipeline's prefix: what `render` takes."""
    tensors: dict[str, Tensor] = load(data)
    return {name.split(".", 1)[1]: tensor for name, tensor in tensors.items()}


def adapter_facts(data: bytes) -> dict[str, Any]:
    """What the file says of itself: base, fingerprint and plan."""
    facts: dict[str, Any] = json.loads(header_of(data).get("__metadata__", {}).get("rollcall", "{}"))
    return facts


def header_of(data: bytes) -> dict[str, Any]:
    """A safetensors file begins with the length of its header, which is JSON."""
    header: dict[str, Any] = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return header
