"""The painter's promises: same seed same picture, who and how kept apart, and a truth that fits the pixels."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from synthetic.painter import engine, truth
from synthetic.painter.caption import describe, vocabulary
from synthetic.painter.capture import CaptureWish, draw_capture
from synthetic.painter.cuda import cuda_source
from synthetic.painter.grooming import STYLES
from synthetic.painter.identity import Identity, draw_identity
from synthetic.painter.kernels import PARTS
from synthetic.painter.painting import Painting, compose, paint
from synthetic.painter.palette import BACKDROP, SCENES
from synthetic.painter.parameters import CAPTURE, IDENTITY, WEAR, row
from synthetic.scenes import draw_scene

SIZE = 96


def shot(seed: int, kind: str = "studio", wish: CaptureWish | None = None) -> tuple[Identity, Painting]:
    person = draw_identity(seed)
    return person, paint(person, draw_capture(seed, person, kind, wish), SIZE, frame="aligned")


@pytest.mark.parametrize("kind", ["studio", "selfie"])
def test_same_seed_same_picture(kind: str) -> None:
    first, second = shot(3, kind)[1], shot(3, kind)[1]
    assert np.array_equal(first.picture, second.picture)
    assert not np.array_equal(first.picture, shot(4, kind)[1].picture)


def test_who_and_how_are_apart() -> None:
    """An identity is the same in all its shots, and a shot says nothing about who is in it."""
    person, other = draw_identity(11), draw_identity(12)
    one, two = draw_capture(1, person, "studio"), draw_capture(2, person, "studio")
    assert set(person.numbers) == set(IDENTITY)
    assert set(one.numbers) == set(CAPTURE)
    assert not set(IDENTITY) & set(CAPTURE)
    assert np.array_equal(paint(person, one, 32).identity, paint(person, two, 32).identity)
    assert draw_capture(1, other, "studio").yaw == one.yaw


def test_same_person_looks_more_alike_than_another() -> None:
    """Skin tone (the balance of red and blue, which light changes little) differs less between two shots of one
    person than between two people."""

    def balance(seed: int, capture: int) -> float:
        person = draw_identity(seed)
        p = paint(
            person, draw_capture(capture, person, "studio", CaptureWish(light="softbox light")), 48, frame="aligned"
        )
        red, _, blue = p.picture[p.masks["skin"] > 0.9].astype(float).mean(0)
        return float(red / blue)

    seeds = range(20, 34)
    first, second = [balance(s, 1) for s in seeds], [balance(s, 2) for s in seeds]
    assert np.corrcoef(first, second)[0, 1] > 0.8


def test_masks_add_up_and_alpha_covers_the_person() -> None:
    for seed in range(5):
        _, p = shot(seed, "selfie" if seed % 2 else "studio")
        assert set(p.masks) == {*PARTS, "background"}
        assert np.allclose(sum(p.masks.values()), 1, atol=1e-5)
        assert p.alpha.min() >= 0
        assert p.alpha.max() <= 1
        assert 0.25 < p.alpha.mean() < 0.85
        assert np.isfinite(p.foreground).all()


def test_landmarks_lie_on_eyes() -> None:
    """Within the eye's opening there is eye; the aligned frame puts eyes where the template says."""
    for seed in range(8):
        person = draw_identity(seed)
        p = paint(person, draw_capture(seed, person, "studio", CaptureWish(glasses=False)), 192, frame="aligned")
        for x, y in p.landmarks[:2]:
            around = p.masks["eyes"][
                round(float(y)) - 3 : round(float(y)) + 4, round(float(x)) - 3 : round(float(x)) + 4
            ]
            assert around.mean() > 0.5, (seed, x, y)
        assert np.abs(p.landmarks / 192 - truth.PORTRAIT_TEMPLATE).max() < 0.06
        x, y, w, h = p.face_box
        assert x < p.landmarks[:, 0].min() < p.landmarks[:, 0].max() < x + w
        assert y < p.landmarks[:, 1].min() < p.landmarks[:, 1].max() < y + h


def test_mouth_landmarks_lie_on_reddish_skin_below_the_nose() -> None:
    _, p = shot(2)
    left, right = p.landmarks[3], p.landmarks[4]
    assert left[0] < p.landmarks[2][0] < right[0]
    assert min(left[1], right[1]) > p.landmarks[2][1]


def test_light_comes_from_the_side_the_caption_says() -> None:
    for side, sign in (("left", 1), ("right", -1)):
        person = draw_identity(7)
        wish = CaptureWish(light=f"softbox light from the {side}", frontal=0.0)
        p = paint(person, draw_capture(9, person, "studio", wish), SIZE, frame="aligned")
        face = p.masks["skin"] * (np.arange(SIZE)[:, None] < 0.7 * SIZE)
        grey, middle = p.picture.mean(2), SIZE // 2
        left = (grey * face)[:, :middle].sum() / face[:, :middle].sum()
        right = (grey * face)[:, middle:].sum() / face[:, middle:].sum()
        assert sign * (left - right) > 3


def test_another_background_leaves_the_person_alone() -> None:
    person = draw_identity(5)
    capture = draw_capture(5, person, "studio", CaptureWish(background="navy"))
    p = paint(person, capture, SIZE, frame="aligned")
    again = compose(p.foreground, p.alpha, capture.before("yellow", 3), p.view)
    inside = p.alpha > 0.999
    assert np.abs(p.picture[inside].astype(int) - again[inside]).mean() < 1.5
    assert np.abs(p.picture[p.alpha == 0].astype(int) - again[p.alpha == 0]).mean() > 40


