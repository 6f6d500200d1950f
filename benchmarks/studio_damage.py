"""Dosed damage: at what dose does each check of the studio fire, and is every swap of two people caught?

Damage is done to finished pictures in growing doses; a check fires at the smallest dose that it flags for most people,
counting only people whose undamaged picture it does not flag. Only what a kind of damage can change is measured again,
with the same functions that judge pictures, and the rest of the undamaged picture's measures stands: judging every
dose in full says the same and takes ten times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import cv2
import numpy as np

from benchmarks.studio_people import Company, Shown
from tasks.headshots.kit import BrandKit
from tasks.headshots.look import find_head
from tasks.headshots.measure import (
    PictureMeasures,
    bare_skin,
    cheek_texture,
    measure_background,
    skin_colour,
)
from tasks.headshots.retouch import compare_with_source
from tasks.headshots.studio import studio_flags
from tasks.likeness.faithful import compare_appearance, faithfulness_flags
from tasks.likeness.judge import Judged
from tasks.likeness.score import likeness_flags, score_headshot
from tasks.vision.colour import ita, linear_to_srgb, skin_mask, to_linear
from tasks.vision.faces import Eyes, Face
from tasks.vision.images import Picture

SMOOTHED_AT = 80.0  # px between the eyes: larger pictures are smoothed at this scale
SWAPPED = {"wrong_person", "margin", "likeness"}  # any of these catches a picture under another's name


@dataclass(frozen=True)
class Subject:
    """An undamaged picture with what was found in it."""

    shown: Shown
    face: Face
    measures: PictureMeasures
    flags: frozenset[str]


def smooth(one: Subject, dose: float, eyes: Eyes) -> Picture:
    """Skin smoothing as beauty filters do it; dose: its reach as a share of the inter-eye distance."""
    picture, reach = one.shown.picture, dose * one.face.inter_eye
    soft = picture.copy()
    x, y, w, h = (round(value) for value in one.face.box)
    part = (slice(max(0, y - h // 3), y + h + h // 3), slice(max(0, x - w // 3), x + w + w // 3))
    face = np.ascontiguousarray(picture[part])
    # A filter this wide takes minutes on a large picture; what it takes away is the same at a smaller scale.
    scale = min(1.0, SMOOTHED_AT / one.face.inter_eye)
    small = cv2.resize(face, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.float32)
    change = cv2.bilateralFilter(small, 0, 40, reach * scale) - small
    taken = cv2.resize(change, (face.shape[1], face.shape[0]), interpolation=cv2.INTER_LINEAR)
    soft[part] = np.clip(np.rint(face + taken), 0, 255).astype(np.uint8)
    skin = skin_mask(picture, one.face).astype(np.float32)
    mask = cv2.GaussianBlur(skin, (0, 0), max(1.0, reach / 3))[..., None]
    return np.asarray(np.rint(soft * mask + picture * (1 - mask)), np.uint8)


def lighten(one: Subject, dose: float, eyes: Eyes) -> Picture:
    """Facial skin made lighter; dose in stops."""
    skin = skin_mask(one.shown.picture, one.face).astype(np.float32)
    mask = cv2.GaussianBlur(skin, (0, 0), 0.05 * one.face.inter_eye)[..., None]
    light = to_linear(one.shown.picture) * (1 + (2**dose - 1) * mask)
    return np.asarray(np.rint(linear_to_srgb(light) * 255), np.uint8)


def shift(one: Subject, dose: float, eyes: Eyes) -> Picture:
    """The whole frame moved to the right; dose in shares of the width."""
    width = one.shown.picture.shape[1]
    moved = cv2.copyMakeBorder(one.shown.picture, 0, 0, round(dose * width), 0, cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(moved[:, :width], np.uint8)


def tint(one: Subject, dose: float, eyes: Eyes) -> Picture:
    """The background made warmer; dose in levels of red up and blue down."""
    away = 1 - np.asarray(eyes.matter.matte(one.shown.picture), np.float32)[..., None]
    change = np.array([dose, 0, -dose], np.float32)
    return np.asarray(np.clip(np.rint(one.shown.picture + away * change), 0, 255), np.uint8)


def skin_again(picture: Picture, one: Subject, kit: BrandKit, eyes: Eyes) -> PictureMeasures:
    """Texture and colour of the skin, by itself and against the source; where the face is does not change."""
    lab = skin_colour(picture, bare_skin(picture, one.face))
    shown, paired = one.shown, {}
    if shown.source is not None and shown.made is not None:
        made = shown.made
        paired = asdict(
            compare_with_source(shown.source, made.source_landmarks, picture, made.landmarks, made.seen, kit)
        )
    return replace(
        one.measures,
        texture=cheek_texture(picture, one.face, one.shown.source_inter_eye),
        skin_ita=float(ita(lab)),
        skin_lab=(float(lab[0]), float(lab[1]), float(lab[2])),
        **paired,
    )


def place_again(picture: Picture, one: Subject, kit: BrandKit, eyes: Eyes) -> PictureMeasures:
    """Where the face is, found anew."""
    face = find_head(picture, eyes)
    centre = float("inf") if face is None else float(face.landmarks[:2, 0].mean()) / picture.shape[1]
    return replace(one.measures, centre=centre)


def background_again(picture: Picture, one: Subject, kit: BrandKit, eyes: Eyes) -> PictureMeasures:
    """The background, with the person cut out anew."""
    found = measure_background(picture, kit, eyes)
    return replace(one.measures, background=found.difference, halo=found.halo, holes=found.holes)


@dataclass(frozen=True)
class Damage:
    """A kind of damage, what to measure again after it, and the flags that catch it, check by check."""

    name: str
    hurt: Callable[[Subject, float, Eyes], Picture]
    again: Callable[[Picture, Subject, BrandKit, Eyes], PictureMeasures]
    unit: str
    doses: tuple[float, ...]
    checks: tuple[tuple[str, str], ...]  # (words, the flag's code)

    @property
    def codes(self) -> frozenset[str]:
        """All flags that catch it."""
        return frozenset(code for _, code in self.checks)


SELFIES, SOURCE = "by the selfies", "by its source"
DAMAGES = (
    Damage(
        "smoothing", smooth, skin_again, "of inter-eye", (0.05, 0.1, 0.2, 0.4),
        ((SELFIES, "smoothed"), (SOURCE, "finished_texture")),
    ),
    Damage(
        "lightening", lighten, skin_again, "stops", (0.2, 0.4, 0.7, 1.0, 1.5),
        ((SELFIES, "skin_tone"), (SOURCE, "finished_skin")),
    ),
    Damage("frame shift", shift, place_again, "of width", (0.005, 0.01, 0.015, 0.02), (("by the kit", "centre"),)),
    Damage(
        "background tint", tint, background_again, "levels", (1.0, 2.0, 4.0, 8.0), (("by the kit", "background"),)
    ),
)  # fmt: skip


def subjects(team: Sequence[Shown], verdicts: Mapping[str, Judged], eyes: Eyes) -> list[Subject]:
    """Everybody whose face is found in their finished picture."""
    found = []
    for shown in team:
        face, verdict = find_head(shown.picture, eyes), verdicts[shown.employee_id]
        if face is not None:
            flags = frozenset(flag.code for flag in verdict.flags)
            found.append(Subject(shown, face, verdict.candidate.measures, flags))
    return found


def codes_after(damage: Damage, dose: float, one: Subject, company: Company, kit: BrandKit, eyes: Eyes) -> set[str]:
    """Studio and appearance flags of a picture damaged by this dose."""
    measures = damage.again(damage.hurt(one, dose, eyes), one, kit, eyes)
    reference = company.references[one.shown.employee_id]
    found = compare_appearance(measures, reference, kit.floors, one.shown.source_inter_eye)
    return {flag.code for flag in (*studio_flags(measures, kit), *faithfulness_flags(found, kit.floors))}


def print_damage(
    kit: BrandKit, team: Sequence[Shown], company: Company, eyes: Eyes, verdicts: Mapping[str, Judged], people: int
) -> None:
    """Dosed damage, and the dose at which each check fires for at least half of the people."""
    everybody = subjects(team, verdicts, eyes)
    print(f"\ndamage under {kit.name}: share of people newly flagged, by dose")
    for damage in DAMAGES:
        tried = everybody[:people]
        after = [[codes_after(damage, dose, one, company, kit, eyes) for dose in damage.doses] for one in tried]
        for words, code in damage.checks:
            rows = [found for one, found in zip(tried, after, strict=True) if code not in one.flags]
            name = f"  {damage.name:16s} {damage.unit:13s} {words:14s}"
            if not rows:
                print(f"{name} nobody to try it on: all are flagged undamaged")
                continue
            shares = [sum(code in found[place] for found in rows) / len(rows) for place in range(len(damage.doses))]
            fires = next((dose for dose, share in zip(damage.doses, shares, strict=True) if share >= 0.5), None)
            told = "  ".join(f"{dose:g}: {share:.0%}" for dose, share in zip(damage.doses, shares, strict=True))
            where = fires if fires is not None else "none of these"
            print(f"{name} {told}   of {len(rows)}, fires at {where}", flush=True)
    caught, swaps = count_swaps(everybody, company, kit, eyes)
    print(
        f"  swapped people   caught {caught} of {swaps} (everybody's picture under everybody else's name)", flush=True
    )


def count_swaps(everybody: Sequence[Subject], company: Company, kit: BrandKit, eyes: Eyes) -> tuple[int, int]:
    """(caught, tried): every picture filed under every other name. Each picture is embedded once."""
    caught = tried = 0
    vectors, thresholds = company.vectors, eyes.judge_thresholds
    for one in everybody:
        vector = eyes.judge.embed(one.shown.picture, one.face)
        for whose, reference in company.references.items():
            if whose == one.shown.employee_id:
                continue
            score = score_headshot(vector, reference.vectors, vectors, whose, thresholds)
            flags = likeness_flags(score, kit.floors, thresholds, lane=one.shown.lane)
            tried += 1
            caught += bool(SWAPPED & {flag.code for flag in flags})
    return caught, tried
