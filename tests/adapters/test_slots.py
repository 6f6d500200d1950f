"""The stacked layers against PEFT, person by person: the same gradients, the same weights after training."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from peft import LoraConfig
from peft.tuners.lora.layer import LoraLayer
from peft.utils import get_peft_model_state_dict
from torch import Tensor, nn

from tasks.adapters.examples import Examples, LearningPerson, draw, encode_people, stream
from tasks.adapters.export import lora_config
from tasks.adapters.plan import TrainingPlan
from tasks.adapters.slots import TrainingSlots, rate
from tasks.adapters.training import train_cohort
from tasks.vision.diffusion import FrozenBase
from tasks.vision.diffusion_slots import SlotBank, add_stacked
from tasks.vision.families.family import Conditions

PEOPLE = 3


def peft_twin(base: FrozenBase, plan: TrainingPlan, weights: dict[str, Tensor]) -> nn.Module:
    """A copy of the denoiser with one ordinary PEFT adapter of the given weights."""
    twin = copy.deepcopy(base.denoiser)
    twin.add_adapter(lora_config(plan))
    for name, module in twin.named_modules():
        if isinstance(module, LoraLayer):
            with torch.no_grad():
                module.lora_A["default"].weight.copy_(weights[f"{name}.lora_A.weight"])
                module.lora_B["default"].weight.copy_(weights[f"{name}.lora_B.weight"])
    return twin


def loss(base: FrozenBase, denoiser: nn.Module, person: Examples, step: int, plan: TrainingPlan) -> Tensor:
    """One person's loss as a single-person trainer would write it."""
    seen = draw(person, step, plan, None)
    times = base.family.times(seen.uniform)
    noisy = base.family.corrupt(seen.latents, seen.noise, times)
    answer = denoiser(noisy.sample, times, encoder_hidden_states=seen.conditions.tensors["text"]).sample
    errors: Tensor = (answer - noisy.target).square().flatten(1).mean(1) * noisy.weight
    return errors.mean()


def norm(tensors: dict[str, Tensor]) -> float:
    return float(torch.cat([tensor.flatten() for tensor in tensors.values()]).norm())


