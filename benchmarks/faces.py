"""Photographs of real people: what intake says of them, clean and degraded, and what the real-photo lane makes of them.

    python -m benchmarks.faces DIR --models MODELS [--sheets OUT] [--most 12] [--kits northwind harbour]

DIR holds one folder a person with their photographs, or all photographs together with a `manifest.json`, a list of
{"file": ..., "person": ...}. MODELS holds the files of the eyes `opencv`. Nothing is written but contact sheets, to
OUT.
Every table has the rules of 0.1 beside today's. Thirds are of the people's own skin (ITA in these photographs, which is
light as well as skin), with counts: twenty photographs can say little.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from benchmarks.faces_degraded import DEGRADED, as_photo, jpeg
from benchmarks.faces_hair import hair_sheet
from benchmarks.faces_identity import pairs_and_strangers
from benchmarks.faces_lane import by_thirds, lane_table
from benchmarks.faces_lids import lids_table
from benchmarks.faces_mattes import matte_table
from benchmarks.faces_room import room_table
from benchmarks.faces_skin import skin_table
from tasks.headshots.kit import load_kit
from tasks.headshots.look import find_head
from tasks.headshots.measure import bare_skin, skin_colour
from tasks.selfies.judge import SelfieVerdict, judge_photo
from tasks.selfies.look import Look, measured, quarter_turns
from tasks.vault.settings import load_settings
from tasks.vision.colour import ita
from tasks.vision.faces import Eyes, Face, QualityLimits
from tasks.vision.images import Picture, read_picture
from tasks.vision.open_eyes import open_eyes
from tasks.vision.photos import Photo

SIDE = 1024  # px at most: the same work for a phone's photo and a portrait of the web
HAIR_ON = ("harbour", "daylight")  # a dark wall and a pale one
NEW = {
    "cut_off",
    "compressed",
    "no_colour",
    "uneven_light",
    "rolled",
    "turned_upright",
    "eyes_shut",
    "covered",
    "little_detail",
}


@dataclass(frozen=True)
class Shot:
    """One photograph with its face."""

    person: str
    name: str
    picture: Picture
    face: Face
    skin: float  # ITA in degrees: high is light


def read_shots(folder: Path, eyes: Eyes, most: int | None) -> list[Shot]:
    """Everybody's photographs, reduced to SIDE; those without a face are left out, and said."""
    manifest = folder / "manifest.json"
    if manifest.is_file():
        rows = [(row["person"], folder / row["file"]) for row in json.loads(manifest.read_text("utf-8"))]
    else:
        rows = [(path.parent.name, path) for path in sorted(folder.glob("*/*")) if path.is_file()]
    shots = []
    for person, path in rows[: most or None]:
        picture = read_picture(path.read_bytes(), SIDE).picture
        face = find_head(picture, eyes)
        if face is None:
            print(f"left out, no face: {path.name}")
            continue
        tone = float(ita(skin_colour(picture, bare_skin(picture, face))))
        shots.append(Shot(person, path.stem, picture, face, tone))
    return shots


