"""How well the studio holds up: the design's table for each kit, and the dose at which each check fires.

    python -m benchmarks.studio                                  people who do not exist, painted as a base would draw
    python -m benchmarks.studio --batch ID --home var            the first choices of a finished batch
    python -m benchmarks.studio --photos FOLDER --eyes opencv --models FOLDER      real portraits, faithful lane

The painted studio pictures stand in for a perfect base: what is measured is kits, finishing and judging, not drawing.
Damage is done to finished pictures in growing doses; a check fires at the smallest dose that it flags for most people,
counting only flags that the undamaged picture did not have.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np

from synthetic.painter.capture import Wish, draw_capture
from synthetic.painter.identity import draw_identity
from synthetic.painter.painting import paint
from tasks.headshots.finish import CannotFinish
from tasks.headshots.kit import BrandKit, list_kits, load_kit
from tasks.headshots.look import find_head
from tasks.headshots.measure import NoFaceLeft, measure_picture
from tasks.headshots.shots import background_word, light_words
from tasks.headshots.studio import finish_candidate, studio_flags
from tasks.likeness.judge import Judged, ToJudge, judge_candidate
from tasks.likeness.judging import know, pictures_of
from tasks.likeness.reference import PersonReference, find_faces, read_reference
from tasks.likeness.team import team_consistency
from tasks.vault.batches import load_batch, seats_of
from tasks.vault.settings import load_settings
from tasks.vault.store import open_vault
from tasks.vision.colour import linear_to_srgb, skin_mask, to_linear
from tasks.vision.faces import REPOSITORY, Eyes, open_eyes
from tasks.vision.images import Picture, read_picture

FIRST_SEED = 910_000  # far from every seed that anything is trained on
SELFIE_SIZE = 384  # px


@dataclass(frozen=True)
class Shown:
    """One finished picture of one person, as it would be delivered."""

    employee_id: str
    picture: Picture
    source_inter_eye: float
    lane: str = "generated"
    zoom: float = 1.0


@dataclass(frozen=True)
class Company:
    """Everybody's selfies, read."""

    references: Mapping[str, PersonReference]

    @property
    def vectors(self) -> dict[str, np.ndarray]:
        """One vector per person."""
        return {one: reference.vector for one, reference in self.references.items()}


def painted_company(people: int, selfies: int, eyes: Eyes) -> Company:
    """Selfies of people who do not exist, read as intake would."""
    references = {}
    for number in range(people):
        person = draw_identity(FIRST_SEED + number)
        pictures = [
            paint(person, draw_capture(100 * number + shot, person, "selfie"), SELFIE_SIZE, 1.0).picture
            for shot in range(selfies)
        ]
        if found := find_faces(pictures, eyes):
            references[f"p{number:03d}"] = read_reference(found, eyes)
    return Company(references)


def painted_team(company: Company, kit: BrandKit, eyes: Eyes, render: int, size: int) -> list[Shown]:
    """One studio picture of everybody, painted as the kit's prompt says and finished under the kit."""
    team = []
    for employee_id in company.references:
        number = int(employee_id[1:])
        person = draw_identity(FIRST_SEED + number)
        wish = Wish(background=background_word(kit), light=light_words(kit, small=True), frontal=0.6)
        shot = paint(person, draw_capture(7_000 + number, person, "studio", wish), render, 2.0, "aligned")
        try:
            finished = finish_candidate(shot.picture, kit, eyes, size).finished
        except CannotFinish as refused:
            print(f"  {employee_id}: {refused.code}")
            continue
        team.append(Shown(employee_id, finished.picture, finished.source_inter_eye, zoom=finished.measures.zoom))
    return team


