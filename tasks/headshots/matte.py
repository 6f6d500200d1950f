"""Cutting a person out: alpha with real edges, and the person's own colours without the old background in them.

The segmentation nets give a soft silhouette at 128 to 256 pixels. Three steps make a matte of it: a guided filter
that pulls the silhouette to the edges the picture really has; an estimate of what the foreground and the old
background look like at every pixel (multi-level, after Germer et al. 2020); and, in the uncertain band, alpha read
off the colour line between the two. Everything is in linear light, because that is where light mixes.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.headshots.wall import weigh_with_plain_wall
from tasks.vision.colour import dot, to_linear
from tasks.vision.images import Picture
from tasks.vision.matting import guided_filter, guided_line, window_mean

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
SURE = 0.96  # coarse alpha above this (and away from the edge) is person; below 1 - SURE background
DOUBT = 2.0  # grains round the silhouette of an enlarged picture that are looked at again
WORKING_SIDE = 512  # pixels; the band is solved at no more than this, then brought up by the guided filter


@dataclass(frozen=True)
class Cutout:
    """A person without a background: composing is `alpha * colours + (1 - alpha) * backdrop`."""

    alpha: Floats  # (H, W) 0..1
    colours: Floats  # (H, W, 3) linear light; defined everywhere, also where alpha is 0


def cut_out(picture: Picture, coarse: Floats, face_width: float, grain: float = 1.0, *, drawn: bool = True) -> Cutout:
    """Refine a coarse matte of this picture. `face_width` (px) says how wide hair and its doubt may be.

    `grain` is the size in px of the finest detail there is: more than 1 in a picture that was enlarged. No strand
    of hair is finer than that, so the doubt round the silhouette is no wider than a few grains. `drawn` pictures
    were drawn before a plain wall; what stands out from a photograph's white wall may hang on it.
    """
    height, width = coarse.shape
    scale = min(1.0, WORKING_SIDE / max(height, width))
    small_size = (max(8, round(width * scale)), max(8, round(height * scale)))
    light = to_linear(picture)
    small_light, small_coarse = (_reduced(values, small_size) for values in (light, coarse))
    start = largest_part(small_coarse)
    if drawn:
        start = weigh_with_plain_wall(small_light, start)
    alpha = _refined(small_light, start, face_width * scale, grain * scale)
    person, back = estimate_colours(small_light, alpha)
    if scale < 1:
        alpha = _joint_upsample(alpha, small_light, light)
        person, back = (_to_size(colours, (width, height)) for colours in (person, back))
        person = _explained(light, alpha, person, back)
    return Cutout(alpha=alpha, colours=person)


def _reduced(values: Floats, size: tuple[int, int]) -> Floats:
    if (values.shape[1], values.shape[0]) == size:
        return values
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def _to_size(values: Floats, size: tuple[int, int]) -> Floats:
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _explained(light: Floats, alpha: Floats, person: Floats, back: Floats) -> Floats:
    """The foreground nearest to `person` that mixes to the picture: all its detail where alpha is 1."""
    share = alpha[..., None]
    rest = light - share * person - (1 - share) * back
    pull = share / (share**2 + (1 - share) ** 2)
    return np.asarray(np.clip(person + pull * rest, 0, 1), np.float32)


def largest_part(alpha: Floats) -> Floats:
    """The one connected person; specks elsewhere (a lamp, a flag, a bystander behind) go."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((alpha > 0.5).astype(np.uint8), connectivity=4)
    if count <= 2:
        return alpha
    best = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    reach = max(3, round(0.02 * max(alpha.shape))) | 1
    near = cv2.dilate((labels == best).astype(np.uint8), np.ones((reach, reach), np.uint8))
    others = (labels != best) & (labels > 0)
    return np.where((near > 0) & ~others, alpha, np.where(others, 0, np.minimum(alpha, 0.2))).astype(np.float32)


