"""Rendering: a picture depends on its own job alone, whatever is in the batch and however little memory there is."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks.random_bases import write_random_base
from tasks.headshots.render import (
    CannotDraw,
    RenderJob,
    RenderPlan,
    conditions_of,
    denoise,
    layouts,
    plan_render,
    render,
    weighing,
)
from tasks.headshots.render_plate import Plate, plain_wall, surely_background, surely_face
from tasks.vision.diffusion import FrozenBase, load_base_card, open_base, pixels
from tasks.vision.diffusion_slots import SlotBank


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> FrozenBase:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("bases")
    write_random_base(folder, "tiny", "sd-v")
    return open_base(load_base_card("tiny", folder), device="cpu")


@pytest.fixture
def plan(base: FrozenBase) -> RenderPlan:
    return replace(plan_render(base), steps=3)


def adapter(base: FrozenBase, number: int) -> dict[str, Tensor]:
    bank = SlotBank(base.denoiser, base.card.targets, slots=1, rank=4, alpha=4.0, train=False)
    return bank.adapter(torch.randn(bank.width, generator=torch.Generator().manual_seed(number)) * 0.3)


def jobs(base: FrozenBase, counts: tuple[int, ...]) -> list[RenderJob]:
    people = [adapter(base, number) for number in range(len(counts))]
    return [
        RenderJob(f"p{person}", people[person], f"a sks person, candidate {index}", "", seed=person * 10 + index)
        for person, count in enumerate(counts)
        for index in range(count)
    ]


def apart(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> int:
    return int(np.abs(one.astype(int) - other.astype(int)).max())


def test_a_picture_is_the_same_alone_and_in_any_batch(base: FrozenBase, plan: RenderPlan) -> None:
    all_jobs = jobs(base, (3, 1, 2))
    together = render(base, all_jobs, plan, batch=8)
    backwards = render(base, all_jobs[::-1], plan, batch=2)[::-1]
    alone = render(base, [all_jobs[4]], plan)[0]
    assert max(apart(one, other) for one, other in zip(together, backwards, strict=True)) <= 1
    assert apart(alone, together[4]) <= 1
    assert all(apart(together[4], other) > 5 for place, other in enumerate(together) if place != 4)


def test_nobody_is_drawn_with_anothers_adapter(base: FrozenBase, plan: RenderPlan) -> None:
    """Same prompt and seed for everybody: what differs is the adapter, and it is the right one."""
    same = [replace(job, prompt="a sks person", seed=1) for job in jobs(base, (1, 1, 1))]
    bare = RenderJob("p9", None, "a sks person", "", seed=1)
    *adapted, plain = render(base, [*same, bare], plan)
    for place, job in enumerate(same):
        assert apart(adapted[place], render(base, [job], plan)[0]) <= 1
        assert apart(adapted[place], plain) > 2
    assert apart(plain, render(base, [bare], plan)[0]) <= 1


def test_a_strength_weighs_the_adapter_and_two_of_them_share_a_batch(base: FrozenBase, plan: RenderPlan) -> None:
    """At 1 it is the adapter itself, at 0 nobody, and between them one person may have both in one batch."""
    (job,) = jobs(base, (1,))
    assert job.adapter is not None
    assert weighing(job.adapter, 1.0) is job.adapter
    looser, none = (replace(job, adapter=weighing(job.adapter, strength)) for strength in (0.8, 0.0))
    full, less, nobody = render(base, [job, looser, none], plan)
    assert apart(full, less) > 1
    assert apart(less, render(base, [looser], plan)[0]) <= 1
    assert apart(nobody, render(base, [replace(job, adapter=None)], plan)[0]) <= 1


def test_short_of_memory_the_batch_shrinks_and_the_pictures_stay(base: FrozenBase, plan: RenderPlan) -> None:
    all_jobs = jobs(base, (2, 2))
    plenty = render(base, all_jobs, plan)
    sizes: list[int] = []

    def short(_module: Any, arguments: tuple[Tensor, ...], _answer: Any) -> None:
        sizes.append(len(arguments[0]))
        if len(arguments[0]) > 4:  # two pictures with guidance
            raise torch.OutOfMemoryError("CUDA out of memory")

    hook = base.denoiser.register_forward_hook(short)
    progress: list[tuple[int, int]] = []
    try:
        scarce = render(base, all_jobs, plan, lambda done, total: progress.append((done, total)))
    finally:
        hook.remove()
    assert sizes[0] == 8
    assert set(sizes[1:]) <= {8, 4}
    assert progress == [(2, 4), (4, 4)]
    assert max(apart(one, other) for one, other in zip(plenty, scarce, strict=True)) <= 1


def test_other_errors_are_not_taken_for_want_of_memory(base: FrozenBase, plan: RenderPlan) -> None:
    wrong = replace(jobs(base, (1,))[0], adapter={"elsewhere.lora_A.weight": torch.zeros(4, 4)})
    with pytest.raises(CannotDraw, match="tiny does not take these adapters, learned on other weights"):
        render(base, [wrong], plan)
    assert render(base, [], plan) == []


def test_what_was_distilled_from_the_base_draws_its_adapters_at_the_scale_they_were_learned_with(
    base: FrozenBase, plan: RenderPlan, tmp_path: Path
) -> None:
    write_random_base(tmp_path, "turbo", "sd-v", seed=1)
    turbo = open_base(load_base_card("turbo", tmp_path), device="cpu")
    (job,) = jobs(base, (1,))
    assert job.adapter is not None
    (drawn,), (bare,) = (render(turbo, [one], plan) for one in (job, replace(job, adapter=None)))
    assert apart(drawn, bare) > 5
    assert apart(drawn, render(base, [job], plan)[0]) > 5
    (half,) = render(turbo, [job], replace(plan, scale=0.5))
    assert apart(half, render(turbo, [replace(job, adapter=weighing(job.adapter, 0.5))], plan)[0]) <= 1
    short = {name: tensor[:, :3] if ".lora_A." in name else tensor for name, tensor in job.adapter.items()}
    with pytest.raises(CannotDraw, match="turbo does not take these adapters"):
        render(turbo, [replace(job, adapter=short)], plan)


def test_a_face_may_have_words_of_its_own_and_they_are_heard_there_and_nowhere_else(
    base: FrozenBase, plan: RenderPlan
) -> None:
    """After one step nothing has spread yet: outside the face lies what the one prompt gives, inside the other's."""
    mask = surely_face(100)[0, 0]
    assert float(mask[45:60, 45:55].min()) == 1.0  # between the eyes and the mouth
    assert float(mask[:, 69:].max()) == float(mask[:, :31].max()) == 0.0  # beside a narrow face
    assert float(mask[:25].max()) == float(mask[79:].max()) == 0.0  # the hair above; the collar
    (job,) = jobs(base, (1,))
    told = replace(job, face="a sks person before a white wall")
    for guidance in (3.0, 1.0):
        one = replace(plan, steps=1, guidance=guidance)

        def latents(job: RenderJob, plan: RenderPlan = one) -> Tensor:
            return denoise(base, next(layouts([job], [0], 8)), plan, conditions_of(base, [job]))

        usual, mixed, other = latents(job), latents(told), latents(replace(job, prompt=told.face))
        inside, outside = (surely_face(usual.shape[-1])[0, 0] == share for share in (1, 0))
        assert inside.any()
        assert outside.any()
        assert float((usual - other)[0, :, inside].abs().max()) > 0.01
        assert torch.allclose(mixed[0, :, inside], other[0, :, inside], atol=1e-4)
        assert torch.allclose(mixed[0, :, outside], usual[0, :, outside], atol=1e-4)


