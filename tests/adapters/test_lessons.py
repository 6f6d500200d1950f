"""From a selfie to what is learned: each word of the plan changes what it names, and without words nothing changes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.random_bases import write_random_base
from synthetic.painter.caption import vocabulary
from tasks.adapters.captions import caption_of, plain_caption, what_differs
from tasks.adapters.checkpoint import Shelf, person_digest
from tasks.adapters.examples import LearningPerson, draw, encode_people
from tasks.adapters.lessons import MIXED, PORTRAIT, cut_selfie, lessons
from tasks.adapters.plan import LATER, TrainingPlan, plan_training
from tasks.adapters.portraits import Likeness
from tasks.adapters.slots import TrainingSlots
from tasks.adapters.training import train_cohort
from tasks.vision.diffusion import FrozenBase, load_base_card, open_base
from tasks.vision.diffusion_card import FewCard
from tasks.vision.faces import Face
from tasks.vision.looks import PhotoLooks
from tasks.vision.portrait import PORTRAIT_TEMPLATE

WHITE, NAVY, GREEN, SKIN = (238, 239, 240), (44, 56, 93), (63, 124, 89), (200, 160, 140)


def selfie(wall: tuple[int, ...] = WHITE, cloth: tuple[int, ...] = NAVY, side: int = 0, size: int = 64) -> Likeness:
    """A face of plain colours in the portrait frame; `side`: levels by which its left half is lighter."""
    picture = np.full((size, size, 3), wall, np.uint8)
    picture[size // 4 : int(size * 0.82), size // 4 : -size // 4] = SKIN
    picture[int(size * 0.82) :, size // 5 : -size // 5] = cloth
    picture[size // 4 : int(size * 0.82), size // 4 : size // 2] += np.uint8(side)
    points = np.asarray(PORTRAIT_TEMPLATE * size, np.float32)
    return Likeness("0", picture, Face((size / 3, size / 3, size / 3, size / 3), points, 1.0))


class Matte:
    """Sees the person in what is not the wall."""

    def matte(self, picture: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        return np.asarray((np.abs(picture.astype(int) - picture[0, 0]).max(-1) > 8), np.float32)


@pytest.fixture
def spoken(plan: TrainingPlan) -> TrainingPlan:
    return replace(plan, captions="seen", caption_dropout=0.5, outside=0.2, crops="mixed", true_sizes=True)


def test_a_plan_without_the_new_words_has_the_digest_it_always_had(plan: TrainingPlan) -> None:
    assert not LATER.keys() & plan.first_words().keys()
    assert "start" in LATER
    said = {"outside": 0.3, "average": 0.2, "gaussian": True, "captions": "seen", "crops": "mixed"}
    for name, value in said.items():
        assert replace(plan, **{name: value}).digest() != plan.digest()  # type: ignore[arg-type]


def test_without_words_a_person_is_one_portrait_and_one_sentence_a_selfie(base: FrozenBase, plan: TrainingPlan) -> None:
    person = lessons("p", [selfie(), selfie(GREEN)], plan, base.card, Matte(), 1)
    assert person.captions == [plain_caption(base.card.token)] * 2
    assert (person.planes, person.originals, person.shares, person.plain) == ((), (), (), None)
    bare = LearningPerson("p", person.portraits, person.captions, 1)
    assert person_digest(person, plan, "f") == person_digest(bare, plan, "f")


def test_captions_name_what_differs_and_never_the_face() -> None:
    alpha = Matte().matte(selfie().picture)
    small = caption_of(selfie().picture, alpha, "sks", PhotoLooks(), small=True)
    assert small == "selfie photo of a sks person, white background, soft daylight, navy t-shirt"
    lit = selfie(GREEN, (179, 53, 56), side=50)
    assert caption_of(lit.picture, Matte().matte(lit.picture), "sks", PhotoLooks(), small=False).split(", ") == [
        "selfie photo of a sks person", "red clothes", "green background", "light from the left",
    ]  # fmt: skip


def test_captions_say_smile_glasses_and_place_in_the_words_of_the_base() -> None:
    alpha = Matte().matte(selfie().picture)
    looks = PhotoLooks(smiling=True, glasses=True, outdoors=True)
    small = caption_of(selfie().picture, alpha, "sks", looks, small=True)
    assert small == "selfie photo of a sks person with glasses, park background, soft daylight, navy t-shirt, smiling"
    assert set(small.replace(",", "").replace("sks", "").split()) <= set(vocabulary()), "words it was trained with"
    assert caption_of(selfie().picture, alpha, "sks", looks, small=False).split(", ") == [
        "selfie photo of a sks person with glasses", "smiling", "navy clothes", "outdoors", "even light",
    ]  # fmt: skip


def test_glasses_that_are_never_taken_off_are_the_persons_own() -> None:
    worn, bare, unsure = PhotoLooks(glasses=True), PhotoLooks(glasses=False), PhotoLooks()
    assert [one.glasses for one in what_differs([worn, worn, unsure])] == [None, None, None]
    assert [one.glasses for one in what_differs([worn, bare, unsure])] == [True, False, None]


def test_what_our_eyes_see_of_each_selfie_stands_in_its_caption(base: FrozenBase, spoken: TrainingPlan) -> None:
    seen = iter([PhotoLooks(smiling=True, glasses=True), PhotoLooks(glasses=False)])
    person = lessons(
        "p", [selfie(), selfie(GREEN)], spoken, base.card, Matte(), 1, lambda selfie, alpha: next(seen)
    )  # fmt: skip
    first, second = person.captions[0], person.captions[3]
    assert len(set(person.captions)) == 2, "one sentence for every crop of a selfie"
    assert ("smiling" in first, "glasses" in first) == (True, True)
    assert ("smiling" in second, "glasses" in second) == (False, False)
    assert all(base.card.token in caption for caption in (first, second, person.plain or ""))


def test_the_mask_keeps_the_head_and_the_photos_edge_counts_nothing() -> None:
    one = selfie()
    cut = cut_selfie(one, PORTRAIT, 64, Matte().matte(one.picture), outside=0.2)
    assert cut.plane[32, 32] == pytest.approx(1)
    assert cut.plane[2, 2] == pytest.approx(0.2)
    assert cut.plane[62, 32] == pytest.approx(0.2), "clothes are not the head"
    wide = cut_selfie(one, MIXED[2], 64, Matte().matte(one.picture), outside=0.2)
    assert wide.plane[0, 0] == 0, "beyond the photo"
    near = cut_selfie(one, MIXED[1], 64, None, outside=1.0)
    assert near.original < cut.original < wide.original
    assert cut.original == 64


def test_every_word_reaches_the_batch(base: FrozenBase, plan: TrainingPlan, spoken: TrainingPlan) -> None:
    photos = [selfie(), selfie(GREEN)]
    (usual,) = encode_people(base, [lessons("p", photos, plan, base.card, Matte(), 1)], plan)
    (known,) = encode_people(base, [lessons("p", photos, spoken, base.card, Matte(), 1)], spoken)
    assert len(known.latents.mean) == 3 * len(usual.latents.mean)
    before, after = draw(usual, 0, plan, None), draw(known, 0, spoken, None)
    assert before.planes is None
    assert after.planes is not None
    assert torch.allclose(known.planes.mean((1, 2, 3)), torch.ones(6), atol=1e-5)  # type: ignore[union-attr]
    many = [draw(known, step, spoken, None) for step in range(300)]
    seen = torch.cat([one.conditions.tensors["text"] for one in many])
    plain = (seen == known.plain.tensors["text"]).flatten(1).all(1).float().mean()  # type: ignore[union-attr]
    assert 0.4 < float(plain) < 0.6


def test_shares_are_kept(base: FrozenBase, spoken: TrainingPlan) -> None:
    (known,) = encode_people(base, [lessons("p", [selfie()], spoken, base.card, Matte(), 1)], spoken)
    planes = torch.cat([draw(known, step, spoken, None).planes for step in range(400)])  # type: ignore[misc]
    shares = [float((planes == plane).flatten(1).all(1).float().mean()) for plane in known.planes]  # type: ignore[union-attr]
    assert shares == pytest.approx([0.6, 0.25, 0.15], abs=0.06)


def test_mirrored_portraits_share_what_theirs_is_seen(base: FrozenBase, spoken: TrainingPlan) -> None:
    both = replace(spoken, mirror=True)
    (known,) = encode_people(base, [lessons("p", [selfie()], both, base.card, Matte(), 1)], both)
    assert known.shares is not None
    assert len(known.shares) == len(known.latents.mean) == 6
    assert torch.equal(known.shares[:3], known.shares[3:])


def test_a_mask_moves_what_is_learned_and_one_of_ones_does_not(
    base: FrozenBase, plan: TrainingPlan, person: Callable[..., LearningPerson]
) -> None:
    side = base.card.resolution
    ones = [np.ones((side, side), np.float32)] * 3
    half = [np.concatenate([np.ones((side // 2, side)), np.zeros((side // 2, side))]).astype(np.float32)] * 3
    plain, same, masked = (
        one.weights
        for p in (person(1), person(1, planes=ones), person(1, planes=half))
        for one in train_cohort(base, [p], plan)
    )
    assert plain is not None
    assert same is not None
    assert masked is not None
    assert all(torch.allclose(plain[name], same[name], atol=1e-7) for name in plain)
    assert any(not torch.allclose(plain[name], masked[name], atol=1e-5) for name in plain)


def test_neighbours_with_and_without_masks_learn_as_if_alone(
    base: FrozenBase, plan: TrainingPlan, person: Callable[..., LearningPerson]
) -> None:
    half = [np.tri(base.card.resolution, dtype=np.float32)] * 3
    group = [person(1, planes=half), person(2)]
    together = train_cohort(base, group, plan, slots=2)
    for one, met in zip(group, together, strict=True):
        (alone,) = train_cohort(base, [one], plan)
        assert alone.weights is not None
        assert met.weights is not None
        assert all(torch.allclose(alone.weights[name], met.weights[name], atol=1e-4) for name in alone.weights)


def test_the_last_updates_are_averaged_and_a_cut_changes_nothing(
    base: FrozenBase, plan: TrainingPlan, person: Callable[..., LearningPerson], shelf: Shelf
) -> None:
    last = replace(plan, steps=6, average=0.5)
    (whole,) = train_cohort(base, [person(1)], last)
    ends = [train_cohort(base, [person(1, steps=6)], replace(last, average=0.0))[0].weights]
    assert whole.weights is not None
    assert any(not torch.equal(whole.weights[name], ends[0][name]) for name in whole.weights)  # type: ignore[index]

    class Killed(Exception):
        pass

    def kill(progress: object) -> None:
        raise Killed

    with pytest.raises(Killed):
        train_cohort(base, [person(2), person(1)], last, slots=1, shelf=shelf, checkpoint_every=5, on_done=kill)
    train_cohort(base, [person(1)], replace(last), shelf=shelf, checkpoint_every=5)
    _, again = train_cohort(base, [person(2), person(1)], last, slots=1, shelf=shelf)
    assert again.weights is not None
    assert all(torch.equal(whole.weights[name], again.weights[name]) for name in whole.weights)


def test_the_mean_is_of_the_weights_after_the_last_updates(base: FrozenBase, plan: TrainingPlan) -> None:
    slots = TrainingSlots(base, replace(plan, average=0.5), 1)
    slots.begin(0, torch.Generator().manual_seed(0))
    rows = []
    for done in range(4):
        slots.gradients.normal_(generator=torch.Generator().manual_seed(done))
        slots.update([done], [4])
        rows.append(slots.weights[0].clone())
    assert slots.mean is not None
    assert torch.allclose(slots.mean[0], (rows[2] + rows[3]) / 2, atol=1e-7)
    kept = slots.snapshot(0)
    slots.begin(0, torch.Generator().manual_seed(0))
    assert slots.averaged == [0]
    slots.restore(0, kept)
    assert slots.averaged == [2]


def test_a_gaussian_start_is_as_wide_as_the_official_scripts(base: FrozenBase, plan: TrainingPlan) -> None:
    bank = TrainingSlots(base, plan, 1).bank
    row = bank.fresh_row(torch.Generator().manual_seed(0), gaussian=True)
    downs = torch.cat([row[place.start : place.middle] for place in bank.places])
    ups = torch.cat([row[place.middle : place.end] for place in bank.places])
    assert float(downs.std()) == pytest.approx(1 / plan.rank, rel=0.02)
    assert not ups.any()


def test_few_photos_have_their_own_words(base: FrozenBase) -> None:
    few = FewCard(steps=0.8, outside=0.1, crops="mixed")
    card = base.card.model_copy(update={"training": base.card.training.model_copy(update={"few": few})})
    many, two = plan_training(card, "standard", 8), plan_training(card, "standard", 2)
    assert (many.outside, many.crops) == (1.0, "portrait")
    assert (two.outside, two.crops) == (0.1, "mixed")
    assert two.steps == round(0.8 * many.steps)


def test_sdxl_is_told_what_size_the_photo_had(tmp_path: Path, plan: TrainingPlan) -> None:
    write_random_base(tmp_path, "tiny", "sdxl")
    big = open_base(load_base_card("tiny", tmp_path), device="cpu")
    sized = replace(plan, true_sizes=True, targets=("to_q",), outside=0.5)
    (known,) = encode_people(big, [lessons("p", [selfie(size=64)], sized, big.card, Matte(), 1)], sized)
    assert known.conditions.tensors["sizes"].tolist() == [[64, 64, 0, 0, 16, 16]]
    (untold,) = encode_people(big, [lessons("p", [selfie(size=64)], plan, big.card, Matte(), 1)], plan)
    assert "sizes" not in untold.conditions.tensors
    noise, times = torch.randn(1, *big.family.latent_shape(16)), torch.tensor([500])
    told, usual = (big.family.predict(noise, times, one.conditions) for one in (known, untold))
    assert not torch.allclose(told, usual)