def apart(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    """Relative distance of two adapters, over all their numbers."""
    assert one.keys() == other.keys()
    return norm({name: one[name] - other[name] for name in one}) / norm(other)


@pytest.mark.filterwarnings("ignore:grad and param do not obey")
def test_gradients_are_those_of_separate_peft_training(
    base: FrozenBase, plan: TrainingPlan, person: Callable[..., LearningPerson]
) -> None:
    examples = encode_people(base, [person(number) for number in range(PEOPLE)], plan)
    slots = TrainingSlots(base, plan, PEOPLE)
    for slot in range(PEOPLE):
        generator = stream(slot, "both halves")  # B not zero, or A would have no gradient
        slots.bank.fill(slot, torch.randn(slots.bank.width, generator=generator) * 0.05)
    seen = [draw(one, 0, plan, None) for one in examples]
    times = base.family.times(torch.cat([one.uniform for one in seen]))
    noisy = base.family.corrupt(torch.cat([one.latents for one in seen]), torch.cat([one.noise for one in seen]), times)
    with slots.bank.attached():
        answer = base.family.predict(noisy.sample, times, Conditions.join([one.conditions for one in seen]))
        errors = (answer - noisy.target).square().flatten(1).mean(1) * noisy.weight
        errors.view(PEOPLE, plan.batch).mean(1).sum().backward()
    for slot, one in enumerate(examples):
        twin = peft_twin(base, plan, slots.adapter(slot))
        loss(base, twin, one, 0, plan).backward()
        theirs = {
            f"{name}.lora_{half}.weight": getattr(module, f"lora_{half}")["default"].weight.grad
            for name, module in twin.named_modules()
            if isinstance(module, LoraLayer)
            for half in "AB"
        }
        ours = slots.bank.adapter(slots.gradients[slot])
        assert apart(ours, theirs) < 1e-5
        assert max(float((ours[name] - theirs[name]).norm() / theirs[name].norm()) for name in ours) < 1e-4


def test_weights_after_twelve_steps_are_those_of_separate_peft_training(
    base: FrozenBase, plan: TrainingPlan, person: Callable[..., LearningPerson]
) -> None:
    plan = replace(plan, steps=12)
    people = [person(number) for number in range(PEOPLE)]
    together = train_cohort(base, people, plan, slots=PEOPLE)
    for one, trained in zip(encode_people(base, people, plan), together, strict=True):
        bank = SlotBank(base.denoiser, plan.targets, slots=1, rank=plan.rank, alpha=plan.alpha, train=False)
        start = bank.adapter(bank.fresh_row(stream(one.seed, "start")))
        twin = peft_twin(base, plan, start)
        learned = [parameter for parameter in twin.parameters() if parameter.requires_grad]
        optimizer = torch.optim.AdamW(learned, lr=plan.learning_rate, weight_decay=plan.weight_decay)
        for step in range(plan.steps):
            optimizer.param_groups[0]["lr"] = rate(plan, step, plan.steps)
            loss(base, twin, one, step, plan).backward()
            nn.utils.clip_grad_norm_(learned, plan.clip)
            optimizer.step()
            optimizer.zero_grad()
        theirs = get_peft_model_state_dict(twin)
        assert trained.weights is not None
        update = norm({name: theirs[name] - start[name] for name in start})
        assert apart(trained.weights, theirs) * norm(theirs) < 1e-3 * update
        assert apart(trained.weights, theirs) < 1e-5


class StackedInPeft(nn.Module, LoraLayer):
    """Our stacked arithmetic behind PEFT's conventions: what PEFT's door for custom modules takes."""

    slots = PEOPLE

    def __init__(self, base_layer: nn.Linear, adapter_name: str, r: int = 0, lora_alpha: int = 1, **_: Any) -> None:
        super().__init__()
        LoraLayer.__init__(self, base_layer)
        self._active_adapter = adapter_name
        self.r[adapter_name], self.lora_alpha[adapter_name] = r, lora_alpha
        self.scaling[adapter_name] = lora_alpha / r
        self.lora_dropout.update(nn.ModuleDict({adapter_name: nn.Identity()}))
        self.lora_A = nn.ParameterDict({adapter_name: nn.Parameter(torch.zeros(self.slots, r, self.in_features))})
        self.lora_B = nn.ParameterDict({adapter_name: nn.Parameter(torch.zeros(self.slots, self.out_features, r))})
        self.set_adapter([adapter_name])

    def forward(self, x: Tensor) -> Tensor:
        name = self.active_adapters[0]
        return add_stacked(self.base_layer(x), x, self.lora_A[name], self.lora_B[name], self.scaling[name])


def test_the_stacked_layer_fits_through_pefts_own_door(base: FrozenBase, plan: TrainingPlan) -> None:
    """Should PEFT make that door stable, its dispatch could replace our module swap; the numbers are the same."""
    targets = ["to_q", "to_k", "to_v", "to_out.0"]
    twin = copy.deepcopy(base.denoiser)
    config = LoraConfig(r=plan.rank, lora_alpha=int(plan.alpha), target_modules=targets)
    config._register_custom_module({nn.Linear: StackedInPeft})
    twin.add_adapter(config)
    bank = SlotBank(base.denoiser, targets, slots=PEOPLE, rank=plan.rank, alpha=plan.alpha, train=False)
    for slot in range(PEOPLE):
        bank.fill(slot, torch.randn(bank.width, generator=stream(slot, "door")) * 0.05)
    stacked = {name: module for name, module in twin.named_modules() if isinstance(module, StackedInPeft)}
    assert stacked.keys() == bank.layers.keys()
    for name, module in stacked.items():
        with torch.no_grad():
            module.lora_A["default"].copy_(bank.layers[name].down)
            module.lora_B["default"].copy_(bank.layers[name].up)
    one_person = {f"{key}.weight": tensor[1] for key, tensor in get_peft_model_state_dict(twin).items()}
    assert apart(one_person, bank.adapter(bank.weights[1])) == 0
    sample, times = torch.randn(PEOPLE, 4, 8, 8), torch.tensor([10, 500, 900])
    text = torch.randn(PEOPLE, 7, base.denoiser.config.cross_attention_dim)
    with torch.no_grad(), bank.attached():
        ours = base.denoiser(sample, times, encoder_hidden_states=text).sample
    with torch.no_grad():
        theirs = twin(sample, times, encoder_hidden_states=text).sample
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_a_layer_that_cannot_be_adapted_is_named(base: FrozenBase) -> None:
    with pytest.raises(TypeError, match="GroupNorm"):
        SlotBank(base.denoiser, ("norm1", "group_norm", "conv_norm_out"), slots=1, rank=2, alpha=2.0, train=False)
    with pytest.raises(ValueError, match="no layer"):
        SlotBank(base.denoiser, ("no_such_layer",), slots=1, rank=2, alpha=2.0, train=False)


def test_an_adapter_of_another_shape_is_refused(base: FrozenBase, plan: TrainingPlan) -> None:
    bank = SlotBank(base.denoiser, plan.targets, slots=1, rank=4, alpha=4.0, train=False)
    narrow = SlotBank(base.denoiser, plan.targets, slots=1, rank=2, alpha=2.0, train=False)
    with pytest.raises(ValueError, match="has shape"):
        bank.row(narrow.adapter(narrow.weights[0]))
    with pytest.raises(ValueError, match="fit no adapted layer"):
        bank.row({"elsewhere.lora_A.weight": torch.zeros(4, 3)})


def test_a_large_gradient_is_clipped_and_a_small_one_is_left_alone(base: FrozenBase, plan: TrainingPlan) -> None:
    """Each by its own norm: AdamW's first moment after one step is a tenth of the gradient that it was given."""
    slots = TrainingSlots(base, plan, 2)
    for slot in range(2):
        slots.begin(slot, stream(slot, "begin"))
    direction = torch.randn(slots.gradients.shape[1], generator=stream(7, "gradient"))
    direction /= direction.norm()
    slots.gradients[0].copy_(direction * 50 * plan.clip)
    slots.gradients[1].copy_(direction * 0.5 * plan.clip)
    norms = slots.update([0, 0], [6, 6])
    assert norms.tolist() == pytest.approx([50 * plan.clip, 0.5 * plan.clip], rel=1e-4)
    assert float(slots.first[0].norm()) == pytest.approx(0.1 * plan.clip, rel=1e-3)
    assert float(slots.first[1].norm()) == pytest.approx(0.05 * plan.clip, rel=1e-3)


def test_every_step_has_its_own_noise_and_every_person_theirs(
    base: FrozenBase, plan: TrainingPlan, person: Callable[..., LearningPerson]
) -> None:
    mine, other = encode_people(base, [person(0), person(1)], plan)
    noise = [draw(mine, step, plan, None).noise for step in range(3)]
    assert torch.equal(noise[1], draw(mine, 1, plan, None).noise)  # and the same when the step is taken again
    for drawn in (noise[0], noise[2], draw(other, 1, plan, None).noise):
        assert float((noise[1] - drawn).abs().mean()) > 0.5


def test_the_times_of_one_step_are_spread_evenly_from_a_place_of_their_own(
    base: FrozenBase, plan: TrainingPlan, person: Callable[..., LearningPerson]
) -> None:
    [mine] = encode_people(base, [person(0)], plan)
    firsts = set()
    for step in range(3):
        uniform = draw(mine, step, replace(plan, batch=4), None).uniform
        assert float(uniform.min()) >= 0
        assert float(uniform.max()) < 1
        assert sorted(uniform.tolist()) == pytest.approx([float(uniform.min()) + part / 4 for part in range(4)])
        firsts.add(float(uniform[0]))
    assert len(firsts) == 3


def test_the_rate_rises_over_the_warmup_and_then_stays_or_falls_to_nothing(plan: TrainingPlan) -> None:
    rising = replace(plan, warmup=2, decay="constant")
    shares = [rate(rising, done, 6) / plan.learning_rate for done in range(6)]
    assert shares == pytest.approx([1 / 3, 2 / 3, 1, 1, 1, 1])
    falling = replace(plan, warmup=0, decay="cosine")
    assert [rate(falling, done, 4) / plan.learning_rate for done in (0, 2, 4)] == pytest.approx([1, 0.5, 0])