def test_a_face_with_words_of_its_own_sees_their_wall_where_nobody_is(base: FrozenBase, plan: RenderPlan) -> None:
    noise = torch.randn((2, *base.family.latent_shape(plan.size)), generator=torch.Generator().manual_seed(1))
    state, walk = noise + 1, base.sampler(plan.steps, plan.size)
    seen = Plate(base, [plain_wall("#ffffff"), None], plan.size, noise, 1.0).blend(walk, state, 2)
    nobody, face = (mask(noise.shape[-1])[0, 0] == 1 for mask in (surely_background, surely_face))
    white = base.family.encode_pictures(pixels([np.full((plan.size, plan.size, 3), 255, np.uint8)])).mean
    assert nobody.any()
    assert face.any()
    assert torch.allclose(seen[0, :, nobody], walk.level(white, noise, 2)[0, :, nobody])
    assert torch.equal(seen[0, :, face], state[0, :, face])
    assert torch.equal(seen[1], state[1]), "who has no words for the face"
    both = [plain_wall("#000000"), plain_wall("#ffffff")]
    other = Plate(base, both, plan.size, noise, 1.0).blend(walk, state, 2)[1, :, nobody]
    assert torch.allclose(other, walk.level(white, noise, 2)[1, :, nobody]), "each sees their own"
    assert torch.equal(Plate(base, [plain_wall(None)] * 2, plan.size, noise, 1.0).blend(walk, state, 2), state), "words"


