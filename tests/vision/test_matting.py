"""The refined edge follows the picture, and what was certain stays."""

from __future__ import annotations

import cv2
import numpy as np

from tasks.vision.matting import fast_guided_filter, refine_matte


def test_a_coarse_edge_moves_onto_the_real_one() -> None:
    picture = np.full((240, 240, 3), (40, 90, 160), np.uint8)
    truth = np.zeros((240, 240), np.uint8)
    cv2.circle(truth, (120, 130), 70, 1, -1)
    picture[truth == 1] = (210, 170, 140)
    coarse = cv2.resize(truth.astype(np.float32), (40, 40), interpolation=cv2.INTER_AREA)
    coarse = cv2.GaussianBlur(coarse, (0, 0), 0.8)
    before = np.abs(cv2.resize(coarse, (240, 240)) - truth).mean()
    fine = refine_matte(picture, coarse)
    assert np.abs(fine - truth).mean() < 0.5 * before
    assert fine[120:140, 110:130].min() == 1.0
    assert fine[:20].max() == 0.0


def test_a_constant_mask_stays_constant() -> None:
    rng = np.random.default_rng(1)
    picture = rng.integers(0, 255, (90, 130, 3), dtype=np.uint8)
    for value in (0.0, 0.5, 1.0):
        mask = np.full((90, 130), value, np.float32)
        assert np.abs(fast_guided_filter(picture, mask, 5, 1e-4) - value).max() < 1e-3


def test_large_pictures_take_the_fast_way_and_agree() -> None:
    picture = np.zeros((900, 1200, 3), np.uint8)
    picture[:, 600:] = 220
    coarse = np.zeros((30, 40), np.float32)
    coarse[:, 20:] = 1
    fine = refine_matte(picture, coarse)
    assert fine.shape == (900, 1200)
    assert fine[:, :590].max() < 0.05
    assert fine[:, 612:].min() > 0.95