def photographed_team(folder: Path, kit: BrandKit, eyes: Eyes, size: int) -> tuple[Company, list[Shown]]:
    """Real portraits through the faithful lane; the file's name up to "_" is the person."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".heic"})
    people: dict[str, list[Picture]] = {}
    for file in files:
        people.setdefault(file.stem.split("_")[0], []).append(read_picture(file.read_bytes()).picture)
    references, team = {}, []
    for employee_id, pictures in people.items():
        if not (found := find_faces(pictures, eyes)):
            continue
        references[employee_id] = read_reference(found, eyes)
        best = max(found, key=lambda pair: pair[1].inter_eye)[0]
        finished = finish_candidate(best, kit, eyes, size, lane="faithful").finished
        team.append(Shown(employee_id, finished.picture, finished.source_inter_eye, "faithful", finished.measures.zoom))
    return Company(references), team


def recorded_team(batch: str, eyes: Eyes) -> tuple[BrandKit, Company, list[Shown]]:
    """The first choices of a finished batch, through permits like everything else."""
    settings = load_settings()
    with open_vault(settings) as vault:
        kit = load_kit(load_batch(vault, batch).kit, settings.kits)
        known = know(vault, eyes, seats_of(vault, batch, states=("done", "flagged")))
        team = []
        for employee_id in known:
            permit = vault.permit(employee_id, now=datetime.now(UTC))
            for row in pictures_of(vault, batch, employee_id, kit):
                if row.choice == 1 and row.finished_key:
                    picture = read_picture(vault.read(permit, row.finished_key)).picture
                    inter_eye = float(row.scores["source_inter_eye"])
                    team.append(Shown(employee_id, picture, inter_eye, row.lane))
        return kit, Company({one: found.reference for one, found in known.items()}), team


def judge_shown(shown: Shown, company: Company, kit: BrandKit, eyes: Eyes, *, whose: str | None = None) -> Judged:
    """Measure and judge a finished picture from its pixels, as if it were `whose` (its own person's if left out)."""
    employee_id = whose or shown.employee_id
    measures = measure_picture(shown.picture, kit, eyes, texture_inter_eye=shown.source_inter_eye)
    flags = tuple(studio_flags(measures, kit))
    one = ToJudge(shown.employee_id, shown.picture, measures, flags, shown.lane, shown.source_inter_eye)
    return judge_candidate(one, company.references[employee_id], company.vectors, employee_id, kit, eyes)


def print_table(kit: BrandKit, team: Sequence[Shown], company: Company, eyes: Eyes) -> dict[str, Judged]:
    """The design's table for one kit; returns the verdicts."""
    verdicts = {shown.employee_id: judge_shown(shown, company, kit, eyes) for shown in team}
    found = team_consistency(
        {one: verdict.candidate.measures for one, verdict in verdicts.items()},
        kit,
        {one: verdict.faithfulness for one, verdict in verdicts.items()},
    )
    print(f"\n{kit.name}: {found.people} people, eyes {eyes.name}")
    print(f"  {'measure':26s} {'unit':12s} {'median':>8s} {'worst 5%':>9s} {'target':>7s}")
    for row in found.rows:
        verdict = "met" if row.met else "MISSED"
        print(f"  {row.measure:26s} {row.unit:12s} {row.median:8.2f} {row.worst:9.2f} {row.target:7.2f}  {verdict}")
    for bias in found.bias:
        print(f"  skin shift, {bias.group:14s} degrees ITA  {bias.shift:8.1f} {'':9s} {4.0:7.1f}")
    unflagged = [one for one in verdicts.values() if not one.flags]
    for words, group in (("all", list(verdicts.values())), ("not flagged", unflagged)):
        if group:
            first = sum(one.likeness.rank == 1 for one in group)
            print(f"  rank 1, {words:18s} {'':12s} {first / len(group):8.0%} ({first} of {len(group)})")
    relative = [one.likeness.relative for one in verdicts.values()]
    print(f"  relative likeness          {'':12s} {np.median(relative):8.2f} {np.percentile(relative, 5):9.2f}")
    codes = [flag.code for verdict in verdicts.values() for flag in verdict.flags]
    counted = ", ".join(f"{code} {codes.count(code)}" for code in sorted(set(codes)))
    print(f"  flags: {counted or 'none'}")
    drawn_in = [shown for shown in team if shown.zoom > 1.005]
    if drawn_in:
        print(f"  frames drawn in for lack of picture: {len(drawn_in)}, at most {max(s.zoom for s in drawn_in):.2f}")
    return verdicts


Damage = Callable[[Shown, float, Eyes], Picture]


def smooth(shown: Shown, dose: float, eyes: Eyes) -> Picture:
    """Skin smoothing as beauty filters do it; dose: its reach as a share of the inter-eye distance."""
    face = find_head(shown.picture, eyes)
    if face is None or dose == 0:
        return shown.picture
    reach = dose * face.inter_eye
    soft = cv2.bilateralFilter(shown.picture, 0, 40, reach)
    mask = cv2.GaussianBlur(skin_mask(shown.picture, face).astype(np.float32), (0, 0), max(1.0, reach / 3))[..., None]
    return np.asarray(np.rint(soft * mask + shown.picture * (1 - mask)), np.uint8)


def lighten(shown: Shown, dose: float, eyes: Eyes) -> Picture:
    """Facial skin made lighter; dose in stops."""
    face = find_head(shown.picture, eyes)
    if face is None or dose == 0:
        return shown.picture
    skin = skin_mask(shown.picture, face).astype(np.float32)
    mask = cv2.GaussianBlur(skin, (0, 0), 0.05 * face.inter_eye)[..., None]
    light = to_linear(shown.picture) * (1 + (2**dose - 1) * mask)
    return np.asarray(np.rint(linear_to_srgb(light) * 255), np.uint8)


def shift(shown: Shown, dose: float, eyes: Eyes) -> Picture:
    """The whole frame moved to the right; dose in shares of the width."""
    pixels = round(dose * shown.picture.shape[1])
    moved = cv2.copyMakeBorder(shown.picture, 0, 0, pixels, 0, cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(moved[:, : shown.picture.shape[1]], np.uint8)


def tint(shown: Shown, dose: float, eyes: Eyes) -> Picture:
    """The background made warmer; dose in levels of red up and blue down."""
    away = 1 - np.asarray(eyes.matter.matte(shown.picture), np.float32)[..., None]
    change = np.array([dose, 0, -dose], np.float32)
    return np.asarray(np.clip(np.rint(shown.picture + away * change), 0, 255), np.uint8)


DAMAGES: dict[str, tuple[Damage, str, set[str], tuple[float, ...]]] = {
    "smoothing": (smooth, "of inter-eye", {"smoothed"}, (0.05, 0.1, 0.2, 0.4)),
    "lightening": (lighten, "stops", {"skin_tone"}, (0.2, 0.4, 0.7, 1.0, 1.5)),
    "frame shift": (shift, "of width", {"centre"}, (0.005, 0.01, 0.015, 0.02)),
    "background tint": (tint, "levels", {"background"}, (1.0, 2.0, 4.0, 8.0)),
}


def codes_of(shown: Shown, company: Company, kit: BrandKit, eyes: Eyes) -> set[str]:
    try:
        return {flag.code for flag in judge_shown(shown, company, kit, eyes).flags}
    except NoFaceLeft:
        return {"no_face"}


def print_damage(
    kit: BrandKit, team: Sequence[Shown], company: Company, eyes: Eyes, verdicts: Mapping[str, Judged]
) -> None:
    """Dosed damage, and the dose at which each check fires for at least half of the people."""
    clean = {one: {flag.code for flag in verdict.flags} for one, verdict in verdicts.items()}
    print(f"\ndamage under {kit.name}: share of people newly flagged, by dose")
    for name, (damage, unit, codes, doses) in DAMAGES.items():
        shares = []
        for dose in doses:
            hurt = [replace(shown, picture=damage(shown, dose, eyes)) for shown in team]
            open_to = [shown for shown in hurt if not codes & clean[shown.employee_id]]
            caught = sum(bool(codes & codes_of(shown, company, kit, eyes)) for shown in open_to)
            shares.append(caught / max(1, len(open_to)))
        fires = next((dose for dose, share in zip(doses, shares, strict=True) if share >= 0.5), None)
        shown_shares = "  ".join(f"{dose:g}: {share:.0%}" for dose, share in zip(doses, shares, strict=True))
        print(f"  {name:16s} {unit:13s} {shown_shares}   fires at {fires if fires is not None else 'none of these'}")
    print_swaps(kit, team, company, eyes)


def print_swaps(kit: BrandKit, team: Sequence[Shown], company: Company, eyes: Eyes) -> None:
    """Everybody's picture filed under the next person's name."""
    owners = [shown.employee_id for shown in team]
    caught = 0
    for shown, whose in zip(team, owners[1:] + owners[:1], strict=True):
        verdict = judge_shown(shown, company, kit, eyes, whose=whose)
        caught += bool({"wrong_person", "margin", "likeness"} & {flag.code for flag in verdict.flags})
    print(f"  swapped people                 caught {caught} of {len(team)}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kits", default="", help="names, separated by commas; all when left out")
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "brand_kits")
    parser.add_argument("--eyes", default="embedded")
    parser.add_argument("--models", type=Path, default=None)
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--selfies", type=int, default=6)
    parser.add_argument("--render", type=int, default=128, help="px of the painted studio pictures")
    parser.add_argument("--size", type=int, default=512, help="width of the finished pictures")
    parser.add_argument("--batch", default="", help="a finished batch in the vault instead of painted people")
    parser.add_argument("--photos", type=Path, default=None, help="real portraits instead, through the faithful lane")
    parser.add_argument("--damage", default="", help="kit under which damage is dosed; the first one when left out")
    parser.add_argument("--no-damage", action="store_true")
    parser.add_argument("--wall", type=Path, default=None, help="folder for a PNG of each kit's team")
    return parser.parse_args()


def write_wall(folder: Path, kit: BrandKit, team: Sequence[Shown], columns: int = 6) -> None:
    """All finished pictures side by side: what a reviewer sees first."""
    folder.mkdir(parents=True, exist_ok=True)
    width = 240
    height = round(width * kit.framing.height / kit.framing.width)
    tiles = [cv2.resize(shown.picture, (width, height), interpolation=cv2.INTER_AREA) for shown in team]
    tiles += [np.full((height, width, 3), 255, np.uint8)] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    cv2.imwrite(str(folder / f"{kit.name}.png"), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))


def main() -> None:
    given = arguments()
    eyes = open_eyes(given.eyes, given.models)
    if given.batch:
        kit, company, team = recorded_team(given.batch, eyes)
        verdicts = print_table(kit, team, company, eyes)
        if not given.no_damage:
            print_damage(kit, team, company, eyes, verdicts)
        return
    names = [name for name in given.kits.split(",") if name] or list_kits(given.folder)
    company = Company({}) if given.photos else painted_company(given.people, given.selfies, eyes)
    for name in names:
        kit = load_kit(name, given.folder)
        if given.photos:
            company, team = photographed_team(given.photos, kit, eyes, given.size)
        else:
            team = painted_team(company, kit, eyes, given.render, given.size)
        verdicts = print_table(kit, team, company, eyes)
        if given.wall:
            write_wall(given.wall, kit, team)
        if not given.no_damage and name == (given.damage or names[0]):
            print_damage(kit, team, company, eyes, verdicts)


if __name__ == "__main__":
    main()