def test_the_wall_of_a_face_changes_that_picture_alone(base: FrozenBase, plan: RenderPlan) -> None:
    """And it is the face's pass alone that sees it: what is asked for and what is not see the picture as it is."""
    ours, theirs = jobs(base, (1, 1))
    together = [replace(ours, face="a sks person before a white wall"), theirs]
    seen: list[Tensor] = []
    watched = base.denoiser.register_forward_pre_hook(lambda _module, given: seen.append(given[0].clone()))
    try:
        drawn = [render(base, together, replace(plan, face_wall=colour)) for colour in ("#ffffff", "#102030")]
    finally:
        watched.remove()
    assert apart(drawn[0][0], drawn[1][0]) > 0 == apart(drawn[0][1], drawn[1][1])
    told: list[bool] = []
    for step in seen:
        negatives, positives, faces = step.view(2, 3, *step.shape[1:]).unbind(1)
        assert torch.equal(negatives, positives)
        assert torch.equal(faces[1], positives[1])
        told.append(not torch.equal(faces[0], positives[0]))
    assert told == [False, True, True] * 2, "the first step sees noise alone"


def test_who_has_no_words_for_the_face_is_drawn_as_ever_beside_who_has(base: FrozenBase, plan: RenderPlan) -> None:
    ours, theirs = jobs(base, (1, 1))
    told = replace(theirs, face="a sks person before a white wall")
    alone, apart_from_it = render(base, [ours], plan)[0], render(base, [told], plan)[0]
    together = render(base, [ours, told], plan)
    assert apart(together[0], alone) <= 1
    assert apart(together[1], apart_from_it) <= 1
    assert apart(apart_from_it, render(base, [theirs], plan)[0]) > 1
    assert apart(render(base, [replace(theirs, face=theirs.prompt)], plan)[0], render(base, [theirs], plan)[0]) <= 1


def test_layouts_keep_people_whole_and_lose_nobody() -> None:
    nobody: dict[str, Tensor] = {}
    people = [RenderJob(f"p{i % 5}", nobody, "", "", seed=i) for i in range(23)]
    seen: list[int] = []
    for laid in layouts(people, range(23), 8):
        assert len(laid.jobs) == laid.slots * laid.each <= 8
        for slot in range(laid.slots):
            assert len({job.person_id for job in laid.jobs[slot * laid.each : (slot + 1) * laid.each]}) == 1
        seen += [laid.places[row] for row in laid.wanted]
    assert sorted(seen) == list(range(23))


def test_the_plate_shows_where_nobody_is_and_only_there(base: FrozenBase, plan: RenderPlan) -> None:
    mask = surely_background(32)[0, 0]
    assert float(mask[2, 2]) == float(mask[2, 29]) == 1.0
    assert float(mask[14, 16]) == float(mask[31, 1]) == 0.0  # the face; the shoulders
    job = jobs(base, (1,))[0]
    red = np.zeros((16, 16, 3), np.uint8) + np.array([220, 20, 20], np.uint8)
    guided_plan = replace(plan, plate_strength=1.0)
    plain, guided = render(base, [job], plan)[0], render(base, [replace(job, plate=red)], guided_plan)[0]
    assert apart(plain, guided) > 5
    assert apart(plain, render(base, [job], guided_plan)[0]) == 0  # no plate, no change
    with_neighbour = render(base, [replace(job, plate=red), replace(job, person_id="p9")], guided_plan)
    assert apart(with_neighbour[0], guided) <= 1
    assert apart(with_neighbour[1], plain) <= 1
