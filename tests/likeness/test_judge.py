"""From a finished picture to its flags: what was taken off somebody's head lands beside everything else."""

from __future__ import annotations

import numpy as np
import pytest

from synthetic.painter.capture import CaptureWish, draw_capture, worn_by
from synthetic.painter.identity import Identity, draw_identity
from synthetic.painter.painting import paint
from tasks.headshots.kit import BrandKit
from tasks.headshots.measure import PictureMeasures
from tasks.likeness.judge import Judged, ToJudge, judge_candidate
from tasks.likeness.reference import PersonReference, find_faces, read_reference
from tasks.sentences import names
from tasks.vision.faces import Eyes
from tasks.vision.images import Picture
from tasks.vision.open_eyes import open_eyes


@pytest.fixture(scope="module")
def eyes() -> Eyes:
    return open_eyes("embedded")


def shoot(seed: int, kind: str, glasses: bool) -> Picture:
    person = draw_identity(1012)
    wish = CaptureWish(frontal=0.5, glasses=glasses)
    shown = Identity(**{**person.__dict__, "numbers": worn_by(person, wish)})
    return paint(shown, draw_capture(seed, person, kind, wish), 256, 1.0).picture


@pytest.fixture(scope="module")
def reference(eyes: Eyes) -> PersonReference:
    return read_reference(find_faces([shoot(seed, "selfie", True) for seed in (1, 2, 4)], eyes), eyes)


def test_a_black_and_white_selfie_says_nothing_about_tone(eyes: Eyes) -> None:
    picture = shoot(1, "selfie", True)
    grey = np.repeat(picture.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    both = read_reference(find_faces([picture, grey], eyes), eyes)
    assert both.tone is not None
    assert both.tone.photos == 1
    assert read_reference(find_faces([grey], eyes), eyes).tone is None


def test_lost_glasses_are_flagged_and_recorded(
    kit: BrandKit, clean: PictureMeasures, eyes: Eyes, reference: PersonReference
) -> None:
    def judged(glasses: bool, wish: str = "keep") -> Judged:
        one = ToJudge("k", shoot(9, "studio", glasses), clean, (), "generated", 24.0)
        return judge_candidate(one, reference, {}, "p1", kit, eyes, wish=wish)

    assert len(reference.heads) == 3
    lost, kept = judged(glasses=False), judged(glasses=True)
    assert "glasses" in {flag.code for flag in lost.flags}
    assert not {"glasses", "hair_colour", "hair_outline"} & {flag.code for flag in kept.flags}
    assert "glasses" not in {flag.code for flag in judged(glasses=False, wish="off").flags}
    recorded = kept.kept.as_json()
    assert recorded["glasses_expected"] is True
    assert recorded["hair_outline_limit"] > 0


def test_every_flag_has_words_for_reviewers() -> None:
    assert {"glasses", "hair_colour", "hair_outline"} <= set(names("flag"))
