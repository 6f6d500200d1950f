"""Every nasty kind as a small picture made here: each figure tells the bad one from the good one, for every skin."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from benchmarks.faces_degraded import DEGRADED
from benchmarks.faces_lids import with_lids_shut
from tasks.selfies.judge import judge_photo
from tasks.selfies.look import Look, look_at, measured, quarter_turns
from tasks.vision.faces import Eyes, Face, QualityLimits
from tasks.vision.flaws import Flaws, read_flaws
from tasks.vision.images import Picture, encode, read_picture
from tasks.vision.photos import Photo
from tasks.vision.portrait import FACE_TEMPLATE
from tasks.vision.quality import read_quality
from tasks.vision.readers.mesh import FaceMesh

LIMITS = QualityLimits()
SKINS = {"dark": (92, 62, 48), "mid": (178, 132, 104), "light": (228, 188, 165)}


def portrait(skin: tuple[int, int, int], side: int = 480) -> tuple[Picture, Face]:
    """A face of ellipses before a wall, lit softly, with a little grain: a photograph as far as these figures go."""
    rng = np.random.default_rng(7)
    picture = np.full((side, side, 3), (120, 135, 150), np.float32)
    picture += 14 * np.sin(np.arange(side) / 40)[None, :, None]
    points = (FACE_TEMPLATE - 0.5) * np.float32(0.5 * side) + np.float32(0.5 * side)
    middle = (side // 2, round(0.52 * side))
    cv2.ellipse(picture, middle, (round(0.24 * side), round(0.33 * side)), 0, 0, 360, skin, -1)
    for x, y in points[:2]:
        cv2.ellipse(picture, (round(float(x)), round(float(y))), (18, 9), 0, 0, 360, (235, 235, 235), -1)
        cv2.circle(picture, (round(float(x)), round(float(y))), 8, (45, 35, 30), -1)
    mouth = points[3:5].mean(0)
    cv2.ellipse(picture, (round(float(mouth[0])), round(float(mouth[1]))), (30, 8), 0, 0, 360, (150, 70, 75), -1)
    picture = cv2.GaussianBlur(picture, (0, 0), 1.2)
    soft = 1.1 - 0.35 * (np.arange(side) / side)[:, None, None] + 0.04 * np.cos(np.arange(side) / 60)[None, :, None]
    found = np.clip(picture * soft + rng.normal(0, 1.5, picture.shape), 0, 255).astype(np.uint8)
    box = (0.26 * side, 0.19 * side, 0.48 * side, 0.66 * side)
    return found, Face(box, points.astype(np.float32), 0.99)


def wrong(flaws: Flaws) -> set[str]:
    told = {
        "beyond": flaws.beyond > LIMITS.beyond, "noise": flaws.noise > LIMITS.grain,
        "halves": flaws.halves < LIMITS.halves, "chroma": flaws.chroma < LIMITS.chroma,
        "blocks": flaws.blocks > LIMITS.blocks,
    }  # fmt: skip
    return {name for name, found in told.items() if found}


@pytest.mark.parametrize("skin", SKINS)
def test_a_good_photo_has_no_flaw(skin: str) -> None:
    assert wrong(read_flaws(*portrait(SKINS[skin]))) == set()


@pytest.mark.parametrize("skin", SKINS)
@pytest.mark.parametrize(
    ("kind", "flaw"),
    [("grain of sd 12", "noise"), ("grey", "chroma"), ("one half at a quarter", "halves")],
)
def test_each_kind_is_told_for_every_skin(skin: str, kind: str, flaw: str) -> None:
    picture, face = portrait(SKINS[skin])
    assert flaw in wrong(read_flaws(DEGRADED[kind](picture, face, np.random.default_rng(1)), face))


# Each way of making a photo bad from `benchmarks/faces_degraded.py` that five points can see, and what is said of it.
NASTY = {
    "blurred by .05 eye distances": "blurred",
    "enlarged from 20 px": "little_detail",
    "one half at a quarter": "uneven_light",
    "grain of sd 12": "noisy",
    "grain of sd 25": "noisy",
    "grey": "no_colour",
    "leaning by 30 degrees": "rolled",
    "black glasses": "sunglasses",
    "mirrored glasses": "sunglasses",
    "skin over the eyes": "sunglasses",
}


def said_of(picture: Picture, face: Face) -> set[str]:
    look = Look("d", 480, 480, 1, quality=read_quality(picture, face), flaws=read_flaws(picture, face))
    return {found.code for found in judge_photo(look, LIMITS).findings}


@pytest.mark.parametrize("skin", SKINS)
def test_nothing_is_said_of_a_good_photo(skin: str) -> None:
    assert said_of(*portrait(SKINS[skin])) == set()


@pytest.mark.parametrize("skin", SKINS)
@pytest.mark.parametrize("kind", NASTY)
def test_each_nasty_kind_has_its_word_for_every_skin(skin: str, kind: str) -> None:
    picture, face = portrait(SKINS[skin])
    bad = DEGRADED[kind](picture, face, np.random.default_rng(1))
    if kind == "leaning by 30 degrees":
        matrix = cv2.getRotationMatrix2D((240, 240), 30, 1.0).astype(np.float32)
        face = replace(face, landmarks=face.landmarks @ matrix[:, :2].T + matrix[:, 2])
    assert NASTY[kind] in said_of(bad, face)


@pytest.mark.parametrize(("kind", "code"), [("+2 stops", "overexposed"), ("-3 stops", "dark")])
def test_light_that_is_lost_is_lost_sooner_at_one_end_and_never_called_something_else(kind: str, code: str) -> None:
    """Dark skin clips later and turns black sooner: what is measured is what is lost, not the skin."""
    told = {}
    for skin, colour in SKINS.items():
        picture, face = portrait(colour)
        told[skin] = said_of(DEGRADED[kind](picture, face, np.random.default_rng(1)), face)
    assert code in told["light" if kind == "+2 stops" else "dark"]
    assert all(said <= {code, "no_colour"} for said in told.values())  # what is burnt out has no colour, either


@pytest.mark.parametrize(("x", "y"), [(0, -170), (0, 150), (-180, 0), (180, 0)])
def test_a_face_over_any_edge_is_cut_off(x: int, y: int) -> None:
    picture, face = portrait(SKINS["mid"])
    moved = Face(face.box, face.landmarks + np.array([x, y], np.float32), 0.99)
    assert wrong(read_flaws(picture, face)) == set()
    assert "beyond" in wrong(read_flaws(picture, moved))


def test_a_crushed_jpeg_is_told_from_its_pixels_too() -> None:
    picture, face = portrait(SKINS["mid"])
    for times, most in ((1, 10), (2, 10)):
        crushed = picture
        for quality in (most, 92)[:times]:
            out = io.BytesIO()
            Image.fromarray(crushed).save(out, "JPEG", quality=quality)
            crushed = np.asarray(Image.open(io.BytesIO(out.getvalue())).convert("RGB"))
        assert "blocks" in wrong(read_flaws(crushed, face))


def test_the_files_own_table_says_how_far_it_was_compressed(embedded_eyes: Eyes) -> None:
    picture, _ = portrait(SKINS["mid"])
    tables = {}
    for quality in (5, 20, 50, 92):
        out = io.BytesIO()
        Image.fromarray(picture).save(out, "JPEG", quality=quality)
        tables[quality] = read_picture(out.getvalue()).table
    assert tables[5] > tables[20] > LIMITS.table > tables[50] > tables[92]
    assert read_picture(encode(picture, "png")).table == 0


class Upright:
    """A finder that is surest of the way up in which the sky, the lightest strip, is above."""

    def find(self, picture: Picture) -> list[Face]:
        strips = [picture[:40].mean(), picture[-40:].mean(), picture[:, :40].mean(), picture[:, -40:].mean()]
        return [Face((0, 0, 10, 10), FACE_TEMPLATE * 100, 0.95 if strips[0] == max(strips) else 0.85)]


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_photo_comes_upright_whichever_way_it_came(quarters: int, embedded_eyes: Eyes) -> None:
    eyes = replace(embedded_eyes, finder=Upright(), limits=QualityLimits(turn_margin=0.05))
    picture = np.full((200, 300, 3), 90, np.uint8)
    picture[:60] = 240
    came = np.ascontiguousarray(np.rot90(picture, -quarters))
    photo = Photo(came, came, came.shape[1::-1], 1.0)
    turned = quarter_turns(came, eyes)
    assert turned == quarters
    upright = photo.turned(turned)
    assert upright.kept is not None
    assert (upright.judged == picture).all()
    assert (upright.kept == picture).all()
    assert upright.size == (300, 200)
    assert quarter_turns(came, replace(eyes, limits=QualityLimits())) == 0  # eyes that were not measured for it


def test_real_photographs_by_the_real_eyes(photos: Path, opencv_eyes: Eyes) -> None:
    """Upside down and on their side they come out as they were."""
    for name in ("d08_1.jpg", "d06_1.jpg"):
        data = (photos / name).read_bytes()
        picture = read_picture(data, 640).picture
        for quarters in range(4):
            assert quarter_turns(np.ascontiguousarray(np.rot90(picture, -quarters)), opencv_eyes) == quarters
        look, _ = look_at(data, opencv_eyes)
        assert look.flaws is not None
        assert wrong(look.flaws) == set()


def test_lids_that_are_shut_are_told_and_open_ones_are_not(photos: Path, opencv_eyes: Eyes) -> None:
    """Of real photographs, their lids drawn down over the eyes: glasses, dark and light skin, a face of 250 px."""
    mesh = opencv_eyes.lids
    if not isinstance(mesh, FaceMesh):
        pytest.skip("face_landmarker.task is not here")
    for name in ("d08_1.jpg", "d05_2.jpg", "d06_2.jpg"):
        picture = read_picture((photos / name).read_bytes(), 640).picture
        face = opencv_eyes.finder.find(picture)[0]
        shut = with_lids_shut(picture, mesh.points(picture, face))
        looks = [measured(Photo(p, None, (640, 640), 1.0), "", opencv_eyes) for p in (picture, shut)]
        codes = [{found.code for found in judge_photo(look, opencv_eyes.limits).findings} for look in looks]
        assert ["eyes_shut" in found for found in codes] == [False, True], name


@pytest.mark.parametrize("side", [160, 280, 300, 400, 480])
def test_a_small_photo_is_as_detailed_as_it_is_large_and_an_enlarged_one_is_not(side: int) -> None:
    picture, face = portrait(SKINS["mid"])
    k = side / 480
    small = np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
    rng = np.random.default_rng(2)
    small = np.clip(small + rng.normal(0, 1.5, small.shape), 0, 255).astype(np.uint8)  # a camera of that size
    there = Face(face.box, face.landmarks * np.float32(k), 0.99)
    assert read_flaws(small, there).detail == pytest.approx(there.inter_eye)
    blown = np.asarray(cv2.resize(small, (1200, 1200), interpolation=cv2.INTER_CUBIC), np.uint8)
    large = Face(face.box, face.landmarks * np.float32(2.5), 0.99)
    if there.inter_eye < 35:
        assert read_flaws(blown, large).detail < 60