@pytest.mark.parametrize("garment", WEAR)
def test_every_garment_is_worn(garment: str) -> None:
    _, p = shot(8, "selfie", CaptureWish(garment=garment))
    assert p.masks["clothes"].mean() > 0.05


def test_everybody_can_be_drawn() -> None:
    """Each hair style, covering, beard and skin tone occurs among a thousand people, and each style has a picture."""
    people = [draw_identity(seed) for seed in range(1000)]
    assert {p.skin_tone for p in people} == set(range(1, 11))
    assert {p.cover for p in people} == {"none", "hijab", "turban"}
    assert {p.beard for p in people} == {"none", "stubble", "full", "long", "goatee", "moustache"}
    assert any(p.hearing_aid for p in people)
    assert {p.years // 10 for p in people} >= {2, 3, 4, 5, 6}
    for style in STYLES:
        person = next(p for p in people if p.style == style and p.cover == "none")
        p = paint(person, draw_capture(1, person, "studio", CaptureWish(glasses=False)), 48, frame="aligned")
        assert (p.masks["hair"].mean() > 0.01) == (style != "bald"), style
        assert p.masks["skin"].mean() > 0.05
        assert p.masks["eyes"].sum() > 4
    for cover in ("hijab", "turban"):
        person = next(p for p in people if p.cover == cover)
        p = paint(person, draw_capture(1, person, "studio"), 48, frame="aligned")
        assert p.masks["cover"].mean() > 0.05
        assert p.masks["hair"].sum() == 0


def test_sunglasses_hide_the_eyes() -> None:
    person = draw_identity(next(s for s in range(50) if not draw_identity(s).glasses))
    bare = paint(person, draw_capture(1, person, "selfie"), SIZE, frame="aligned")
    dark = paint(person, draw_capture(1, person, "selfie", CaptureWish(sunglasses=True)), SIZE, frame="aligned")
    assert bare.masks["eyes"].sum() > 10
    assert dark.masks["eyes"].sum() < 0.1 * bare.masks["eyes"].sum()


def test_captions_use_only_the_vocabulary() -> None:
    words = set(vocabulary())
    for seed in range(300):
        person = draw_identity(seed)
        for kind in ("studio", "selfie"):
            text = draw_capture(seed, person, kind).caption(describe(person))
            assert set(text.replace(",", " ").split()) <= words, text
    person = draw_identity(0)
    text = draw_capture(
        0,
        person,
        "studio",
        CaptureWish(background="navy", light="rembrandt light", garment="hoodie", colour="red", smile=0.1),
    ).caption()
    assert text == "studio headshot of a person, plain navy background, rembrandt light, red hoodie"


def test_backgrounds_are_what_they_are_called() -> None:
    person = draw_identity(0)
    for name, linear in BACKDROP.items():
        p = paint(person, draw_capture(0, person, "studio", CaptureWish(background=name)), 32, frame="aligned")
        corner = (p.picture[:3, :3].reshape(-1, 3).mean(0) / 255) ** 2.2
        nearest = min(
            BACKDROP,
            key=lambda other: float(np.abs(np.log(corner + 0.02) - np.log(np.asarray(BACKDROP[other]) + 0.02)).sum()),
        )
        assert nearest == name or np.allclose(corner / corner.sum(), np.asarray(linear) / sum(linear), atol=0.12), name
    for name in SCENES:
        capture = draw_capture(0, person, "selfie", CaptureWish(background=name))
        assert paint(person, capture, 32).picture.std() > 5


def test_scenes_tell_the_truth() -> None:
    seen: set[int] = set()
    for seed in range(14):
        scene = draw_scene(seed, 96)
        present = int((scene.people >= 0).sum())
        seen.add(present)
        assert (scene.boxes[present:] == -1).all()
        assert ((scene.alpha > 127) == (scene.parts > 0)).mean() > 0.99
        for k in range(present):
            x, y = scene.landmarks[k, 2]
            if 0 <= x < 96 and 0 <= y < 96 and k == 0:
                assert scene.parts[int(y), int(x)] > 0
    assert {1, 2} <= seen


def test_row_wants_every_name() -> None:
    person = draw_identity(1)
    capture = draw_capture(1, person, "studio")
    assert row(person.numbers, capture.numbers).shape == (len(IDENTITY) + len(CAPTURE),)
    with pytest.raises(KeyError):
        row({}, capture.numbers)


def test_cuda_text_has_every_kernel() -> None:
    text = cuda_source()
    for name in ("dist_skin", "fine_hair_long", "paint_clothes_suit", "paint_cover_turban", "paint_batch"):
        assert name in text
    assert "omp" not in text


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_cuda_text_compiles(tmp_path: Path) -> None:
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        pytest.skip("nvcc is not installed here")
    (tmp_path / "painter.cu").write_text(cuda_source(), encoding="utf-8")
    command = [nvcc, "-O0", "-Xcicc", "-O0", "-Xptxas", "-O0", "-arch=sm_90", "-c", "painter.cu", "-o", "painter.o"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_loading_the_painter_changes_nobody_else_s_arithmetic() -> None:
    """Numbers below the smallest normal one stay numbers in the process that paints."""
    engine.library()
    assert float(np.float64(2.2250738585072014e-308)) * 0.5 != 0.0
