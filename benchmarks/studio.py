"""How well the studio holds up: the design's table for each kit, and the dose at which each check fires.

    python -m benchmarks.studio                                  people who do not exist, painted as a base would draw
    python -m benchmarks.studio --batch ID --home var            the first choices of a finished batch
    python -m benchmarks.studio --photos FOLDER --eyes opencv --models FOLDER      real portraits, faithful lane

The painted studio pictures stand in for a perfect base: what is measured is kits, finishing and judging, not drawing.
Damage in growing doses is in `benchmarks/studio_damage.py`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from benchmarks.studio_damage import print_damage
from benchmarks.studio_people import (
    Company,
    Shown,
    judge_shown,
    painted_company,
    painted_team,
    photographed_team,
    recorded_team,
)
from tasks.headshots.kit import BrandKit, list_kits, load_kit
from tasks.headshots.measure import PictureMeasures
from tasks.likeness.faithful import TARGET_SHIFT, ToneBias, can_tell
from tasks.likeness.judge import Judged
from tasks.likeness.team import team_consistency
from tasks.shipped import SHIPPED
from tasks.vision.faces import Eyes
from tasks.vision.open_eyes import open_eyes


def print_skin(team: Sequence[Shown], verdicts: Mapping[str, Judged], bias: Sequence[ToneBias], kit: BrandKit) -> None:
    """Skin against the selfies with its standard error, what finishing alone does to it, and who can be judged."""
    for one in bias:
        error = f"± {one.error:.1f}" if one.error is not None else ""
        doubt = float("inf") if one.error is None else 2 * one.error  # two standard errors
        sure = doubt <= TARGET_SHIFT if one.within_target else abs(one.shift) - doubt > TARGET_SHIFT
        verdict = ("met" if one.within_target else "MISSED") if sure else "too few to tell"
        print(f"  skin shift, {one.group:14s} degrees ITA  {one.shift:8.1f} {error:>9s} {TARGET_SHIFT:7.1f}  {verdict}")
    own = [
        verdicts[shown.employee_id].candidate.measures.skin_ita - shown.source_ita
        for shown in team
        if shown.source_ita is not None
    ]
    if own:
        mean, worst = float(np.mean(own)), max(own, key=abs)
        print(f"  skin shift by finishing    degrees ITA  {mean:8.1f} {worst:9.1f} {TARGET_SHIFT:7.1f}")
    print_retouch([verdict.candidate.measures for verdict in verdicts.values()])
    found = [verdict.faithfulness for verdict in verdicts.values()]
    low, high = kit.floors.texture
    for words, limit in (("smoothing", low), ("roughening", high)):
        told = sum(one.texture_ratio is not None and can_tell(one, limit) for one in found)
        print(f"  selfies alike enough to tell {words}: {told} of {len(found)} people")
    spreads = [one.texture_unsure for one in found if one.texture_unsure is not None]
    if spreads:
        print(f"  cheek texture unsure by a factor of {np.exp(2 * np.median(spreads)):.1f} (95 %)")


def print_retouch(found: Sequence[PictureMeasures]) -> None:
    """What finishing changed about the person, against the pictures it was given: middle and worst."""
    for words, unit, values in (
        ("skin made lighter", "stops", [one.finished_light for one in found]),
        ("skin tinted", "a*, b*", [one.finished_tint for one in found]),
        ("skin texture left", "share", [one.finished_texture for one in found]),
        ("face detail left", "share", [one.finished_detail for one in found]),
    ):
        read = np.array([value for value in values if value is not None])
        if read.size:
            least, middle, most = np.percentile(read, (0, 50, 100))
            print(f"  finishing: {words:17s} {unit:6s} {least:6.2f} {middle:6.2f} {most:6.2f}   of {read.size} people")


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
    print_skin(team, verdicts, found.bias, kit)
    unflagged = [one for one in verdicts.values() if not one.flags]
    for words, group in (("all", list(verdicts.values())), ("not flagged", unflagged)):
        if group:
            first = sum(one.likeness.rank == 1 for one in group)
            print(f"  rank 1, {words:18s} {'':12s} {first / len(group):8.0%} ({first} of {len(group)})")
    relative = [found for one in verdicts.values() if (found := one.likeness.relative) is not None]
    print(f"  relative likeness          {'':12s} {np.median(relative):8.2f} {np.percentile(relative, 5):9.2f}")
    codes = [flag.code for verdict in verdicts.values() for flag in verdict.flags]
    counted = ", ".join(f"{code} {codes.count(code)}" for code in sorted(set(codes)))
    print(f"  flags: {counted or 'none'}")
    drawn_in = [shown for shown in team if shown.zoom > 1.005]
    if drawn_in:
        print(f"  frames drawn in for lack of picture: {len(drawn_in)}, at most {max(s.zoom for s in drawn_in):.2f}")
    return verdicts


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kits", default="", help="names, separated by commas; all when left out")
    parser.add_argument("--folder", type=Path, default=SHIPPED / "brand_kits")
    parser.add_argument("--eyes", default="embedded")
    parser.add_argument("--models", type=Path, default=None)
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--selfies", type=int, default=6)
    parser.add_argument("--render", type=int, default=128, help="px of the painted studio pictures")
    parser.add_argument("--size", type=int, default=512, help="width of the finished pictures")
    parser.add_argument("--batch", default="", help="a finished batch in the vault instead of painted people")
    parser.add_argument(
        "--home", type=Path, default=None, help="of the vault with that batch; as configured if left out"
    )
    parser.add_argument("--photos", type=Path, default=None, help="real portraits instead, through the faithful lane")
    parser.add_argument("--damage", default="", help="the one kit under which damage is dosed; each when left out")
    parser.add_argument("--dosed", type=int, default=4, help="people per dose of damage")
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
        kit, company, team = recorded_team(given.batch, eyes, given.home)
        if not team:
            raise SystemExit(f"no picture of this batch was made under {kit.name} as it is now: make it again")
        verdicts = print_table(kit, team, company, eyes)
        if not given.no_damage:
            print_damage(kit, team, company, eyes, verdicts, given.dosed)
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
        if not given.no_damage and given.damage in ("", name):
            print_damage(kit, team, company, eyes, verdicts, given.dosed)


if __name__ == "__main__":
    main()