def thirds_of(shots: Sequence[Shot]) -> list[str]:
    """dark, mid or light for each, by thirds of what is there."""
    order = np.argsort(np.argsort([shot.skin for shot in shots]))
    return [("dark", "mid", "light")[int(3 * place // len(shots))] for place in order]


def seen_as(photo: Photo, eyes: Eyes, limits: QualityLimits) -> tuple[SelfieVerdict, SelfieVerdict]:
    """Today's verdict on a photo, and what 0.1 would have said."""
    turned = quarter_turns(photo.judged, eyes)
    new = replace(measured(photo.turned(turned), "", eyes), turned=turned)
    old: Look = measured(photo, "", eyes) if turned else new
    then = judge_photo(replace(old, flaws=None, lids=None, table=0.0, turned=0), limits)
    return judge_photo(new, limits), replace(then, findings=tuple(f for f in then.findings if f.code not in NEW))


def noticed(verdict: SelfieVerdict) -> bool:
    """Whether anything is said at all, of the photo being turned too."""
    return bool(verdict.findings)


def intake_tables(shots: Sequence[Shot], eyes: Eyes) -> None:
    """What is said of good photographs, and of each degradation of those of which nothing was said."""
    limits = replace(eyes.limits, inter_eye_px=40.0)  # px: what ordinary 250 px portraits of the web have
    thirds = thirds_of(shots)
    start = time.process_time()
    verdicts = [seen_as(as_photo(shot.picture), eyes, limits)[0] for shot in shots]
    print(f"\n{len(shots)} photographs as they are, {(time.process_time() - start) / len(shots):.2f} s of CPU each")
    said = [{f"{f.code} ({f.severity})" for f in v.findings} for v in verdicts]
    for code, _ in Counter(code for codes in said for code in codes).most_common():
        print(f"  {code:<28}{by_thirds([code in codes for codes in said], thirds)}")
    print(f"  {'refused':<28}{by_thirds([not v.accepted for v in verdicts], thirds)}   dark/mid/light")
    good = [i for i, v in enumerate(verdicts) if not any(f.code != "turned_away" for f in v.findings)]
    print(f"\n{'degraded, of which nothing was said':<34}{'noticed by 0.1':<30}{'noticed today':<30}refused today")
    rng = np.random.default_rng(1)
    of_good = [thirds[i] for i in good]
    for name in [*DEGRADED, "JPEG q10", "JPEG q10, saved again"]:
        pairs = []
        for shot in (shots[i] for i in good):
            if name.startswith("JPEG"):
                photo = jpeg(shot.picture, 10)
                photo = jpeg(photo.judged, 92) if "again" in name else photo
            else:
                photo = as_photo(DEGRADED[name](shot.picture, shot.face, rng))
            pairs.append(seen_as(photo, eyes, limits))
        cells = [by_thirds([noticed(v) for v in column], of_good) for column in zip(*pairs, strict=True)]
        refused = by_thirds([not new.accepted for new, _ in pairs], of_good)
        print(f"{name:<34}{cells[1]:<30}{cells[0]:<30}{refused}", flush=True)


def identity_table(shots: Sequence[Shot], eyes: Eyes) -> None:
    """A threshold fitted on half of the people, tested on the other half; the card's own beside it."""
    people = sorted({shot.person for shot in shots})
    halves = {person: place % 2 for place, person in enumerate(people)}
    vectors = np.stack([eyes.embedder.embed(shot.picture, shot.face) for shot in shots])
    cosines = vectors @ vectors.T
    rows, columns = np.triu_indices(len(shots), 1)
    same = np.array([shots[a].person == shots[b].person for a, b in zip(rows, columns, strict=True)])
    half = np.array([halves[shots[a].person] + halves[shots[b].person] for a, b in zip(rows, columns, strict=True)])
    values = cosines[rows, columns]
    if not (same & (half == 0)).any() or not (same & (half == 2)).any():
        print("\nidentity: too few people with two photographs for two halves")
        return
    fitted = float(np.quantile(values[~same & (half == 0)], 0.99))
    print(f"\n{eyes.embedder.name}: {int(same.sum())} same-person pairs; others of one half pass 1 % at {fitted:.2f}")
    for name, limit in (("fitted on the other half", fitted), ("the card's `same`", eyes.thresholds.same)):
        right, wrong = values[same & (half == 2)], values[~same & (half == 2)]
        print(f"  {name:<26}{limit:.2f}: {int((right >= limit).sum())} of {len(right)} same pass, "
              f"{int((wrong >= limit).sum())} of {len(wrong)} others")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR")
    settings = load_settings()
    parser.add_argument("--models", type=Path, default=settings.models)
    parser.add_argument("--kits", nargs="*", default=["northwind", "harbour", "daylight", "signal"])
    parser.add_argument("--size", type=int, default=400, help="width of finished pictures, px")
    parser.add_argument("--most", type=int, default=None, help="photographs looked at, at most")
    parser.add_argument("--sheets", type=Path, default=None)
    tables = ["intake", "lids", "skin", "identity", "mattes", "room", "hair", "lane"]
    parser.add_argument("--only", nargs="*", choices=tables, default=tables)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    eyes = open_eyes("opencv", asked.models)
    shots = read_shots(asked.folder, eyes, asked.most)
    known = f"lids: {'asked' if eyes.lids else 'no network'}, second matte: {'asked' if eyes.witness else 'no network'}"
    print(f"{len(shots)} photographs of {len({shot.person for shot in shots})} people; {known}")
    if "intake" in asked.only:
        intake_tables(shots, eyes)
    if "lids" in asked.only:
        lids_table([(shot.person, shot.picture, shot.face) for shot in shots], eyes)
    if "skin" in asked.only:
        skin_table([(shot.person, shot.picture, shot.face) for shot in shots])
    if "identity" in asked.only:
        identity_table(shots, eyes)
        pairs_and_strangers([(shot.person, shot.picture, shot.face) for shot in shots], eyes)
    if "mattes" in asked.only:
        matte_table([(shot.person, shot.picture) for shot in shots], eyes)
    kits = [load_kit(name, settings.kits) for name in asked.kits]
    if "room" in asked.only:
        room_table([(shot.picture, shot.face) for shot in shots], kits, eyes)
    if "hair" in asked.only and asked.sheets is not None:
        first = {shot.person: shot for shot in reversed(shots)}  # one photograph a person
        walls = [load_kit(name, settings.kits) for name in HAIR_ON]
        hair_sheet([(shot.name, shot.picture) for shot in first.values()], walls, eyes, asked.sheets)
    if "lane" in asked.only:
        named = [(shot.name, shot.picture) for shot in shots]
        lane_table(named, thirds_of(shots), kits, eyes, asked.size, asked.sheets)


if __name__ == "__main__":
    main()