def _refined(light: Floats, coarse: Floats, face_width: float, grain: float) -> Floats:
    """Alpha at working size: silhouette to edges, then by colour inside the uncertain band."""
    inner, outer = max(1, round(0.03 * face_width)), max(2, round(0.09 * face_width))
    if grain > 1:
        inner, outer = min(inner, max(1, round(grain))), min(outer, max(2, round(DOUBT * grain)))
    sure_person, sure_back = _sure(coarse, inner, outer)
    start = np.where(sure_back, 0, coarse).astype(np.float32)
    guided = np.clip(guided_filter(light, start, radius=inner + outer // 2, epsilon=2e-4), 0, 1)
    alpha = np.where(sure_person, 1, np.where(sure_back, 0, guided)).astype(np.float32)
    band = ~(sure_person | sure_back)
    # Hair thins out with distance from the silhouette: what stands there bright and solid is old background, and
    # what lies well inside is person, even where a rim of light has the wall's colour.
    ceiling = np.clip(2.4 * window_mean(window_mean(start, inner + 1), outer), 0, 1)
    floor = np.clip(1 - 1.8 * window_mean(window_mean(1 - start, inner + 1), inner), 0, ceiling)
    guided = np.clip(guided, floor, ceiling)
    for _ in range(3):
        person = _nearby(light, alpha > 0.95, 2 * outer)
        back = _nearby(light, alpha < 0.05, 2 * outer)
        line = person - back
        length = dot(line, line)
        by_colour = dot(light - back, line) / np.maximum(length, 1e-6)
        rest = light - back - np.clip(by_colour, 0, 1)[..., None] * line
        off = dot(rest, rest)
        # Alike colours say nothing about where one ends, and a colour off the line is neither of the two.
        trust = length / (length + 0.01) * np.exp(-off / (0.004 + 0.05 * length))
        mixed = trust * np.clip(by_colour, floor, ceiling) + (1 - trust) * guided
        smooth = guided_filter(light, np.where(band, mixed, alpha), radius=max(1, inner // 2), epsilon=1e-4)
        alpha = np.where(band, np.clip(0.5 * mixed + 0.5 * smooth, 0, 1), alpha).astype(np.float32)
    return _attached(np.clip((alpha - 0.04) / 0.92, 0, 1).astype(np.float32), sure_person)


def _attached(alpha: Floats, sure_person: Mask) -> Floats:
    """Without islands: what is not connected to the person was never part of them."""
    _, labels = cv2.connectedComponents((alpha > 0.1).astype(np.uint8), connectivity=8)
    joined = np.isin(labels, np.unique(labels[sure_person])) & (labels > 0)
    soft = cv2.dilate(joined.astype(np.uint8), _disc(2)) > 0
    return np.where(soft, alpha, 0).astype(np.float32)


def _sure(coarse: Floats, inner: int, outer: int) -> tuple[Mask, Mask]:
    """Where nobody doubts: person well inside the silhouette, background out of the reach of hair."""
    person = cv2.erode((coarse > SURE).astype(np.uint8), _disc(inner), borderType=cv2.BORDER_REPLICATE) > 0
    near = cv2.dilate((coarse > 0.5).astype(np.uint8), _disc(outer), borderType=cv2.BORDER_REPLICATE) > 0
    away = cv2.erode((coarse < 1 - SURE).astype(np.uint8), _disc(inner), borderType=cv2.BORDER_REPLICATE) > 0
    return person, ~near | away


def _nearby(values: Floats, known: Mask, radius: int) -> Floats:
    """The mean of the known values round every pixel; looked for farther out where there are none.

    Means over such windows vary slowly, so they are taken on a quarter of the picture and brought up.
    """
    height, width = known.shape
    small = (max(8, width // 4), max(8, height // 4))
    weight = _reduced(known.astype(np.float32), small)
    part = _reduced(values * known[..., None].astype(np.float32), small)
    found = np.broadcast_to(values.mean(axis=(0, 1)), part.shape).astype(np.float32)
    for reach in (2 * radius, max(1, 3 * radius // 4), max(1, radius // 4)):
        reach = min(reach, max(1, min(weight.shape) // 2 - 1))
        mass = window_mean(weight, reach)
        mean = window_mean(part, reach) / np.maximum(mass, 1e-6)[..., None]
        share = np.clip(mass / 0.02, 0, 1)[..., None]
        found = (share * mean + (1 - share) * found).astype(np.float32)
    return _to_size(found, (width, height))


def _disc(radius: int) -> NDArray[np.uint8]:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(disc, np.uint8)


def _joint_upsample(alpha: Floats, small: Floats, full: Floats) -> Floats:
    """Alpha solved small, brought to the full picture along the full picture's edges."""
    size = (full.shape[1], full.shape[0])
    a, b = guided_line(np.sqrt(small), alpha, 2, 1e-4)
    a, b = _to_size(window_mean(a, 2), size), _to_size(window_mean(b, 2), size)
    along = dot(a, np.sqrt(full)) + b
    plain = _to_size(alpha, size)
    inside = (plain > 0.999) | (plain < 0.001)
    return np.clip(np.where(inside, plain, along), 0, 1).astype(np.float32)


def estimate_colours(light: Floats, alpha: Floats) -> tuple[Floats, Floats]:
    """Foreground and background colours at every pixel, such that alpha mixes them to the picture.

    Fast multi-level estimation (Germer et al. 2020): from 2 pixels upwards, each level starts from the coarser one
    and is relaxed: per pixel the least-squares pair that explains the picture and resembles its neighbours, more so
    where alpha changes. Solved in closed form per pixel, vectorised over the picture.
    """
    height, width = alpha.shape
    levels = max(1, int(np.ceil(np.log2(max(height, width)))))
    person = np.full((1, 1, 3), light.mean(axis=(0, 1)), np.float32)
    back = person.copy()
    for level in range(levels + 1):
        w = max(1, round(width ** (level / levels))) if level < levels else width
        h = max(1, round(height ** (level / levels))) if level < levels else height
        part, share = _reduced(light, (w, h)).reshape(h, w, 3), _reduced(alpha, (w, h)).reshape(h, w)
        person, back = (_to_size(colours, (w, h)).reshape(h, w, 3) for colours in (person, back))
        for _ in range(10 if max(w, h) <= 32 else 2):
            person, back = _relaxed(part, share, person, back)
    return person, back


def _relaxed(light: Floats, alpha: Floats, person: Floats, back: Floats) -> tuple[Floats, Floats]:
    """One Jacobi step of the estimation at one level."""
    weights = np.zeros_like(alpha)
    person_sum, back_sum = np.zeros_like(person), np.zeros_like(back)
    padded_alpha = np.pad(alpha, 1, mode="edge")
    padded_person = np.pad(person, ((1, 1), (1, 1), (0, 0)), mode="edge")
    padded_back = np.pad(back, ((1, 1), (1, 1), (0, 0)), mode="edge")
    h, w = alpha.shape
    for dy, dx in ((0, 1), (2, 1), (1, 0), (1, 2)):
        at = np.s_[dy : dy + h, dx : dx + w]
        weight = 5e-3 + np.abs(alpha - padded_alpha[at])
        weights += weight
        person_sum += weight[..., None] * padded_person[at]
        back_sum += weight[..., None] * padded_back[at]
    person_mean, back_mean = person_sum / weights[..., None], back_sum / weights[..., None]
    rest = light - alpha[..., None] * person_mean - (1 - alpha[..., None]) * back_mean
    pull = rest / (weights + alpha**2 + (1 - alpha) ** 2)[..., None]
    person = np.clip(person_mean + alpha[..., None] * pull, 0, 1)
    back = np.clip(back_mean + (1 - alpha[..., None]) * pull, 0, 1)
    return person.astype(np.float32), back.astype(np.float32)
