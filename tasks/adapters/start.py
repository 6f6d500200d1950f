"""The shared start: first weights that already know how people differ, so that each person needs fewer steps.

It is made from drawn people only and is nobody's data. It belongs to one base, one rank and one set of targets; its
sha256 stands on the base's card, goes into the plan and with it into every adapter's digest.
"""

import hashlib

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from tasks.adapters.plan import TrainingPlan
from tasks.vision.diffusion_card import BaseCard, UnknownBase


def load_start(card: BaseCard, plan: TrainingPlan) -> dict[str, Tensor] | None:
    """The weights that `plan` names, by layer; None where it names none. UnknownBase if the card has others."""
    if not plan.start:
        return None
    named = card.training.start
    if named is None:
        raise UnknownBase(f"{card.name}: the plan starts from {plan.start[:12]}, and the card names no start")
    path = card.folder / named.file
    if not path.is_file():
        raise UnknownBase(
            f"{path}: the card names this start, and it is not there; take `start` off the card or fetch it"
        )
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != plan.start:
        raise UnknownBase(f"{path}: this is start {found[:12]}, and the plan wants {plan.start[:12]}")
    try:
        return {name: tensor.float() for name, tensor in load(data).items()}
    except SafetensorError as broken:
        raise UnknownBase(f"{path}: no safetensors: {broken}") from broken


def start_bytes(weights: dict[str, Tensor]) -> bytes:
    """A start as a file, in half precision: it is where training begins, not where it ends."""
    return save({name: tensor.half().contiguous() for name, tensor in sorted(weights.items())})
